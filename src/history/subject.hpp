// How an action reads to the index: its text, and the fields that filters see.
#pragma once

#include <string>
#include <string_view>

#include <actionhist/repository.hpp>

#include "semantic/sync.hpp"

namespace actionhist {

// Context (alert, annotations, kind, reasoning, root cause), action (type and parameters) and outcome (error,
// notes), in this order and with sorted keys, so that one action always has one text.
std::string subject_text(const Trace& trace);

// The context alone: what was known before the action was chosen.
std::string situation_text(const Trace& trace);

// What tells the text that a vector was made of.
std::string content_hash_of(std::string_view text);

FeedSubject subject_of(const Trace& trace);

// The stored actions as subjects. `repository` must outlive it.
SubjectSource subject_source(Repository& repository);

}  // namespace actionhist
