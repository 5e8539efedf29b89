// Past actions like this one, from the index or, without it, from the words in the database.
#include <algorithm>
#include <array>
#include <cmath>
#include <thread>

#include <fmt/format.h>

#include "core/ascii.hpp"
#include "core/json_fields.hpp"
#include "core/trace_fields.hpp"
#include "embedding/aspects.hpp"
#include "embedding/tokens.hpp"
#include "history/state.hpp"
#include "history/subject.hpp"

namespace actionhist {
namespace {

using namespace std::chrono_literals;

// Hits are looked up in the database afterwards; a few may have been deleted meanwhile. If they are more, so many
// times as many are looked for, up to what an index gives.
constexpr int spare_hits = 8;
constexpr int widening = 4;
constexpr int most_hits = 10'000;

constexpr auto for_ever = 366 * 24h;  // more might not fit into the clock

// The words of a query as they may stand in a text: the stem where it is the beginning of the word.
std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  Tokenizer tokenizer(text);
  Token token;
  while (words.size() < max_fallback_words && tokenizer.next(token)) {
    std::string word(token.word.starts_with(token.term) ? token.term : token.word);
    if (std::ranges::find(words, word) == words.end()) words.push_back(std::move(word));
  }
  return words;
}

std::array<double, aspect_count> in_order(const Aspects& aspects) {
  return {aspects.context, aspects.action, aspects.outcome};
}

// The text of an action without the aspects that count for nothing.
std::string counting_text(std::string_view text, const Aspects& weights) {
  const auto aspects = aspects_of(text);
  std::array<std::string, aspect_count> counting;
  for (std::size_t i = 0; i < aspect_count; ++i) {
    if (in_order(weights)[i] > 0) counting[i] = aspects[i];
  }
  return join_aspects(counting);
}

void validate(const SimilarQuery& query) {
  const int given = !query.text.empty() + !query.action_id.empty() + !query.vector.empty();
  if (given != 1) {
    refuse("similar", "give exactly one of text, action_id and vector");
  }
  require_between("limit", query.limit, 1, 1000);
  require_between("threshold", query.threshold, 0, 1);
  require_between("percentile", query.percentile, 0, 100);
  require_between("mmr_lambda", query.mmr_lambda, 0, 1);
  if (query.distinct && !(*query.distinct > 0 && *query.distinct <= 1))
    refuse("distinct", "must be above 0 and at most 1");
  if (query.weights) {
    const std::array<double, aspect_count> weights = in_order(*query.weights);
    const bool right = std::ranges::all_of(weights, [](double x) { return x >= 0 && std::isfinite(x); });
    if (!right || std::ranges::max(weights) == 0)
      refuse("weights", "must be at least 0 each, and one of them above");
  }
}

// Why words answer, with what the query asks for and they cannot tell: `indexed` says whether the hits have
// vectors and only the query has none.
std::string words_alone(const std::string& why, const SimilarQuery& query, bool indexed) {
  std::vector<std::string_view> left_out;
  if (query.percentile) left_out.push_back("percentile");
  if (query.weights) left_out.push_back("weights");
  if (query.mmr_lambda && !indexed) left_out.push_back("mmr_lambda");
  if (query.distinct && !indexed) left_out.push_back("distinct");
  if (left_out.empty()) return why;
  return fmt::format("{}; without {}, which needs vectors", why, fmt::join(left_out, ", "));
}

}  // namespace

std::vector<Hit> History::State::search_index(const Index& index, const SimilarQuery& query,
                                              const std::string& text) const {
  std::vector<float> vector = query.vector;
  std::string fallback;
  if (vector.empty() && !query.action_id.empty()) {
    if (auto kept = index.replica->vector_of(query.action_id, content_hash_of(text)))
      vector = std::move(*kept);
  }
  if (vector.empty() && !index.model) fallback = "this process has no model of the tenant's space";
  if (vector.empty() && index.model) {
    try {
      vector = index.embed(text, query.action_id.empty() ? EmbeddingRole::query : EmbeddingRole::document);
    } catch (const Error& error) {
      // While a server with a model is away, words still find what they name.
      if (error.code() != ErrorCode::unavailable && error.code() != ErrorCode::timeout) throw;
      fallback = error.what();
    }
  }
  IndexQuery wanted;
  if (query.weights) {
    if (!base_of_aspects(index.space_id)) {
      refuse("weights", fmt::format("the space \"{}\" has one vector for all aspects of an action; switch to "
                                    "one of by_aspect() (\"aspects:\" before a model)",
                                    index.space_id));
    }
    const auto weights = in_order(*query.weights);
    wanted.weights.assign(weights.begin(), weights.end());
  }
  wanted.text = query.weights && !query.action_id.empty() ? counting_text(text, *query.weights) : text;
  wanted.vector = vector;
  wanted.where = resolve_where(query.where);
  wanted.exclude_id = query.action_id;
  wanted.limit = query.limit + spare_hits;
  wanted.threshold = query.threshold;
  wanted.mmr_lambda = query.mmr_lambda;
  wanted.distinct = query.distinct;
  if (!vector.empty()) {
    wanted.percentile = query.percentile;
  } else {
    fallback = words_alone(fallback, query, true);
  }
  for (;; wanted.limit = std::min(widening * wanted.limit, most_hits)) {
    std::vector<IndexHit> nearest = index.replica->index().search(wanted);
    const bool all = nearest.size() < static_cast<std::size_t>(wanted.limit) || wanted.limit == most_hits;
    std::vector<Hit> hits = stored_hits(index, std::move(nearest), query.limit, fallback);
    if (all || hits.size() == static_cast<std::size_t>(query.limit)) return hits;
  }
}

std::vector<Hit> History::State::stored_hits(const Index& index, std::vector<IndexHit> nearest, int most,
                                             const std::string& fallback) const {
  std::vector<Hit> hits;
  const auto limit = static_cast<std::size_t>(most);
  auto found = nearest.begin();
  for (auto next = found; next != nearest.end() && hits.size() < limit;) {
    // Again for those that were deleted meanwhile.
    std::vector<std::string> ids;
    for (; next != nearest.end() && hits.size() + ids.size() < limit; ++next) ids.push_back(next->id);
    for (Trace& trace : repository->actions().get(ids)) {
      while (found->id != trace.action_id) ++found;
      Hit& hit = hits.emplace_back();
      hit.trace = std::move(trace);
      hit.score = found->score;
      hit.explain = {"index",
                     fallback,
                     found->similarity,
                     found->bm25,
                     std::move(found->matched_terms),
                     index.space_id,
                     index.replica->seq(),
                     index.replica->feed_seq(),
                     {}};
      if (found->parts.size() == aspect_count)
        hit.explain.aspects = Aspects{found->parts[0], found->parts[1], found->parts[2]};
    }
  }
  return hits;
}

std::vector<Hit> History::State::search_database(const SimilarQuery& query, const std::string& text,
                                                 const std::string& trouble) const {
  const std::vector<std::string> words = words_of(text);
  const std::string fallback = words_alone(trouble, query, false);
  std::vector<Hit> hits;
  for (Trace& trace : repository->actions().search_text(words, query.where, query.limit + 1)) {
    if (trace.action_id == query.action_id) continue;
    Hit& hit = hits.emplace_back();
    hit.trace = std::move(trace);
    const std::string searched = ascii_lower(subject_text(hit.trace) + ' ' + hit.trace.resource.name);
    for (const std::string& word : words) {
      if (searched.find(word) != searched.npos) hit.explain.matched_terms.push_back(word);
    }
    hit.score = static_cast<double>(hit.explain.matched_terms.size()) / static_cast<double>(words.size());
    hit.explain.route = "text";
    hit.explain.fallback = fallback;
  }
  std::erase_if(hits, [&](const Hit& hit) { return query.threshold && hit.score < *query.threshold; });
  if (hits.size() > static_cast<std::size_t>(query.limit)) hits.resize(static_cast<std::size_t>(query.limit));
  return hits;
}

std::vector<Hit> History::State::search(const Index* index, const SimilarQuery& query,
                                        const std::string& text, std::string& trouble) const {
  trouble = index_trouble(index);
  if (trouble.empty()) {
    const std::int64_t rebuilds = index->replica->rebuilds();
    std::vector<Hit> hits = search_index(*index, query, text);
    // One that was emptied meanwhile has answered with what was left of it.
    if (index->replica->rebuilds() == rebuilds) return hits;
    trouble = "the index is being built anew";
  }
  if (!query.vector.empty())
    throw Error(ErrorCode::unavailable, "similar: a vector needs the index, but " + trouble);
  return search_database(query, text, trouble);
}

std::vector<Hit> History::similar(const SimilarQuery& query) {
  State& state = alive(state_);
  validate(query);
  Router::Call call(state.router,
                    query.text.empty() ? UseCase::similar_actions : UseCase::natural_language_search);
  std::string text = query.text;
  if (!query.action_id.empty()) {
    const auto trace = state.repository->actions().get(query.action_id);
    if (!trace) not_stored(query.action_id);
    text = subject_text(*trace);
  }
  state.redactor.redact(text);
  const std::string late = query.fresh ? state.behind() : std::string();

  const auto index = state.slot.get();
  std::string trouble;
  std::vector<Hit> hits = state.search(index.get(), query, text, trouble);
  for (Hit& hit : hits) {
    if (hit.explain.fallback.empty()) hit.explain.fallback = late;
  }
  if (!trouble.empty()) call.fell_back();
  return hits;
}

std::string History::State::behind() {
  const auto index = slot.get();
  if (!index) return {};
  std::string trouble;
  const auto well = [&] { return (trouble = index->sync->error()).empty(); };
  if (wait_indexed(30s, well)) return {};
  return trouble.empty() ? "the index did not catch up within 30 seconds"
                         : "the index does not catch up: " + trouble;
}

bool History::State::wait_indexed(std::chrono::milliseconds timeout, const std::function<bool()>& go_on) {
  const auto deadline =
      std::chrono::steady_clock::now() + std::min<std::chrono::milliseconds>(timeout, for_ever);
  // Rows leave the queue by the times that their writers gave them. So what is in it now has left once all others
  // are later than the latest of these; what the clock says here does not matter.
  std::optional<TimePoint> last;
  std::optional<std::int64_t> wanted;  // the feed's number by then
  auto pause = 1ms;
  for (bool first = true;; first = false) {
    const FeedHead head = repository->feed().head();
    if (first) last = head.newest_queued_at;
    const bool left = !last || !head.oldest_queued_at || *head.oldest_queued_at > *last;
    // A feed that was restored meanwhile counts from a lower number.
    if (left || wanted) wanted = std::min(wanted.value_or(head.seq), head.seq);
    const auto index = slot.get();
    if (wanted && index->replica->caught_up() && index->replica->seq() >= *wanted) return true;
    if (std::chrono::steady_clock::now() >= deadline) return false;
    if (!go_on()) return false;
    index->sync->wake(true);
    std::this_thread::sleep_for(pause);
    pause = std::min(20ms, pause * 2);
  }
}

bool History::wait_indexed(std::chrono::milliseconds timeout, const std::function<void()>& meanwhile) {
  State& state = alive(state_);
  if (!state.slot.get()) throw Error(ErrorCode::unsupported, "wait_indexed: the semantic layer is off");
  return state.wait_indexed(timeout, [&] {
    if (meanwhile) meanwhile();
    return true;
  });
}
}  // namespace actionhist
