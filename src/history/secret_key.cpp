#include "history/secret_key.hpp"

#include <algorithm>
#include <array>
#include <span>

#include "core/ascii.hpp"

namespace actionhist {
namespace {

// How keys end whose value is a secret whatever it looks like, without case and separators. A Secret of Kubernetes has a
// name, which is none: "imagePullSecret" is kept, "client_secret" is not.
constexpr std::array<std::string_view, 34> secret_endings{
    "password",     "passwords",     "passwd",        "passphrase",      "token",         "authorization",
    "credential",   "credentials",   "cookie",        "apikey",          "apikeys",       "accesskey",
    "accesskeys",   "secretkey",     "secretkeys",    "privatekey",      "privatekeys",   "encryptionkey",
    "signingkey",   "masterkey",     "accountkey",    "clientsecret",    "appsecret",     "apisecret",
    "sharedsecret", "webhooksecret", "signingsecret", "jwtsecret",       "sessionsecret", "secretstring",
    "secretbinary", "dbpass",        "userpass",      "connectionstring"};

// Which of several it is.
constexpr std::array<std::string_view, 7> versions{"old",     "new",       "current", "previous",
                                                   "primary", "secondary", "backup"};

// The same where a separator stands before it; "_SECRET" and "_PASS" are a variable's way to be written.
constexpr std::array<std::string_view, 6> short_endings{"_pwd", "-pwd", ".pwd", "_PWD", "_PASS", "_SECRET"};

// Where a list goes on, which is no secret.
constexpr std::array<std::string_view, 3> harmless_endings{"nexttoken", "pagetoken", "continuationtoken"};

constexpr std::array<std::string_view, 18> references{
    "name",        "namespace", "secretname", "secretnamespace",   "key",  "path", "items",      "optional",
    "defaultmode", "mode",      "audience",   "expirationseconds", "kind", "type", "apiversion", "version",
    "metadata",    "driver"};

bool ends_with_any(std::string_view text, std::span<const std::string_view> endings) {
  return std::ranges::any_of(endings, [text](std::string_view ending) { return text.ends_with(ending); });
}

}  // namespace

std::string plain(std::string_view name) {
  std::string letters;
  for (const char c : name) {
    if (c == '-' || c == '_' || c == '.') continue;
    letters += ascii_lower(c);
  }
  return letters;
}

bool secret_key(std::string_view key) {
  if (ends_with_any(key, short_endings)) return true;
  const std::string all = plain(key);
  std::string_view letters = all;
  for (const std::string_view version : versions) {
    if (letters.ends_with(version)) letters.remove_suffix(version.size());
  }
  letters = letters.substr(0, letters.find_last_not_of("0123456789") + 1);
  if (letters == "secret" || letters == "pwd") return true;
  return ends_with_any(letters, secret_endings) && !ends_with_any(letters, harmless_endings);
}

bool refers_to_secret(std::string_view key) {
  return std::ranges::find(references, plain(key)) != references.end();
}

}  // namespace actionhist
