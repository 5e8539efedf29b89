#include "postgres/target.hpp"

#include <algorithm>
#include <charconv>
#include <memory>
#include <optional>

#include <fmt/format.h>
#include <libpq-fe.h>

#include <actionhist/error.hpp>

#include "core/refuse.hpp"

namespace actionhist::postgres {
namespace {

using Options = std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)>;

// Shorter texts would be found by chance in the words of a message.
constexpr std::size_t shortest_redacted = 4;

std::vector<std::string> split(std::string_view list) {
  std::vector<std::string> parts;
  for (;;) {
    const std::size_t comma = list.find(',');
    parts.emplace_back(list.substr(0, comma));
    if (comma == list.npos) return parts;
    list.remove_prefix(comma + 1);
  }
}

// libpq quotes the URI or a part of it after ": \"" at the end of its messages; only the name of a
// parameter may be repeated.
std::string parse_fault(std::string_view message) {
  const std::size_t quoted = message.find(": \"");
  std::string fault(message.substr(0, std::min(quoted, message.find('\n'))));
  if (quoted == message.npos) return fault;
  std::string_view name = message.substr(quoted + 3);
  name = name.substr(0, name.find('"'));
  const bool keyword = !name.empty() && name.size() <= 32 &&
                       name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == name.npos;
  if (keyword && fault.find("parameter") != fault.npos) return fmt::format("{}: \"{}\"", fault, name);
  return fault;
}

// A password with a bare @, / or : moves the borders between the parts, and its pieces would turn up in
// messages as host, port or database.
void check_parts(std::string_view uri) {
  std::string_view rest = uri.substr(uri.find("://") + 3);
  rest = rest.substr(0, rest.find('?'));
  if (std::count(rest.begin(), rest.end(), '@') > 1 ||
      (rest.find('@') != rest.npos && rest.find('/') < rest.find('@'))) {
    refuse("database URI", "\"@\" and \"/\" in user, password or database must be written as %40 and %2F");
  }
}

void check_port(const std::string& port) {
  int number = 0;
  const auto [end, fault] = std::from_chars(port.data(), port.data() + port.size(), number);
  if (fault != std::errc() || end != port.data() + port.size() || number < 1 || number > 65'535) {
    refuse("database URI",
           "port: must be a number from 1 to 65535; \":\" in user or password must be written as %3A");
  }
}

std::string percent_encoded(std::string_view text) {
  std::string encoded;
  for (const unsigned char c : text) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       std::string_view("-._~").find(static_cast<char>(c)) != std::string_view::npos;
    encoded += plain ? std::string(1, static_cast<char>(c)) : fmt::format("%{:02X}", c);
  }
  return encoded;
}

void replace_all(std::string& text, std::string_view secret) {
  for (std::size_t at = text.find(secret); at != text.npos; at = text.find(secret, at + 3)) {
    text.replace(at, secret.size(), "***");
  }
}

Options parse(std::string_view uri) {
  if (!uri.starts_with("postgresql://") && !uri.starts_with("postgres://")) {
    refuse("database URI", "must begin with postgresql://");
  }
  if (uri.find('\0') != uri.npos) refuse("database URI", "must not contain NUL");
  check_parts(uri);
  char* message = nullptr;
  Options parsed(PQconninfoParse(std::string(uri).c_str(), &message), PQconninfoFree);
  const std::unique_ptr<char, decltype(&PQfreemem)> owned(message, PQfreemem);
  if (!parsed) refuse("database URI", parse_fault(message != nullptr ? message : "no memory"));
  return parsed;
}

void check_session_attributes(std::string_view value) {
  constexpr std::string_view known[] = {"any",     "read-write", "read-only",
                                        "primary", "standby",    "prefer-standby"};
  if (std::find(std::begin(known), std::end(known), value) == std::end(known)) {
    refuse("database URI",
           "target_session_attrs: must be any, read-write, read-only, primary, standby or prefer-standby");
  }
}

// What is stored is UTF-8; in another encoding the server would take and send other letters.
void check_encoding(std::string_view value) {
  constexpr std::string_view known[] = {"UTF8", "utf8", "UTF-8", "utf-8"};
  if (std::find(std::begin(known), std::end(known), value) == std::end(known)) {
    refuse("database URI", "client_encoding: must be UTF8; leave it out");
  }
}

// Each a list with commas, as the URI gives them.
struct HostLists {
  std::string names;
  std::string addresses;
  std::string ports;
};

// Hosts and ports where the URI names none: PGHOST, PGPORT, or libpq's own.
void add_defaults(HostLists& hosts) {
  const Options defaults(PQconndefaults(), PQconninfoFree);
  for (const PQconninfoOption* option = defaults.get(); option && option->keyword; ++option) {
    const std::string_view keyword = option->keyword;
    if (option->val == nullptr) continue;
    if (keyword == "host" && hosts.names.empty()) hosts.names = option->val;
    if (keyword == "port" && hosts.ports.empty()) hosts.ports = option->val;
  }
}

std::vector<Endpoint> endpoints_of(const HostLists& hosts, const std::string& default_port) {
  const std::vector<std::string> names = split(hosts.names);
  const std::vector<std::string> addresses = split(hosts.addresses);
  const std::vector<std::string> ports = split(hosts.ports);
  const std::size_t count = std::max(names.size(), addresses.size());
  if (ports.size() != 1 && ports.size() != count) {
    refuse("database URI", "port: there must be one for all hosts, or one for each");
  }
  if ((!hosts.names.empty() && names.size() != count) ||
      (!hosts.addresses.empty() && addresses.size() != count)) {
    refuse("database URI", "hostaddr: there must be one for each host");
  }
  std::vector<Endpoint> endpoints;
  for (std::size_t i = 0; i < count; ++i) {
    Endpoint endpoint{.host = hosts.names.empty() ? "" : names[i],
                      .address = hosts.addresses.empty() ? "" : addresses[i],
                      .port = ports.size() == 1 ? ports[0] : ports[i]};
    if (endpoint.port.empty()) endpoint.port = default_port;
    if (!endpoint.port.empty()) check_port(endpoint.port);
    endpoints.push_back(std::move(endpoint));
  }
  return endpoints;
}

}  // namespace

std::string Endpoint::text() const {
  const std::string& shown = host.empty() ? address : host;
  if (shown.empty()) return fmt::format("local:{}", port);
  return shown.find(':') == shown.npos ? fmt::format("{}:{}", shown, port)
                                       : fmt::format("[{}]:{}", shown, port);
}

Target::Target(std::string_view uri) {
  const Options parsed = parse(uri);
  HostLists hosts;
  for (const PQconninfoOption* option = parsed.get(); option->keyword != nullptr; ++option) {
    if (option->val == nullptr) continue;
    const std::string_view keyword = option->keyword;
    std::string value = option->val;
    if (keyword == "password" || keyword == "sslpassword") keep_secret(value);
    if (keyword == "client_encoding") check_encoding(value);
    if (keyword == "host") {
      hosts.names = std::move(value);
    } else if (keyword == "hostaddr") {
      hosts.addresses = std::move(value);
    } else if (keyword == "port") {
      hosts.ports = std::move(value);
    } else if (keyword == "target_session_attrs") {
      check_session_attributes(value);
      session_attributes_ = std::move(value);
    } else {
      settings_.emplace_back(keyword, std::move(value));
    }
  }
  // A service file names the hosts itself; libpq reads it.
  const bool service = find("service") != nullptr;
  if (!service && hosts.addresses.empty()) add_defaults(hosts);
  endpoints_ = endpoints_of(hosts, service ? "" : "5432");
  // Several hosts mean a primary that moves, and a standby cannot take what we write.
  if (session_attributes_.empty()) session_attributes_ = endpoints_.size() > 1 ? "read-write" : "any";
  for (const Endpoint& endpoint : endpoints_) {
    location_ += fmt::format("{}{}", location_.empty() ? "" : ",", endpoint.text());
  }
  const std::string* database = find("dbname");
  location_ += fmt::format("/{}", database != nullptr ? *database : "");
}

void Target::keep_secret(const std::string& value) {
  if (value.size() < shortest_redacted) return;
  secrets_.push_back(value);
  if (std::string encoded = percent_encoded(value); encoded != value) secrets_.push_back(std::move(encoded));
}

Target Target::standbys() const {
  Target target = *this;
  target.session_attributes_ = "standby";
  return target;
}

const std::string* Target::find(std::string_view keyword) const {
  for (const auto& [known, value] : settings_) {
    if (known == keyword) return &value;
  }
  return nullptr;
}

Target::Settings Target::settings(const Endpoint& endpoint, std::string_view address,
                                  const PostgresOptions& options) const {
  Settings all = settings_;
  if (!endpoint.host.empty()) all.emplace_back("host", endpoint.host);
  if (!address.empty()) all.emplace_back("hostaddr", address);
  if (!endpoint.port.empty()) all.emplace_back("port", endpoint.port);
  const auto silent = [&](std::string_view keyword, std::string value) {
    if (find(keyword) == nullptr) all.emplace_back(keyword, std::move(value));
  };
  silent("application_name", "actionhist");
  silent("client_encoding", "UTF8");
  silent("keepalives_idle", std::to_string(options.keepalives_idle.count()));
  silent("keepalives_interval", "3");
  silent("keepalives_count", "3");
  silent("tcp_user_timeout", std::to_string(options.tcp_user_timeout.count()));
  // Looking for a Kerberos ticket may ask the network, and nothing limits how long.
  silent("gssencmode", "disable");
  return all;
}

std::chrono::milliseconds Target::connect_timeout(const PostgresOptions& options) const {
  int seconds = 0;
  if (const std::string* given = find("connect_timeout")) {
    std::from_chars(given->data(), given->data() + given->size(), seconds);
  }
  return seconds > 0 ? std::chrono::seconds(seconds) : options.connect_timeout;
}

std::string Target::redact(std::string text) const {
  for (const std::string& secret : secrets_) replace_all(text, secret);
  return text;
}

}  // namespace actionhist::postgres
