#include "history/redaction.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <re2/re2.h>

#include "core/json_io.hpp"
#include "core/names.hpp"
#include "core/refuse.hpp"
#include "core/trace_fields.hpp"
#include "history/secret_key.hpp"
#include "history/secret_manifest.hpp"
#include "history/secret_text.hpp"
#include "history/validate.hpp"

namespace actionhist {
namespace {

constexpr const char* redacted_mark = "[redacted]";

// Where a Secret of Kubernetes keeps them; nothing else has `stringData`.
bool secret_data(std::string_view key) { return key == "data" || key == "stringData"; }
bool secret_data_at(std::string_view pointer) {
  return pointer.starts_with('/') && secret_data(pointer.substr(1, pointer.find('/', 1) - 1));
}

// The text of a member, empty if it has none.
std::string_view text_in(simdjson::dom::object object, std::string_view key) {
  std::string_view text;
  if (object[key].get(text) != simdjson::SUCCESS) return {};
  return text;
}

// Whether the object is the setting of a secret, as the variable of a container is: by a name beside its value, or by the
// place of a JSON patch.
bool names_secret(simdjson::dom::object object) {
  const std::string_view path = text_in(object, "path");
  if (path.starts_with('/') &&
      (secret_key(path.substr(path.rfind('/') + 1)) || path.starts_with("/stringData")))
    return true;
  for (const char* key : {"name", "key", "Name", "Key"}) {
    if (secret_key(text_in(object, key))) return true;
  }
  return false;
}

// A volume or a projection, which names where a secret is.
bool only_refers(std::string_view key, JsonElement value) {
  const std::string name = plain(key);
  if (!value.is_object() || !(name.ends_with("secret") || name.ends_with("token"))) return false;
  const simdjson::dom::object object(value);
  return std::ranges::all_of(object, [](const auto& member) { return refers_to_secret(member.key); });
}

std::string_view text_of(simdjson::simdjson_result<JsonElement> item) {
  std::string_view text;
  return item.get(text) == simdjson::SUCCESS ? text : std::string_view{};
}

// What `sshpass` and `docker login` take after -p.
bool takes_password(simdjson::dom::array command) {
  return text_of(command.at(0)).ends_with("sshpass") || text_of(command.at(1)) == "login";
}

bool of_header(std::string_view name) {
  static const RE2 header("(?i)(?:proxy-)?authorization|(?:set-)?cookie|x-.*");
  return RE2::FullMatch({name.data(), name.size()}, header);
}

std::unique_ptr<RE2> compile(const std::string& pattern, std::string_view field) {
  auto expression = std::make_unique<RE2>(pattern, RE2::Quiet);
  if (!expression->ok()) refuse(field, expression->error());
  return expression;
}

}  // namespace

struct Redactor::Rules final : JsonCensor {
  struct Rule {
    std::unique_ptr<RE2> pattern;
    std::string replacement;
  };
  std::vector<Rule> rules;  // those of the library first
  // All patterns at once: most text holds no secret, and one look says so.
  std::unique_ptr<RE2> any;

  std::optional<std::string> replaced(std::string_view text) const override {
    return replaced(text, *this, false);
  }

  // `censor` is what a document in the text goes through. `of_secret`: the text is about a Secret.
  std::optional<std::string> replaced(std::string_view text, const JsonCensor& censor, bool of_secret) const {
    if (auto document = without_secrets(text, censor)) {
      // Rules of one's own may be about more than one value.
      for (std::size_t i = secret_rules().size(); i < rules.size(); ++i)
        RE2::GlobalReplace(&*document, *rules[i].pattern, rules[i].replacement);
      return document;
    }
    std::optional<std::string> kept = without_secret_data(text, redacted_mark, of_secret);
    if (kept) text = *kept;
    if (!RE2::PartialMatch({text.data(), text.size()}, *any)) return kept;
    std::string changed(text);
    for (const Rule& rule : rules) RE2::GlobalReplace(&changed, *rule.pattern, rule.replacement);
    return changed;
  }

  bool hides(simdjson::dom::object object, std::string_view key, JsonElement value) const override {
    if (secret_key(key)) return !only_refers(key, value);
    if (key == "value" || key == "Value") return names_secret(object);
    // A Secret itself, and a list of them.
    if (secret_data(key)) return key == "stringData" || text_in(object, "kind") == "Secret";
    return key == "items" && text_in(object, "kind") == "SecretList";
  }

  bool hides_item(simdjson::dom::array array, std::string_view before, JsonElement item) const override {
    if (before.starts_with('-')) {
      // The option of a command, unless another one follows.
      if (item.is_string() && std::string_view(item).starts_with('-')) return false;
      if (before == "-p") return takes_password(array);
      const auto name = before.find_first_not_of('-');
      return name != before.npos && secret_key(before.substr(name));
    }
    // Two words that end like secrets are more often names of something.
    return array.size() == 2 && (before == "password" || (of_header(before) && secret_key(before)));
  }

  std::string_view mark() const override { return redacted_mark; }
};

// Passes everything on, and notes whether something was taken out.
struct Redactor::Noting final : JsonCensor {
  explicit Noting(const JsonCensor& all) : censor(all) {}

  std::optional<std::string> replaced(std::string_view text) const override {
    auto kept = censor.replaced(text);
    changed |= kept.has_value();
    return kept;
  }
  bool hides(simdjson::dom::object object, std::string_view key, JsonElement value) const override {
    return noted(censor.hides(object, key, value));
  }
  bool hides_item(simdjson::dom::array array, std::string_view before, JsonElement item) const override {
    return noted(censor.hides_item(array, before, item));
  }
  std::string_view mark() const override { return censor.mark(); }

  bool noted(bool hidden) const {
    changed |= hidden;
    return hidden;
  }

  const JsonCensor& censor;
  mutable bool changed = false;
};

// What is done to a Secret need not name its kind again.
struct Redactor::RulesOfSecret final : JsonCensor {
  explicit RulesOfSecret(const Rules& all) : rules(all) {}

  std::optional<std::string> replaced(std::string_view text) const override {
    return rules.replaced(text, *this, true);
  }
  bool hides_item(simdjson::dom::array array, std::string_view before, JsonElement item) const override {
    return rules.hides_item(array, before, item);
  }
  bool hides(simdjson::dom::object object, std::string_view key, JsonElement value) const override {
    if (secret_data(key) || (key == "value" && secret_data_at(text_in(object, "path")))) return true;
    return rules.hides(object, key, value);
  }
  std::string_view mark() const override { return rules.mark(); }

  const Rules& rules;
};

// A document in a text, such as the annotation that holds the whole Secret as it was applied; nothing if it is none or
// holds no secret.
std::optional<std::string> Redactor::without_secrets(std::string_view text, const JsonCensor& censor) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == text.npos || (text[first] != '{' && text[first] != '[')) return std::nullopt;
  try {
    const Noting noting(censor);
    JsonDocument document;
    std::string kept = canonical(document.parse(text, "text"), "text", &noting);
    if (!noting.changed) return std::nullopt;
    return kept;
  } catch (const Error&) {
    return std::nullopt;  // it only begins like one
  }
}

Redactor::Redactor(const std::vector<std::string>& own_rules) {
  auto rules = std::make_unique<Rules>();
  std::string any;
  const auto add = [&](const std::string& pattern, const std::string& replacement, std::string_view field) {
    rules->rules.push_back({compile(pattern, field), replacement});
    any += (any.empty() ? "(?:" : "|(?:") + pattern + ")";
  };
  for (const SecretRule& rule : secret_rules()) add(rule.pattern, rule.replacement, "redact");
  for (std::size_t i = 0; i < own_rules.size(); ++i) {
    const std::string field = fmt::format("redact[{}]", i);
    add(own_rules[i], redacted_mark, field);
    if (RE2::PartialMatch("", *rules->rules.back().pattern))
      refuse(field, "matches nothing at all, which is everywhere");
  }
  rules->any = compile(any, "redact");
  rules_ = std::move(rules);
}

Redactor::~Redactor() = default;
Redactor::Redactor(Redactor&&) noexcept = default;

bool Redactor::redact(std::string& text) const {
  auto kept = rules_->replaced(text);
  if (!kept) return false;
  text = std::move(*kept);
  return true;
}

bool Redactor::redact(Json& json, std::string_view field) const { return redact(json, field, *rules_); }

bool Redactor::redact(Json& json, std::string_view field, const JsonCensor& censor) const {
  if (json.absent()) return false;
  Json kept = Json::from_canonical(canonical(json.text(), field, &censor));
  if (kept == json) return false;
  json = std::move(kept);
  return true;
}

template <class Visit>
bool Redactor::redact_of(const Resource& resource, const Visit& visit) const {
  const RulesOfSecret of_secret(*rules_);
  const bool secret = normalized(resource).kind == "Secret";
  const JsonCensor& censor = secret ? static_cast<const JsonCensor&>(of_secret) : *rules_;
  bool changed = false;
  visit([&](std::string_view field, auto& member) {
    using Member = std::remove_cvref_t<decltype(member)>;
    if constexpr (std::is_same_v<Member, Json>) changed |= redact(member, field, censor);
    // Ids are names that others refer to; changing one would break the reference.
    if constexpr (std::is_same_v<Member, std::string>) {
      if (field.ends_with("_id") || !redact(member)) return;
      changed = true;
      // What stands for a secret may be longer than it; that is no reason to lose the rest.
      member.resize(excerpt(member, limit_of(field)).size());
    }
  });
  return changed;
}

bool Redactor::redact(Action& action) const {
  return redact_of(action.resource, [&](const auto& each) {
    visit_cause(action, each);
    visit_outcome(action.outcome, each);
  });
}

bool Redactor::redact(Outcome& outcome, const Resource& resource) const {
  return redact_of(resource, [&](const auto& each) { visit_outcome(outcome, each); });
}

bool Redactor::redact(Alert& alert) const {
  bool changed = redact(alert.labels, "labels");
  for (std::string* text : {&alert.name, &alert.severity, &alert.fingerprint}) changed |= redact(*text);
  return changed;
}

}  // namespace actionhist
