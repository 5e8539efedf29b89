#include "history/redaction.hpp"

#include <algorithm>
#include <array>
#include <span>

#include <fmt/format.h>
#include <re2/re2.h>

#include "core/json_io.hpp"
#include "core/refuse.hpp"
#include "core/trace_fields.hpp"

namespace actionhist {
namespace {

constexpr const char* redacted_mark = "[redacted]";

struct BuiltInRule {
  const char* pattern;
  const char* replacement;
};

constexpr std::array<BuiltInRule, 9> built_in_rules{{
    {R"(-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|\z))", "[redacted]"},
    {R"(\b(?:AKIA|ASIA)[0-9A-Z]{16}\b)", "[redacted]"},
    {R"(\b(?:gh[pousr]_|github_pat_|glpat-|xox[abeoprs]-|sk-|hvs\.)[0-9A-Za-z_\-]{16,})", "[redacted]"},
    {R"(\bAIza[0-9A-Za-z_\-]{35}\b)", "[redacted]"},
    {R"(\beyJ[0-9A-Za-z_\-]{8,}\.[0-9A-Za-z_\-]{8,}\.[0-9A-Za-z_\-]*)", "[redacted]"},
    {R"((?i)\b(bearer|basic)\s+[0-9a-z+/_.~\-]{12,}=*)", R"(\1 [redacted])"},
    // The name and password between scheme and host.
    {R"(\b([a-zA-Z][a-zA-Z0-9+.\-]*://)[^\s/@:]*:[^\s/@]+@)", R"(\1[redacted]@)"},
    {R"((?i)\b((?:[a-z0-9]+[_\-])*(?:password|passwd|pwd|passphrase|secret|token|api[_\-]?key|access[_\-]?key|secret[_\-]?key|client[_\-]?secret)["']?\s*[=:]\s*)(?:"[^"\s]{3,}"|'[^'\s]{3,}'|[^\s"',;}&]{3,}))",
     R"(\1[redacted])"},
    {R"((?i)(\s--?(?:password|passwd|token|secret|api-key)[ =])\S+)", R"(\1[redacted])"},
}};

// How keys end whose value is a secret whatever it looks like, without case and separators: DB_PASSWORD, X-Api-Key,
// githubToken. A Secret of Kubernetes has a name, which is none: "imagePullSecret" is kept, "client_secret" is not.
constexpr std::array<std::string_view, 25> secret_endings{
    "password",      "passwd",        "passphrase",    "token",         "authorization",
    "credential",    "credentials",   "cookie",        "apikey",        "accesskey",
    "secretkey",     "privatekey",    "encryptionkey", "signingkey",    "masterkey",
    "accountkey",    "clientsecret",  "appsecret",     "apisecret",     "sharedsecret",
    "webhooksecret", "signingsecret", "jwtsecret",     "sessionsecret", "connectionstring"};

// Where a list goes on, which is no secret.
constexpr std::array<std::string_view, 3> harmless_endings{"nexttoken", "pagetoken", "continuationtoken"};

bool ends_with_any(std::string_view text, std::span<const std::string_view> endings) {
  return std::ranges::any_of(endings, [text](std::string_view ending) { return text.ends_with(ending); });
}

// A key in small letters, without what separates its words.
std::string plain(std::string_view key) {
  std::string letters;
  for (const char c : key) {
    if (c == '-' || c == '_' || c == '.') continue;
    letters += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return letters;
}

bool secret_key(std::string_view plain_key) {
  if (plain_key == "secret" || plain_key == "pwd") return true;
  return ends_with_any(plain_key, secret_endings) && !ends_with_any(plain_key, harmless_endings);
}

// The text of a member, empty if it has none.
std::string_view text_in(simdjson::dom::object object, std::string_view key) {
  std::string_view text;
  if (object[key].get(text) != simdjson::SUCCESS) return {};
  return text;
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
  std::vector<Rule> rules;
  // All patterns at once: most text holds no secret, and one look says so.
  std::unique_ptr<RE2> any;

  bool clean(std::string_view text) const { return !RE2::PartialMatch({text.data(), text.size()}, *any); }

  void replace(std::string& text) const {
    for (const Rule& rule : rules) RE2::GlobalReplace(&text, *rule.pattern, rule.replacement);
  }

  std::optional<std::string> replaced(std::string_view text) const override {
    if (clean(text)) return std::nullopt;
    std::string changed(text);
    replace(changed);
    return changed;
  }

  bool hides(simdjson::dom::object object, std::string_view key, JsonElement value) const override {
    const std::string name = plain(key);
    if (secret_key(name)) {
      // As an object it is a volume or a projection, which names where a secret is.
      const bool container = value.is_object() || value.is_array();
      return !container || !(name.ends_with("secret") || name.ends_with("token"));
    }
    // A variable of a container, and a Secret itself.
    if (name == "value") return secret_key(plain(text_in(object, "name")));
    return (name == "data" || name == "stringdata") && text_in(object, "kind") == "Secret";
  }

  std::string_view mark() const override { return redacted_mark; }
};

Redactor::Redactor(const std::vector<std::string>& own_rules) {
  auto rules = std::make_unique<Rules>();
  std::string any;
  const auto add = [&](const std::string& pattern, const std::string& replacement, std::string_view field) {
    rules->rules.push_back({compile(pattern, field), replacement});
    any += (any.empty() ? "(?:" : "|(?:") + pattern + ")";
  };
  for (const BuiltInRule& rule : built_in_rules) add(rule.pattern, rule.replacement, "redact");
  for (std::size_t i = 0; i < own_rules.size(); ++i)
    add(own_rules[i], redacted_mark, fmt::format("redact[{}]", i));
  rules->any = compile(any, "redact");
  rules_ = std::move(rules);
}

Redactor::~Redactor() = default;
Redactor::Redactor(Redactor&&) noexcept = default;

void Redactor::redact(std::string& text) const {
  if (!text.empty() && !rules_->clean(text)) rules_->replace(text);
}

void Redactor::redact(Json& json, std::string_view field) const {
  if (json.absent()) return;
  json = Json::from_canonical(canonical(json.text(), field, rules_.get()));
}

void Redactor::redact(Action& action) const {
  visit_cause(action, [this](std::string_view field, auto& member) {
    using Member = std::remove_cvref_t<decltype(member)>;
    if constexpr (std::is_same_v<Member, Json>) redact(member, field);
    // Ids are names that others refer to; changing one would break the reference.
    if constexpr (std::is_same_v<Member, std::string>) {
      if (!field.ends_with("_id")) redact(member);
    }
  });
  redact(action.outcome);
}

void Redactor::redact(Outcome& outcome) const {
  visit_outcome(outcome, [this](std::string_view field, auto& member) {
    using Member = std::remove_cvref_t<decltype(member)>;
    if constexpr (std::is_same_v<Member, Json>) redact(member, field);
    if constexpr (std::is_same_v<Member, std::string>) redact(member);
  });
}

void Redactor::redact(Alert& alert) const {
  redact(alert.name);
  redact(alert.labels, "labels");
}

}  // namespace actionhist
