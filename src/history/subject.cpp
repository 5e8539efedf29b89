#include "history/subject.hpp"

#include <algorithm>

#include "core/hash.hpp"
#include "core/json_io.hpp"
#include "core/trace_fields.hpp"
#include "embedding/aspects.hpp"

namespace actionhist {
namespace {

class Text {
 public:
  void add(std::string_view part) {
    if (part.empty()) return;
    if (!text_.empty()) text_ += '\n';
    text_ += part;
  }

  // The leaves of a JSON value, each behind its key.
  void add_leaves(const Json& json) {
    if (json.absent()) return;
    JsonDocument document;
    add_leaves({}, document.parse(json));
  }

  // One member of an object, without its key.
  void add_member(const Json& json, std::string_view key) {
    if (json.absent()) return;
    JsonDocument document;
    std::string_view value;
    if (document.parse(json).at_key(key).get(value) == simdjson::SUCCESS) add(value);
  }

  // The values of an object, without their keys.
  void add_values(const Json& json) {
    if (json.absent()) return;
    JsonDocument document;
    for (auto [key, value] : simdjson::dom::object(document.parse(json))) add_leaves({}, value);
  }

  std::string take() { return std::move(text_); }

 private:
  void add_leaves(std::string_view key, JsonElement element) {
    if (element.is_object()) {
      for (auto [name, value] : simdjson::dom::object(element)) add_leaves(name, value);
    } else if (element.is_array()) {
      for (JsonElement item : simdjson::dom::array(element)) add_leaves(key, item);
    } else {
      std::string line(key);
      if (!line.empty()) line += ' ';
      line += element.is_string() ? std::string_view(element) : std::string_view(simdjson::minify(element));
      add(line);
    }
  }

  std::string text_;
};

}  // namespace

std::string situation_text(const Trace& trace) {
  Text text;
  text.add(trace.alert_name);
  text.add_values(trace.alert_annotations);
  text.add(trace.resource.kind);
  text.add(trace.model_reasoning);
  text.add_member(trace.metadata, "root_cause");
  return text.take();
}

std::string subject_text(const Trace& trace) {
  Text action;
  action.add(trace.action_type);
  action.add_leaves(trace.action_parameters);
  Text outcome;
  outcome.add(trace.outcome.execution_error);
  outcome.add(trace.outcome.effectiveness_notes);
  return join_aspects({situation_text(trace), action.take(), outcome.take()});
}

std::string content_hash_of(std::string_view text) { return sha256_hex(text).substr(0, 32); }

FeedSubject subject_of(const Trace& trace) {
  FeedSubject subject;
  subject.subject_id = trace.action_id;
  subject.text = subject_text(trace);
  subject.fields = filter_fields(trace);
  subject.content_hash = content_hash_of(subject.text);
  return subject;
}

SubjectSource subject_source(Repository& repository) {
  return [&repository](std::span<const std::string> ids) {
    // In parts, because an action may be a megabyte long.
    constexpr std::size_t at_once = 64;
    std::vector<FeedSubject> subjects;
    for (; !ids.empty(); ids = ids.subspan(std::min(at_once, ids.size()))) {
      const auto part = ids.first(std::min(at_once, ids.size()));
      for (const Trace& trace : repository.actions().get(part)) subjects.push_back(subject_of(trace));
    }
    return subjects;
  };
}

}  // namespace actionhist
