// The rows of the queue and the feed, for both engines. A reader R has read(member), get<T>() and blob(), column by
// column, as the engines' own readers do.
#pragma once

#include <actionhist/repository.hpp>

#include "sql/floats.hpp"

namespace actionhist::sql {

// "subject_id, version, attempts", the version as the engine tells it.
template <class R>
QueuedSubject read_queued(R& row) {
  QueuedSubject subject;
  row.read(subject.subject_id).read(subject.version).read(subject.attempts);
  return subject;
}

// "subject_id, attempts, last_error, enqueued_at"
template <class R>
FailedSubject read_failed(R& row) {
  FailedSubject failed;
  row.read(failed.subject_id).read(failed.attempts).read(failed.error).read(failed.queued_at);
  return failed;
}

// "subject_id, seq, deleted, content_hash, text, fields"
template <class R>
FeedSubject read_subject(R& row) {
  FeedSubject subject;
  row.read(subject.subject_id).read(subject.seq).read(subject.deleted).read(subject.content_hash);
  row.read(subject.text).read(subject.fields);
  return subject;
}

// "subject_id, text, content_hash, seq": what a model needs of a subject.
template <class R>
FeedSubject read_unembedded(R& row) {
  FeedSubject subject;
  row.read(subject.subject_id).read(subject.text).read(subject.content_hash).read(subject.seq);
  return subject;
}

// "subject_id, seq, content_hash, vector". Throws Error: corrupt, for a vector that is none.
template <class R>
FeedEmbedding read_embedding(R& row) {
  FeedEmbedding embedding;
  row.read(embedding.subject_id).read(embedding.seq).read(embedding.content_hash);
  embedding.vector = floats_of(std::as_bytes(std::span(row.blob())));
  return embedding;
}

}  // namespace actionhist::sql
