#include "history/secret_text.hpp"

#include <array>

namespace actionhist {
namespace {

// A text may have been cut inside of a secret, so a quote that is opened need not be closed.
constexpr std::array<SecretRule, 24> rules{{
    {R"(-----BEGIN [A-Z ]*PRIVATE KEY(?: BLOCK)?-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY(?: BLOCK)?-----|\z))",
     "[redacted]"},
    {R"(\b(?:AKIA|ASIA)[0-9A-Z]{16}\b)", "[redacted]"},
    {R"(\b(?:gh[pousr]_|github_pat_|glpat-|xox[abeoprs]-|sk-|hvs\.)[0-9A-Za-z_\-]{16,})", "[redacted]"},
    {R"(\bAIza[0-9A-Za-z_\-]{35}\b)", "[redacted]"},
    {R"(\beyJ[0-9A-Za-z_\-]{8,}\.[0-9A-Za-z_\-]{8,}\.[0-9A-Za-z_\-]*)", "[redacted]"},
    {R"((?i)\b(authorization\\*["']?\s*[=:]\s*\\*["']?(?:bearer|basic|token|apikey)\s+\\*["']?)[^\s"'\\,;]{6,})",
     R"(\1[redacted])"},
    {R"((?i)\b(authorization\\*["']?\s*[=:]\s*\\*["']?(?:digest|negotiate)\s+)[^\r\n]+)", R"(\1[redacted])"},
    // With a digit, or longer than a word: "basic authentication" is none.
    {R"((?i)\b(bearer|basic)\s+(?:[a-z+/_.~\-]{0,11}[0-9][0-9a-z+/_.~\-]{8,}|[a-z+/_.~\-]{8,30}[0-9][0-9a-z+/_.~\-]{2,}|[0-9a-z+/_.~\-]{20,})=*)",
     R"(\1 [redacted])"},
    {R"((?i)\b((?:set-)?cookie:\s*)[^\s;=]+=[^\r\n"']+)", R"(\1[redacted])"},
    // The name and password between scheme and host, also with @ in the password; and a token alone.
    {R"(\b([a-zA-Z][a-zA-Z0-9+.\-]*://)[^\s/@:"'<>]*:[^\s/"'<>]+@)", R"(\1[redacted]@)"},
    {R"(\b([a-zA-Z][a-zA-Z0-9+.\-]*://)[0-9A-Za-z_\-]{20,}@)", R"(\1[redacted]@)"},
    // Cut off before the @; a port has no letters.
    {R"(\b([a-zA-Z][a-zA-Z0-9+.\-]*://[^\s/@:"'<>\[]+:)[^\s/@"'<>]*[A-Za-z][^\s/@"'<>]*\z)",
     R"(\1[redacted])"},
    // What a signed URL is worth.
    {R"((?i)\b((?:x-amz-(?:signature|credential|security-token)|x-goog-signature|sig)=)[0-9a-z%+/=_.\-]{16,})",
     R"(\1[redacted])"},
    {R"((?i)\b([a-z0-9_.\-]*(?:password|passwd|passphrase|api[_\-]?key|access[_\-]?key|secret[_\-]?key|client[_\-]?secret|(?:access|refresh|session|auth|bearer|bot)[_\-]?token)\\*["']?\s*(?:=>|:=|[=:])\s*)(?:\\+"[^"\\\n]{3,}(?:\\+"|\\*\z)|"[^"\n]{3,}"?|'[^'\n]{3,}'?|[^\s"'\\,;}&]{3,}))",
     R"(\1[redacted])"},
    {R"((?i)\b((?:[a-z0-9]+[_\-])*(?:pwd|secret|token)\\*["']?\s*(?:=>|:=|[=:])\s*)(?:\\+"[^"\\\s]{3,}(?:\\+"|\\*\z)|"[^"\s]{3,}(?:"|\z)|'[^'\s]{3,}(?:'|\z)|[^\s"'\\,;}&]{3,}))",
     R"(\1[redacted])"},
    {R"(\b([A-Z0-9_]+_PASS\\*["']?\s*[=:]\s*)(?:"[^"\s]{3,}(?:"|\z)|'[^'\s]{3,}(?:'|\z)|[^\s"'\\,;}&]{3,}))",
     R"(\1[redacted])"},
    // "pass" is more often a verdict: as a name it begins a line or a member, and its value has a digit after letters.
    {R"((?m)((?:^|[,;{&?])[ \t]*\\*["']?pass\\*["']?[ \t]*[=:][ \t]*\\*["']?)[^\s0-9"'\\,;}&/]{3,}[0-9][^\s"'\\,;}&]*)",
     R"(\1[redacted])"},
    {R"((?i)(<[a-z0-9_.:\-]*(?:password|passwd|passphrase|secret|token|api[_\-]?key)>)[^<]{3,}(</))",
     R"(\1[redacted]\2)"},
    {R"((?i)(\s--?(?:password|passwd|token|secret|api-key)[ =])(?:"[^"\n]*"?|'[^'\n]*'?|\S+))",
     R"(\1[redacted])"},
    {R"((--from-literal[ =]["']?[^\s="']+=)(?:"[^"\n]*"?|'[^'\n]*'?|[^\s"']+))", R"(\1[redacted])"},
    {R"((\bsshpass\s+-p ?)(?:"[^"\n]*"?|'[^'\n]*'?|\S+))", R"(\1[redacted])"},
    {R"((\b(?:docker|podman|nerdctl|buildah|skopeo|crane|oras|helm registry|oc|argocd) login\b[^\n|;]*?\s-p[ =]?)(?:"[^"\n]*"?|'[^'\n]*'?|\S+))",
     R"(\1[redacted])"},
    {R"((\b(?:mysql|mysqldump|mysqladmin|mariadb|mariadb-dump)(?: [^\n|;]*?)? -p)(?:"[^"\n]+"|'[^'\n]+'|[0-9:]*[^\s"'0-9:][^\s"']*))",
     R"(\1[redacted])"},
    {R"((\b(?:curl|wget|https?)\b[^\n]*?\s(?:-u ?|--user[ =]))(?:"[^"\n]*:[^"\n]*"|'[^'\n]*:[^'\n]*'|[^\s:"']+:\S+))",
     R"(\1[redacted])"},
}};

}  // namespace

std::span<const SecretRule> secret_rules() { return rules; }

}  // namespace actionhist
