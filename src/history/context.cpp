// What a language model should know before it acts: what stands against it, what worked, what happened.
#include <actionhist/context.hpp>

#include <algorithm>
#include <array>
#include <cassert>
#include <map>

#include <fmt/format.h>

#include "analysis/recommendation.hpp"
#include "analysis/verbs.hpp"
#include "core/json_fields.hpp"
#include "core/names.hpp"
#include "core/printable.hpp"
#include "core/resource_json.hpp"
#include "history/known_resource.hpp"
#include "history/state.hpp"
#include "history/validate.hpp"

namespace actionhist {
namespace {

using namespace std::chrono_literals;

constexpr auto recent_span = 24h;
constexpr auto older_span = 24h * 90;
constexpr int most_of_scope = 1000;
constexpr int most_suggestions = 3;
constexpr std::int64_t warn_from = 3;  // tries without a success
constexpr double success = .6;
constexpr std::size_t bytes_per_token = 3;
constexpr std::size_t most_bytes_of_text = 200;  // of an error or parameters inside a sentence

// Sections in the order in which they are worth their tokens.
enum Section { in_force, warnings, worked, avoid, recent, older };
constexpr std::array<std::pair<std::string_view, std::string_view>, 6> titles{{
    {"in_force", "The guard refuses now"},
    {"warnings", "Warnings"},
    {"worked", "What worked in situations like this"},
    {"avoid", "What to avoid"},
    {"recent", "The last 24 hours, newest first"},
    {"older", "The 90 days before"},
}};

std::int64_t tokens_of(std::size_t bytes) {
  return static_cast<std::int64_t>((bytes + bytes_per_token - 1) / bytes_per_token);
}

std::string cut(std::string_view text) {
  const std::string_view begin = excerpt(text, most_bytes_of_text);
  return fmt::format("{}{}", begin, begin.size() < text.size() ? "…" : "");
}

using Sections = std::array<std::vector<std::string>, titles.size()>;

std::string as_text(const Sections& sections) {
  std::string text;
  for (std::size_t i = 0; i < sections.size(); ++i) {
    if (sections[i].empty()) continue;
    text += fmt::format("{}{}:\n", text.empty() ? "" : "\n", titles[i].second);
    for (const std::string& sentence : sections[i]) text += fmt::format("- {}\n", sentence);
  }
  return text;
}

std::string as_json(const Sections& sections) {
  JsonWriter writer;
  writer.begin_object();
  FieldWriter put(writer);
  for (std::size_t i = 0; i < sections.size(); ++i) put(titles[i].first, sections[i]);
  return writer.end_object().take();
}

// The bytes of kept sections as as_text() or as_json() writes them, known without writing them again for each sentence.
class Length {
 public:
  explicit Length(bool json) : json_(json), empty_(json ? 2 : 0), bytes_(empty_) {}

  std::size_t bytes() const { return bytes_; }

  // What one more sentence at the end takes, the `first` of its section or a later one.
  std::size_t of(std::size_t section, bool first, const std::string& sentence) const {
    const bool opened = bytes_ > empty_;
    if (!json_) return (first ? opened + titles[section].second.size() + 2 : 0) + sentence.size() + 3;
    JsonWriter writer;
    const std::size_t quoted = writer.value(sentence).take().size();
    return (first ? opened + titles[section].first.size() + 5 : 1) + quoted;
  }
  void add(std::size_t bytes) { bytes_ += bytes; }

 private:
  bool json_;
  std::size_t empty_;
  std::size_t bytes_;
};

// The sentences that fit, the first of each section before later ones of sections behind it.
Context fitted(const Sections& all, const ContextQuery& query) {
  Context context;
  Sections kept;
  Length length(query.json);
  bool full = false;
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (const std::string& said : all[i]) {
      // A name that holds a line break must not look like a sentence of ours.
      const std::string sentence = printable(said);
      const std::size_t more = full ? 0 : length.of(i, kept[i].empty(), sentence);
      if (!full && tokens_of(length.bytes() + more) <= query.budget_tokens) {
        kept[i].push_back(sentence);
        length.add(more);
        continue;
      }
      ++context.omitted;
      // Within a section nothing is skipped, so that the newest are the ones that are there.
      full = i >= recent;
    }
  }
  context.content = query.json ? as_json(kept) : as_text(kept);
  assert(context.content.size() == length.bytes());
  context.tokens = tokens_of(context.content.size());
  return context;
}

std::string second_of(TimePoint time) { return format_time(std::chrono::floor<std::chrono::seconds>(time)); }

std::string sentence_of(const Trace& trace) {
  std::string text = fmt::format("{} {}", second_of(trace.time()), trace.action_type);
  const auto add = [&text](std::string_view before, std::string_view what) {
    text.append(before).append(what);
  };
  if (!trace.action_parameters.absent()) add(" ", cut(trace.action_parameters.text()));
  if (trace.resource != Resource{}) add(" on ", to_string(trace.resource));
  if (!trace.alert_name.empty()) add(" for ", trace.alert_name);
  text += fmt::format(": {}", to_string(trace.outcome.status));
  if (const auto& score = trace.outcome.effectiveness_score)
    text += fmt::format(", effectiveness {:.2f}", *score);
  if (!trace.outcome.execution_error.empty()) add(", error: ", cut(trace.outcome.execution_error));
  return text;
}

struct Tries {
  std::string name;
  std::int64_t count = 0;
  std::int64_t known = 0;
  std::int64_t succeeded = 0;
  double sum = 0;
  TimePoint first{};
  TimePoint last{};

  void add(const Trace& trace) {
    if (count++ == 0) last = trace.time();  // the newest comes first
    first = trace.time();
    if (name.empty()) name = trace.action_type;
    if (const auto outcome = outcome_of(trace)) {
      ++known;
      sum += *outcome;
      succeeded += *outcome >= success;
    }
  }
};

using ByType = std::map<std::string, Tries>;

void add_warnings(Sections& sections, const ByType& tries, std::span<const Trace> traces,
                  const ContextQuery& query) {
  for (const auto& [type, each] : tries) {
    if (each.known < warn_from || each.succeeded > 0) continue;
    sections[warnings].push_back(fmt::format("{} was tried {} times since {} and never resolved it",
                                             each.name, each.known, second_of(each.first)));
  }
  if (query.spec_hash.empty()) return;
  for (const Trace& trace : traces) {
    const std::string when = second_of(trace.time());
    if (!trace.outcome.post_spec_hash.empty() && trace.outcome.post_spec_hash == query.spec_hash) {
      sections[warnings].push_back(
          fmt::format("the change by {} of {} is still in place", trace.action_type, when));
      return;
    }
    if (!trace.pre_spec_hash.empty() && trace.pre_spec_hash == query.spec_hash) {
      sections[warnings].push_back(
          fmt::format("regression: the spec is again as it was before {} of {}", trace.action_type, when));
      return;
    }
  }
}

void add_summary(Sections& sections, const ByType& tries) {
  std::vector<const Tries*> order;
  for (const auto& [type, each] : tries) order.push_back(&each);
  std::ranges::stable_sort(order, [](const Tries* a, const Tries* b) { return a->count > b->count; });
  for (const Tries* each : order) {
    std::string text =
        fmt::format("{}: {} times, last on {}", each->name, each->count, second_of(each->last));
    text += each->known > 0 ? fmt::format(", mean effectiveness {:.2f} of {} known outcomes",
                                          each->sum / static_cast<double>(each->known), each->known)
                            : std::string(", no outcome known");
    sections[older].push_back(std::move(text));
  }
}

void validate(const ContextQuery& query) {
  const bool situation = !query.text.empty() || !query.alert_name.empty() || !query.resource.kind.empty() ||
                         !query.resource.name.empty();
  if (!situation) {
    refuse("context", "give a text, an alert_name or a resource");
  }
  require_between("budget_tokens", query.budget_tokens, 50, 1'000'000);
}

// Actions of the same resource where it is known, else of the same alert, the newest first.
std::vector<Trace> traces_of(Repository& repository, const std::string& resource_id,
                             const ContextQuery& query, TimePoint now) {
  if (!resource_id.empty()) {
    const Scope scope{ScopeKind::resource, resource_id};
    std::vector<Trace> traces = repository.actions().recent(scope, now - older_span, now, most_of_scope);
    std::ranges::reverse(traces);
    return traces;
  }
  if (query.alert_name.empty()) return {};
  ActionQuery wanted;
  wanted.since = now - older_span;
  wanted.until = now + 1us;
  wanted.limit = most_of_scope;
  wanted.where = Json::object({{"alert_name", query.alert_name}});
  return repository.actions().find(wanted).traces;
}

void add_in_force(Sections& sections, Repository& repository, const std::string& resource_id, TimePoint now) {
  if (resource_id.empty()) return;
  const Scope scope{ScopeKind::resource, resource_id};
  for (const Detection& detection : repository.patterns().in_force({&scope, 1}, now)) {
    if (detection.shadow) continue;
    sections[in_force].push_back(
        fmt::format("{} until {}: {} actions, confidence {:.2f}", to_string(detection.pattern_type),
                    second_of(*detection.in_force_until), detection.action_ids.size(), detection.confidence));
  }
}

// What was done, one by one of the last day and summed up of the days before, and what of it needs a warning.
void add_actions(Sections& sections, std::span<const Trace> traces, const ContextQuery& query,
                 TimePoint now) {
  ByType all;
  ByType before;
  for (const Trace& trace : traces) {
    const bool new_one = trace.time() > now - recent_span;
    if (new_one) sections[recent].push_back(sentence_of(trace));
    if (trace.effect.value_or(effect_of(trace.action_type)) == Effect::read_only) continue;
    const std::string type = plain_type(trace.action_type);
    if (query.alert_name.empty() || trace.alert_name == query.alert_name) all[type].add(trace);
    if (!new_one) before[type].add(trace);
  }
  add_warnings(sections, all, traces, query);
  add_summary(sections, before);
}

void add_recommendations(Sections& sections, const Recommendations& found) {
  if (!found.supported && !found.actions.empty()) {
    sections[worked].emplace_back(
        "no case like this is known, so what worked elsewhere says nothing about it");
  }
  for (const Recommendation& each : found.actions) {
    if (!advises_for(each)) continue;
    std::string text = fmt::format("{}: {}", each.action_type, each.reason);
    if (!each.action_parameters.absent()) text += "; then with " + cut(each.action_parameters.text());
    sections[worked].push_back(std::move(text));
  }
  for (const Recommendation& each : found.avoid) {
    if (!each.supported) continue;
    sections[avoid].push_back(fmt::format("{}: {}", each.action_type, each.reason));
  }
}

}  // namespace

Context History::context(const ContextQuery& query) {
  State& state = alive(state_);
  validate(query);
  const TimePoint now = state.now();
  Repository& repository = *state.repository;
  const std::string id = resource_id(repository.tenant(), likely_resource(repository, query.resource));
  Sections sections;
  add_in_force(sections, repository, id, now);
  add_actions(sections, traces_of(repository, id, query, now), query, now);

  RecommendQuery similar;
  similar.text = query.text;
  similar.alert_name = query.alert_name;
  similar.resource = query.resource;
  similar.limit = most_suggestions;
  add_recommendations(sections, recommend(similar));
  return fitted(sections, query);
}

std::string to_json(const Context& context) {
  JsonWriter writer;
  writer.begin_object();
  FieldWriter put(writer);
  put("content", std::string_view(context.content));
  put("tokens", context.tokens);
  put("omitted", context.omitted);
  return writer.end_object().take();
}

ContextQuery parse_context_query(std::string_view json) {
  JsonDocument document;
  FieldReader reader(document.parse(json, "context"), "context");
  ContextQuery query;
  reader("text", query.text);
  reader("alert_name", query.alert_name);
  query.resource = read_resource(reader);
  reader("spec_hash", query.spec_hash);
  reader("budget_tokens", query.budget_tokens);
  reader("json", query.json);
  reader.expect_done();
  return query;
}

}  // namespace actionhist
