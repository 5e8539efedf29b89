#include "history/evaluation.hpp"

#include <algorithm>
#include <deque>
#include <map>

#include <fmt/format.h>

#include <actionhist/history.hpp>

#include "analysis/ranking_quality.hpp"
#include "core/json_io.hpp"
#include "core/refuse.hpp"
#include "embedding/aspects.hpp"
#include "history/feed_pages.hpp"
#include "history/state.hpp"
#include "history/subject.hpp"

namespace actionhist {
namespace {

constexpr std::size_t depth = 10;
// Searches skip what belongs to the query's own correlation, so more are asked for.
constexpr int skipped_at_most = 100;
constexpr int compared_queries = 100;
constexpr int compared_documents = 5'000;
constexpr std::int64_t enough_queries = 20;
// With a hundred queries a difference of less may be chance.
constexpr double tolerance = 0.05;

struct Document {
  std::string id;
  std::string text;
  std::string group;        // what belongs together
  std::string correlation;  // of which nothing is looked for
  bool success = false;
  std::vector<float> vector;
};

using Documents = std::deque<Document>;

Document document_of(const FeedSubject& subject) {
  Document document;
  document.id = subject.subject_id;
  document.text = subject.text;
  if (subject.fields.absent()) return document;
  JsonDocument parsed;
  const JsonElement fields = parsed.parse(subject.fields);
  const auto text = [&](std::string_view name) {
    std::string_view value;
    return fields.at_key(name).get(value) == simdjson::SUCCESS ? std::string(value) : std::string();
  };
  std::string alert = text("alert_name");
  if (alert.empty()) alert = text("kind");
  const std::string type = text("action_type");
  if (!alert.empty() && !type.empty()) document.group = alert + '\n' + type;
  document.correlation = text("correlation_id");
  double score = 0;
  if (fields.at_key("effectiveness_score").get(score) == simdjson::SUCCESS) {
    document.success = score >= 0.5;
  } else {
    document.success = text("execution_status") == to_string(Status::completed);
  }
  return document;
}

// The newest subjects, in the order of the feed.
Documents read_documents(FeedStore& feed, std::size_t most) {
  Documents documents;
  for_each_page(feed, {}, [&](const FeedBatch& batch) {
    for (const FeedSubject& subject : batch.subjects) {
      if (!subject.deleted) documents.push_back(document_of(subject));
      if (documents.size() > most) documents.pop_front();
    }
  });
  return documents;
}

// The vectors of the documents in a space; how many it were.
std::int64_t read_vectors(FeedStore& feed, std::string_view space_id, Documents& documents) {
  std::unordered_map<std::string_view, Document*> by_id;
  for (Document& document : documents) {
    document.vector.clear();
    by_id.emplace(document.id, &document);
  }
  for_each_page(feed, space_id, [&](FeedBatch& batch) {
    for (FeedEmbedding& e : batch.embeddings) {
      const auto document = by_id.find(e.subject_id);
      if (document != by_id.end()) document->second->vector = std::move(e.vector);
    }
  });
  return std::ranges::count_if(documents, [](const Document& each) { return !each.vector.empty(); });
}

struct Question {
  const Document* document;
  std::string text;
};

// Evenly spread over the actions that have others like them.
std::vector<Question> questions(ActionStore& actions, const Documents& documents, int most) {
  std::map<std::string_view, std::map<std::string_view, int>> groups;  // by group, by correlation
  for (const Document& document : documents) {
    if (!document.group.empty()) ++groups[document.group][document.correlation];
  }
  std::vector<const Document*> usable;
  for (const Document& document : documents) {
    const auto group = groups.find(document.group);
    if (group == groups.end()) continue;
    int others = -1;
    for (const auto& [correlation, count] : group->second) {
      const bool own = correlation == document.correlation;
      others += !own || correlation.empty() ? count : 1;
    }
    if (others > 0) usable.push_back(&document);
  }
  std::vector<Question> asked;
  const auto wanted = static_cast<std::size_t>(most);
  const std::size_t count = std::min(wanted, usable.size());
  for (std::size_t i = 0; i < count; ++i) {
    const Document& document = *usable[i * usable.size() / count];
    auto trace = actions.get(document.id);
    if (!trace) continue;
    trace->alert_name.clear();
    std::string text = situation_text(*trace);
    if (!text.empty()) asked.push_back({&document, std::move(text)});
  }
  return asked;
}

class Searcher {
 public:
  Searcher(const Documents& documents, std::string_view space_id, std::size_t dimension)
      : index_({.dimension = dimension, .parts = parts_of(space_id, dimension)}) {
    // What is asked is a situation.
    if (base_of_aspects(space_id)) weights_ = {1, 0, 0};
    std::vector<IndexRow> rows;
    for (const Document& document : documents) {
      by_id_.emplace(document.id, &document);
      by_group_[document.group].push_back(&document);
      rows.push_back({document.id, document.text, document.vector, {}, 0});
    }
    index_.put(rows);
  }

  // The mean over the questions. Without a model, by their words alone; else by vector, and words by weight.
  SearchQuality quality(std::span<const Question> asked, const EmbeddingModel* model, bool words) const {
    SearchQuality mean;
    std::vector<float> vector(model != nullptr ? model->dimension() : 0);
    for (const Question& question : asked) {
      const std::string_view text = question.text;
      if (model != nullptr) model->embed({&text, 1}, EmbeddingRole::query, vector);
      IndexQuery query;
      if (words) query.text = question.text;
      query.vector = vector;
      query.weights = weights_;
      query.exclude_id = question.document->id;
      query.limit = static_cast<int>(depth) + skipped_at_most;
      add(question, index_.search(query), mean);
    }
    const auto n = std::max(1.0, static_cast<double>(asked.size()));
    return {mean.ndcg / n, mean.recall / n, mean.mrr / n};
  }

 private:
  static double grade(const Document& asked, const Document& found) {
    if (found.group != asked.group) return 0;
    return found.success == asked.success ? 2 : 1;
  }

  static bool other(const Document& asked, const Document& found) {
    return &found != &asked && (asked.correlation.empty() || found.correlation != asked.correlation);
  }

  void add(const Question& question, const std::vector<IndexHit>& hits, SearchQuality& sum) const {
    const Document& asked = *by_id_.at(question.document->id);
    std::vector<double> gains;
    for (const IndexHit& hit : hits) {
      const Document& found = *by_id_.at(hit.id);
      if (gains.size() < depth && other(asked, found)) gains.push_back(grade(asked, found));
    }
    std::vector<double> relevant;
    for (const Document* each : by_group_.at(asked.group)) {
      if (other(asked, *each)) relevant.push_back(grade(asked, *each));
    }
    sum.recall += recall(gains, relevant.size(), depth);
    sum.mrr += reciprocal_rank(gains);
    sum.ndcg += ndcg(gains, std::move(relevant), depth);
  }

  SemanticIndex index_;
  std::vector<double> weights_;
  std::unordered_map<std::string_view, const Document*> by_id_;
  std::unordered_map<std::string_view, std::vector<const Document*>> by_group_;
};

void write(JsonWriter& writer, std::string_view name, const SearchQuality& quality) {
  writer.key(name).begin_object();
  writer.member("ndcg", quality.ndcg).member("recall", quality.recall).member("mrr", quality.mrr);
  writer.end_object();
}

}  // namespace

Evaluation evaluate(Repository& repository, std::span<const EmbeddingModel* const> models,
                    const EvaluationOptions& options) {
  Evaluation evaluation;
  Documents documents = read_documents(repository.feed(), static_cast<std::size_t>(options.documents));
  const std::vector<Question> asked = questions(repository.actions(), documents, options.queries);
  evaluation.documents = static_cast<std::int64_t>(documents.size());
  evaluation.queries = static_cast<std::int64_t>(asked.size());
  if (asked.empty()) return evaluation;
  evaluation.words = Searcher(documents, {}, 1).quality(asked, nullptr, true);
  for (const EmbeddingModel* model : models) {
    SpaceQuality& space = evaluation.spaces.emplace_back();
    space.space_id = model->space_id();
    space.vectors = read_vectors(repository.feed(), space.space_id, documents);
    const Searcher searcher(documents, space.space_id, model->dimension());
    space.vectors_alone = searcher.quality(asked, model, false);
    space.with_words = searcher.quality(asked, model, true);
  }
  return evaluation;
}

Fitness compare_spaces(Repository& repository, const EmbeddingModel* present, const EmbeddingModel& next) {
  std::vector<const EmbeddingModel*> models{&next};
  if (present != nullptr) models.push_back(present);
  const Evaluation evaluation =
      evaluate(repository, models, {.queries = compared_queries, .documents = compared_documents});
  if (evaluation.queries < enough_queries) return {true, "too little is stored to compare how well it finds"};
  const SpaceQuality& found = evaluation.spaces[0];
  // Without a model of the present space, words are what searches go by now.
  const SearchQuality before = present != nullptr ? evaluation.spaces[1].with_words : evaluation.words;
  const double alone_before = present != nullptr ? evaluation.spaces[1].vectors_alone.ndcg : 0;
  const bool acceptable = found.with_words.ndcg >= before.ndcg - tolerance &&
                          found.vectors_alone.ndcg >= alone_before - tolerance;
  return {
      acceptable,
      fmt::format(
          "nDCG@10 of {} queries {:.3f} with words and {:.3f} by vectors alone, {:.3f} and {:.3f} before",
          evaluation.queries, found.with_words.ndcg, found.vectors_alone.ndcg, before.ndcg, alone_before)};
}

std::string to_json(const Evaluation& evaluation) {
  JsonWriter writer;
  writer.begin_object();
  writer.member("documents", evaluation.documents).member("queries", evaluation.queries);
  write(writer, "words", evaluation.words);
  writer.key("spaces").begin_array();
  for (const SpaceQuality& space : evaluation.spaces) {
    writer.begin_object().member("space_id", space.space_id).member("vectors", space.vectors);
    write(writer, "vectors_alone", space.vectors_alone);
    write(writer, "with_words", space.with_words);
    writer.end_object();
  }
  writer.end_array();
  return writer.end_object().take();
}

Evaluation History::evaluate(const EvaluationOptions& options) {
  State& state = alive(state_);
  require_between("queries", options.queries, 1, 10'000);
  require_between("documents", options.documents, 2, 1'000'000);
  std::vector<std::shared_ptr<const EmbeddingModel>> models;
  if (options.spaces.empty()) {
    for (const EmbeddingSpace& space : state.repository->spaces().spaces(false)) {
      if (auto model = state.slot.model_of(space.space_id)) models.push_back(std::move(model));
    }
  }
  for (const std::string& space_id : options.spaces) models.push_back(state.required_model(space_id));
  std::vector<const EmbeddingModel*> chosen;
  for (const auto& model : models) chosen.push_back(model.get());
  return actionhist::evaluate(*state.repository, chosen, options);
}

}  // namespace actionhist
