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

constexpr std::array<BuiltInRule, 16> built_in_rules{{
    {R"(-----BEGIN [A-Z ]*PRIVATE KEY(?: BLOCK)?-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY(?: BLOCK)?-----|\z))",
     "[redacted]"},
    {R"(\b(?:AKIA|ASIA)[0-9A-Z]{16}\b)", "[redacted]"},
    {R"(\b(?:gh[pousr]_|github_pat_|glpat-|xox[abeoprs]-|sk-|hvs\.)[0-9A-Za-z_\-]{16,})", "[redacted]"},
    {R"(\bAIza[0-9A-Za-z_\-]{35}\b)", "[redacted]"},
    {R"(\beyJ[0-9A-Za-z_\-]{8,}\.[0-9A-Za-z_\-]{8,}\.[0-9A-Za-z_\-]*)", "[redacted]"},
    {R"((?i)\b(authorization\\*["']?\s*[=:]\s*\\*["']?(?:bearer|basic|token|apikey)\s+)[^\s"'\\,;]{6,})",
     R"(\1[redacted])"},
    {R"((?i)\b(authorization\\*["']?\s*[=:]\s*\\*["']?(?:digest|negotiate)\s+)[^\r\n]+)", R"(\1[redacted])"},
    // With a digit, or longer than a word: "basic authentication" is none.
    {R"((?i)\b(bearer|basic)\s+(?:[a-z+/_.~\-]{0,11}[0-9][0-9a-z+/_.~\-]{8,}|[a-z+/_.~\-]{8,30}[0-9][0-9a-z+/_.~\-]{2,}|[0-9a-z+/_.~\-]{20,})=*)",
     R"(\1 [redacted])"},
    {R"((?i)\b((?:set-)?cookie:\s*)[^\s;=]+=[^\r\n"']+)", R"(\1[redacted])"},
    // The name and password between scheme and host, also with @ in the password; and a token alone.
    {R"(\b([a-zA-Z][a-zA-Z0-9+.\-]*://)[^\s/@:"'<>]*:[^\s/"'<>]+@)", R"(\1[redacted]@)"},
    {R"(\b([a-zA-Z][a-zA-Z0-9+.\-]*://)[0-9A-Za-z_\-]{20,}@)", R"(\1[redacted]@)"},
    // What a signed URL is worth.
    {R"((?i)\b((?:x-amz-(?:signature|credential|security-token)|x-goog-signature|sig)=)[0-9a-z%+/=_.\-]{16,})",
     R"(\1[redacted])"},
    {R"((?i)\b([a-z0-9_.\-]*(?:password|passwd|passphrase|api[_\-]?key|access[_\-]?key|secret[_\-]?key|client[_\-]?secret|(?:access|refresh|session|auth|bearer|bot)[_\-]?token)\\*["']?\s*[=:]\s*)(?:\\+"[^"\\\n]{3,}\\+"|"[^"\n]{3,}"|'[^'\n]{3,}'|[^\s"'\\,;}&]{3,}))",
     R"(\1[redacted])"},
    {R"((?i)\b((?:[a-z0-9]+[_\-])*(?:pwd|secret|token)\\*["']?\s*[=:]\s*)(?:\\+"[^"\\\s]{3,}\\+"|"[^"\s]{3,}"|'[^'\s]{3,}'|[^\s"'\\,;}&]{3,}))",
     R"(\1[redacted])"},
    {R"((?i)(\s--?(?:password|passwd|token|secret|api-key)[ =])(?:"[^"\n]*"|'[^'\n]*'|\S+))",
     R"(\1[redacted])"},
    {R"((\b(?:curl|wget|https?)\b[^\n]*?\s(?:-u ?|--user[ =]))(?:"[^"\n]*:[^"\n]*"|'[^'\n]*:[^'\n]*'|[^\s:"']+:\S+))",
     R"(\1[redacted])"},
}};

// How keys end whose value is a secret whatever it looks like, without case and separators: DB_PASSWORD, X-Api-Key,
// githubToken. A Secret of Kubernetes has a name, which is none: "imagePullSecret" is kept, "client_secret" is not.
constexpr std::array<std::string_view, 25> secret_endings{
    "password",      "passwd",        "passphrase",    "token",         "authorization",
    "credential",    "credentials",   "cookie",        "apikey",        "accesskey",
    "secretkey",     "privatekey",    "encryptionkey", "signingkey",    "masterkey",
    "accountkey",    "clientsecret",  "appsecret",     "apisecret",     "sharedsecret",
    "webhooksecret", "signingsecret", "jwtsecret",     "sessionsecret", "connectionstring"};

// The same where a separator stands before it; "_SECRET" and "_PASS" are a variable's way to be written.
constexpr std::array<std::string_view, 6> short_endings{"_pwd", "-pwd", ".pwd", "_PWD", "_PASS", "_SECRET"};

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

bool secret_key(std::string_view key) {
  if (ends_with_any(key, short_endings)) return true;
  const std::string letters = plain(key);
  if (letters == "secret" || letters == "pwd") return true;
  return ends_with_any(letters, secret_endings) && !ends_with_any(letters, harmless_endings);
}

// Where a Secret of Kubernetes keeps them.
bool secret_data(std::string_view key) { return key == "data" || key == "stringData"; }

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
    if (secret_key(key)) {
      const std::string name = plain(key);
      // As an object it is a volume or a projection, which names where a secret is.
      return !value.is_object() || !(name.ends_with("secret") || name.ends_with("token"));
    }
    // A variable of a container, a Secret itself, and a list of them.
    if (key == "value") return secret_key(text_in(object, "name"));
    if (secret_data(key)) return text_in(object, "kind") == "Secret";
    return key == "items" && text_in(object, "kind") == "SecretList";
  }

  std::string_view mark() const override { return redacted_mark; }
};

// What is done to a Secret need not name its kind again.
struct Redactor::RulesOfSecret final : JsonCensor {
  explicit RulesOfSecret(const Rules& all) : rules(all) {}

  std::optional<std::string> replaced(std::string_view text) const override { return rules.replaced(text); }
  bool hides(simdjson::dom::object object, std::string_view key, JsonElement value) const override {
    return secret_data(key) || rules.hides(object, key, value);
  }
  std::string_view mark() const override { return rules.mark(); }

  const Rules& rules;
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

bool Redactor::redact(std::string& text) const {
  if (text.empty() || rules_->clean(text)) return false;
  rules_->replace(text);
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
      if (!field.ends_with("_id")) changed |= redact(member);
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
  const bool name = redact(alert.name);
  return redact(alert.labels, "labels") || name;
}

}  // namespace actionhist
