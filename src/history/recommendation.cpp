// What worked and what did not in situations like this one.
#include "analysis/recommendation.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "analysis/verbs.hpp"
#include "core/json_fields.hpp"
#include "embedding/aspects.hpp"
#include "embedding/tokens.hpp"
#include "history/known_resource.hpp"
#include "history/state.hpp"
#include "history/subject.hpp"
#include "history/validate.hpp"

namespace actionhist {
namespace {

using namespace std::chrono_literals;

void validate(const RecommendQuery& query) {
  const bool situation = !query.text.empty() || !query.alert_name.empty() || !query.action_id.empty() ||
                         !query.resource.kind.empty() || !query.resource.name.empty();
  if (!situation) refuse("recommend", "give a text, an alert_name, a resource or an action_id");
  require_between("limit", query.limit, 1, 100);
  require_between("neighbours", query.neighbours, 1, 500);
  validate(query.resource);
}

// Only what changes something is worth recommending.
Json mutating(const Json& where) {
  const Json effect = Json::object({{"effect", "mutating"}});
  return where.absent() ? effect : Json::object({{"$and", Json::array({where, effect})}});
}

// The query with what a stored action says about its situation.
RecommendQuery completed_by(RecommendQuery query, const Trace& trace) {
  const auto fill = [](std::string& target, const std::string& known) {
    if (target.empty()) target = known;
  };
  fill(query.text, situation_text(trace));
  fill(query.alert_name, trace.alert_name);
  fill(query.alert_severity, trace.alert_severity);
  if (query.resource == Resource{}) query.resource = trace.resource;
  return query;
}

using Words = std::set<std::string, std::less<>>;

void add_words(Words& words, std::string_view text) {
  Tokenizer tokenizer(text);
  for (Token token; tokenizer.next(token);) words.emplace(token.term);
}

// The words that tell a situation from others. Severities and kinds do not: nearly every case shares them.
Words telling_words(const RecommendQuery& query) {
  Words words;
  add_words(words, query.text);
  add_words(words, query.alert_name);
  return words;
}

// The part of the telling words that were found in the hit.
double found_part(const Words& telling, const Hit& hit) {
  if (telling.empty()) return 0;
  Words found;
  for (const std::string& term : hit.explain.matched_terms) add_words(found, term);
  const auto both =
      std::ranges::count_if(found, [&](const std::string& word) { return telling.contains(word); });
  // The database looks for so many words at most.
  const auto asked =
      hit.explain.route == "text" ? std::min(telling.size(), max_fallback_words) : telling.size();
  return static_cast<double>(both) / static_cast<double>(asked);
}

// How much of what is possible above the usual.
double above(double usual, double value) {
  return usual < 1 ? std::clamp((value - usual) / (1 - usual), 0., 1.) : 0;
}

// How much each hit is like the situation, the best being 1: its words and its vector against those of the
// best. The search's own scores spread over whatever was found, so that among equals one would count nothing.
std::vector<SimilarCase> cases_of(const std::vector<Hit>& hits, const RecommendQuery& query,
                                  double usual_cosine) {
  // Questions of another world, asked of public incidents, share up to a quarter of their words with one.
  constexpr double usual_words = .12;
  const Words telling = telling_words(query);
  double best_cosine = 0;
  double best_bm25 = 0;
  double best_score = 0;
  for (const Hit& hit : hits) {
    best_cosine = std::max(best_cosine, hit.explain.similarity);
    best_bm25 = std::max(best_bm25, hit.explain.bm25);
    best_score = std::max(best_score, hit.score);
  }
  const auto share = [](double part, double best) { return best > 0 ? std::max(0., part / best) : 0; };
  std::vector<SimilarCase> cases;
  for (const Hit& hit : hits) {
    const bool indexed = best_cosine > 0 || best_bm25 > 0;
    const double legs = (best_cosine > 0) + (best_bm25 > 0);
    const double similarity =
        indexed ? (share(hit.explain.similarity, best_cosine) + share(hit.explain.bm25, best_bm25)) / legs
                : share(hit.score, best_score);
    const double likeness =
        std::max(above(usual_cosine, hit.explain.similarity), above(usual_words, found_part(telling, hit)));
    cases.push_back({&hit.trace, similarity, likeness});
  }
  std::ranges::stable_sort(cases, std::greater<>(), &SimilarCase::similarity);
  return cases;
}

std::string reason_of(const Detection& detection) {
  return fmt::format("{} is in force until {}: {} actions did not settle it",
                     to_string(detection.pattern_type), format_time(*detection.in_force_until),
                     detection.action_ids.size());
}

// Moves what a detection in force would refuse to the front of what to avoid.
void hold_back(Recommendations& out, const Detection& detection) {
  if (detection.evidence.absent()) return;
  JsonDocument document;
  simdjson::dom::array types;
  if (document.parse(detection.evidence).at_key("types").get(types) != simdjson::SUCCESS) return;
  for (JsonElement type : types) {
    std::string_view name;
    if (type.get(name) != simdjson::SUCCESS) continue;
    const auto same = [&](const Recommendation& other) { return plain_type(other.action_type) == name; };
    std::erase_if(out.avoid, same);
    const auto found = std::ranges::find_if(out.actions, same);
    Recommendation held;
    if (found != out.actions.end()) {
      held = std::move(*found);
      out.actions.erase(found);
    } else {
      held.action_type = name;
    }
    held.supported = out.supported = true;
    held.reason = reason_of(detection);
    out.avoid.insert(out.avoid.begin(), std::move(held));
  }
}

}  // namespace

std::string History::State::situation_text(const RecommendQuery& query) const {
  std::string text;
  for (const std::string* part : {&query.text, &query.alert_name, &query.alert_severity, &query.resource.kind,
                                  &query.resource.namespace_, &query.resource.name}) {
    if (part->empty() || text.find(*part) != text.npos) continue;
    if (!text.empty()) text += '\n';
    text += *part;
  }
  redactor.redact(text);
  return join_aspects({text});
}

Recommendations History::recommend(const RecommendQuery& given) {
  State& state = alive(state_);
  validate(given);
  Router::Call call(state.router, UseCase::context_recommendations);
  RecommendQuery query = given;
  if (!query.action_id.empty()) {
    const auto trace = state.repository->actions().get(query.action_id);
    if (!trace) not_stored(query.action_id);
    query = completed_by(std::move(query), *trace);
  }
  query.resource = likely_resource(*state.repository, query.resource);
  const std::string late = query.fresh ? state.behind() : std::string();

  SimilarQuery similar;
  similar.action_id = query.action_id;
  similar.limit = query.neighbours;
  similar.where = mutating(query.where);
  const std::string text = state.situation_text(query);
  Recommendations out;
  const auto index = state.slot.get();
  // What was done and how it ended says nothing about how like two situations are.
  if (index && base_of_aspects(index->space_id)) similar.weights = Aspects{.context = 1};
  const std::vector<Hit> hits = state.search(index.get(), similar, text, out.fallback);
  if (out.fallback.empty()) out.fallback = late;
  if (!out.fallback.empty()) call.fell_back();
  const double usual_cosine = index && !hits.empty() ? index->background.cosine(*index) : 0;
  const std::vector<SimilarCase> cases = cases_of(hits, query, usual_cosine);
  const std::string id = resource_id(state.repository->tenant(), query.resource);
  const auto tallies = state.repository->learning().tally({.alert_name = query.alert_name,
                                                           .namespace_ = query.resource.namespace_,
                                                           .resource_id = id,
                                                           .where = query.where});

  for (Recommendation& each : rank_actions(cases, tallies, query.explore)) {
    out.likeness = std::max(out.likeness, each.likeness);
    out.supported |= each.supported;
    (advises_against(each) ? out.avoid : out.actions).push_back(std::move(each));
  }
  std::ranges::reverse(out.avoid);
  if (!id.empty()) {
    const Scope scope{ScopeKind::resource, id};
    for (const Detection& detection : state.repository->patterns().in_force({&scope, 1}, state.now())) {
      if (!detection.shadow) hold_back(out, detection);
    }
  }
  const auto limit = static_cast<std::size_t>(query.limit);
  if (out.actions.size() > limit) out.actions.resize(limit);
  if (out.avoid.size() > limit) out.avoid.resize(limit);
  return out;
}

}  // namespace actionhist
