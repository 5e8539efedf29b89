// Where a database is, from its URI: hosts, database, user, and how to get there. Immutable after its
// construction, so safe to share.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <actionhist/postgres_options.hpp>

namespace actionhist::postgres {

// One server of a URI that may name several.
struct Endpoint {
  std::string host;     // a name, an address, or the folder of a socket; empty for libpq's default
  std::string address;  // numeric, when the URI gives it as hostaddr
  std::string port;

  bool socket() const { return host.starts_with('/') || host.starts_with('@'); }
  // "db.example:5432", for messages.
  std::string text() const;
};

class Target {
 public:
  using Settings = std::vector<std::pair<std::string, std::string>>;

  // Reads `postgresql://user:password@host:port,host:port/database?sslmode=verify-full`. What the URI does
  // not say comes from libpq's environment (PGHOST, PGPASSWORD, …) and password file, as with psql.
  // Throws Error: invalid_argument, naming the part, never quoting a secret.
  explicit Target(std::string_view uri);

  // Hosts, ports and database, for people: no user, no password.
  const std::string& location() const noexcept { return location_; }

  const std::vector<Endpoint>& endpoints() const noexcept { return endpoints_; }
  // any, read-write, read-only, primary, standby or prefer-standby. A URI with several hosts that does not
  // say means read-write.
  const std::string& session_attributes() const noexcept { return session_attributes_; }

  // The same hosts, but a connection leads to a standby among them.
  Target standbys() const;

  // libpq's settings for a connection to `endpoint` at `address` (numeric; empty for a socket), with the
  // options where the URI is silent.
  Settings settings(const Endpoint& endpoint, std::string_view address, const PostgresOptions& options) const;
  // connect_timeout of the URI, or the option.
  std::chrono::milliseconds connect_timeout(const PostgresOptions& options) const;

  // `text` without the secrets of the URI.
  std::string redact(std::string text) const;

 private:
  const std::string* find(std::string_view keyword) const;
  void keep_secret(const std::string& value);

  Settings settings_;  // as the URI gives them, without hosts and ports
  std::vector<Endpoint> endpoints_;
  std::string session_attributes_;
  std::string location_;
  std::vector<std::string> secrets_;
};

}  // namespace actionhist::postgres
