// Real PostgreSQL servers and poolers for tests, from Debian's packages, in folders of their own.
// Each object is used by one thread at a time; the servers by anybody.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/service.hpp"

namespace actionhist::test {

inline constexpr std::string_view superuser = "postgres";
inline constexpr std::string_view superuser_password = "the-owner-of-all";
inline constexpr std::string_view app_role = "app";  // no superuser, may log in
inline constexpr std::string_view app_password = "app-p@ss/word";

struct PostgresSetup {
  bool tcp = false;                        // also listen on 127.0.0.1
  bool fsync = true;                       // off is fine where no server is killed
  std::vector<std::string> settings = {};  // "name = value" lines of postgresql.conf
  // A tablespace "small" on a disk of this size ("24m"), which ends with the server. Needs can_mount().
  std::string small_disk = {};
  std::string parent = {};  // a folder below which the data lie, on a disk; in memory if empty
};

class PostgresServer {
 public:
  explicit PostgresServer(PostgresSetup setup = {});
  virtual ~PostgresServer();
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;

  // As the role app, through the socket.
  std::string uri(std::string_view database = "postgres") const;
  std::string uri(std::string_view database, std::string_view user, std::string_view password) const;
  // Through TCP. REQUIRES: setup.tcp
  std::string tcp_uri(std::string_view database = "postgres") const;
  std::string superuser_uri(std::string_view database = "postgres") const;
  std::string socket_folder() const { return folder_.path(); }
  int port() const { return port_; }
  std::string data_folder() const { return data_; }

  // Runs statements as superuser and returns the first column of the last one's first row.
  std::string run_sql(std::string_view sql, std::string_view database = "postgres") const;

  // smart waits for clients, fast ends them, immediate is a crash.
  enum class Stop { smart, fast, immediate };
  void stop(Stop mode = Stop::fast);
  // Ends all its processes at once, as a power failure would.
  void kill9();
  // Lets all its processes hang, and go on.
  void freeze();
  void thaw();
  // Starts it again and waits until it answers.
  void start();
  bool running() { return service_ && service_->running(); }
  std::string log() const;

 protected:
  struct Unprepared {};
  PostgresServer(PostgresSetup setup, Unprepared);
  void write_settings(const std::vector<std::string>& lines) const;
  std::vector<std::string> access_rules() const;

  PostgresSetup setup_;
  ServiceFolder folder_;
  std::optional<ServiceFolder> disk_;  // with the data, if they have a parent
  std::string data_;
  int port_ = 5432;

 private:
  bool try_start();
  std::vector<std::string> with_small_disk(std::vector<std::string> command) const;

  std::optional<Service> service_;
  bool answered_ = false;  // then its port is known to others and stays
};

// A streaming replica of another server.
class Standby : public PostgresServer {
 public:
  explicit Standby(PostgresServer& primary);

  void promote();
  // Waits until everything that the primary has committed can be read here.
  void catch_up();

 private:
  PostgresServer& primary_;
};

// PgBouncer in transaction mode before a server.
class PgBouncer {
 public:
  // `users` may log in beside app and the superuser: names and passwords.
  explicit PgBouncer(const PostgresServer& server,
                     const std::vector<std::pair<std::string, std::string>>& users = {},
                     const std::vector<std::string>& settings = {});
  std::string uri(std::string_view database = "postgres") const;
  std::string uri(std::string_view database, std::string_view user, std::string_view password) const;
  std::string log() const { return service_->output(); }
  void stop() { service_->stop(9); }

 private:
  ServiceFolder folder_;
  std::optional<Service> service_;
};

// Whether this process may mount disks of its own: it is root and not confined.
bool can_mount();

// One server for all tests of a program, made by the first that asks.
PostgresServer& shared_server();

// The URI of a new empty database that belongs to the role app.
std::string fresh_database(PostgresServer& server);

// Runs a script with psql, which stops at the first error. Throws std::runtime_error with what it said.
void run_psql(const std::string& uri, const std::string& script);

// The name of the database in a URI made here.
std::string database_of(std::string_view uri);

}  // namespace actionhist::test
