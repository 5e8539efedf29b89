#include "support/postgres_server.hpp"

#include <atomic>
#include <csignal>
#include <fstream>
#include <stdexcept>

#include <fmt/format.h>
#include <libpq-fe.h>
#include <sys/socket.h>
#include <unistd.h>

namespace actionhist::test {
namespace {

constexpr std::string_view programs = "/usr/lib/postgresql/15/bin/";
const std::string service_user = "postgres";

std::string program(std::string_view name) { return std::string(programs) + std::string(name); }

void write_file(const std::string& path, const std::vector<std::string>& lines,
                std::ios::openmode mode = std::ios::trunc) {
  std::ofstream out(path, std::ios::out | mode);
  for (const std::string& line : lines) out << line << "\n";
  if (!out.flush()) throw std::runtime_error("cannot write " + path);
}

std::string encoded(std::string_view text) {
  std::string result;
  for (const unsigned char c : text) {
    result += isalnum(c) || c == '_' || c == '-' || c == '.' ? std::string(1, static_cast<char>(c))
                                                             : fmt::format("%{:02X}", c);
  }
  return result;
}

std::string socket_uri(const std::string& folder, int port, std::string_view database, std::string_view user,
                       std::string_view password) {
  return fmt::format("postgresql://{}:{}@/{}?host={}&port={}", encoded(user), encoded(password),
                     encoded(database), encoded(folder), port);
}

bool answers(const std::string& uri) { return PQping(uri.c_str()) == PQPING_OK; }

}  // namespace

PostgresServer::PostgresServer(PostgresSetup setup, Unprepared)
    : setup_(std::move(setup)), folder_(service_user) {
  if (!setup_.parent.empty()) disk_.emplace(service_user, setup_.parent);
  data_ = (disk_ ? *disk_ : folder_).file("data");
}

PostgresServer::PostgresServer(PostgresSetup setup) : PostgresServer(std::move(setup), Unprepared{}) {
  const std::string password_file = folder_.file("password");
  write_file(password_file, {std::string(superuser_password)});
  run_command({program("initdb"), "--pgdata", data_, "--username", std::string(superuser), "--pwfile",
               password_file, "--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C.UTF-8",
               "--no-sync", "--no-instructions"},
              service_user);
  write_file(data_ + "/pg_hba.conf", access_rules());
  write_settings({"max_connections = 100", "shared_buffers = 64MB", "wal_level = replica",
                  "max_wal_senders = 10", "timezone = 'Pacific/Auckland'",
                  fmt::format("fsync = {}", setup_.fsync ? "on" : "off"),
                  // Half of a container's shared memory would be too much.
                  "dynamic_shared_memory_type = mmap"});
  write_settings(setup_.settings);
  if (!setup_.small_disk.empty()) std::filesystem::create_directory(folder_.file("disk"));
  start();
  if (!setup_.small_disk.empty()) {
    run_sql(fmt::format("CREATE TABLESPACE small LOCATION '{}'", folder_.file("disk")));
    run_sql("GRANT CREATE ON TABLESPACE small TO PUBLIC");
  }
  run_sql(fmt::format("CREATE ROLE {} LOGIN PASSWORD '{}'", app_role, app_password));
}

PostgresServer::~PostgresServer() { stop(Stop::immediate); }

std::vector<std::string> PostgresServer::access_rules() const {
  return {"local all all scram-sha-256", "local replication all scram-sha-256",
          "host all all 127.0.0.1/32 scram-sha-256", "host replication all 127.0.0.1/32 scram-sha-256"};
}

void PostgresServer::write_settings(const std::vector<std::string>& lines) const {
  write_file(data_ + "/postgresql.conf", lines, std::ios::app);
}

bool PostgresServer::try_start() {
  // A socket is named after the port and lies in our own folder; only TCP can meet a stranger.
  if (setup_.tcp && !answered_) port_ = free_port();
  std::vector<std::string> command = {program("postgres"), "-D", data_};
  for (const std::string& setting :
       {fmt::format("port={}", port_), "unix_socket_directories=" + folder_.path(),
        fmt::format("listen_addresses={}", setup_.tcp ? "127.0.0.1" : "")}) {
    command.insert(command.end(), {"-c", setting});
  }
  if (!setup_.small_disk.empty()) command = with_small_disk(std::move(command));
  service_.emplace(ServiceSetup{.command = std::move(command),
                                .user = setup_.small_disk.empty() ? service_user : "",
                                .log = folder_.file("log"),
                                .stop_signal = SIGQUIT});
  const std::string where = superuser_uri();
  const bool up = wait_until([&] { return !service_->running() || answers(where); });
  answered_ = answered_ || (up && service_->running());
  return up && service_->running();
}

// The disk is mounted where only the server and its children see it, so it goes away with them.
std::vector<std::string> PostgresServer::with_small_disk(std::vector<std::string> command) const {
  const std::string disk = folder_.file("disk");
  std::string script = fmt::format("mount -t tmpfs -o size={} tmpfs {} && chown {} {} && ", setup_.small_disk,
                                   disk, service_user, disk);
  script += fmt::format("exec setpriv --reuid {} --regid {} --init-groups --pdeathsig QUIT", service_user,
                        service_user);
  for (const std::string& word : command) script += " '" + word + "'";
  return {"/usr/bin/unshare", "--mount", "/bin/sh", "-c", script};
}

void PostgresServer::start() {
  if (running()) return;
  // After kill -9 the orphans of the last one may still hold its memory for a moment.
  const bool up = wait_until([this] {
    if (try_start()) return true;
    stop(Stop::immediate);
    usleep(100'000);
    return false;
  });
  if (!up) throw std::runtime_error("PostgreSQL does not start: " + log());
}

void PostgresServer::stop(Stop mode) {
  if (!service_) return;
  thaw();
  service_->stop(mode == Stop::smart ? SIGTERM : mode == Stop::fast ? SIGINT : SIGQUIT);
}

void PostgresServer::kill9() { service_->kill_all(); }

void PostgresServer::freeze() { service_->send_all(SIGSTOP); }

void PostgresServer::thaw() { service_->send_all(SIGCONT); }

std::string PostgresServer::log() const { return service_ ? service_->output() : ""; }

std::string PostgresServer::uri(std::string_view database) const {
  return uri(database, app_role, app_password);
}

std::string PostgresServer::uri(std::string_view database, std::string_view user,
                                std::string_view password) const {
  return socket_uri(folder_.path(), port_, database, user, password);
}

std::string PostgresServer::tcp_uri(std::string_view database) const {
  return fmt::format("postgresql://{}:{}@127.0.0.1:{}/{}", app_role, encoded(app_password), port_,
                     encoded(database));
}

std::string PostgresServer::superuser_uri(std::string_view database) const {
  return uri(database, superuser, superuser_password);
}

std::string PostgresServer::run_sql(std::string_view sql, std::string_view database) const {
  const std::unique_ptr<PGconn, decltype(&PQfinish)> connection(
      PQconnectdb((superuser_uri(database) + "&client_encoding=UTF8").c_str()), PQfinish);
  if (PQstatus(connection.get()) != CONNECTION_OK) throw std::runtime_error(PQerrorMessage(connection.get()));
  const std::unique_ptr<PGresult, decltype(&PQclear)> result(
      PQexec(connection.get(), std::string(sql).c_str()), PQclear);
  const ExecStatusType status = PQresultStatus(result.get());
  if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
    throw std::runtime_error(PQresultErrorMessage(result.get()));
  }
  return PQntuples(result.get()) > 0 ? PQgetvalue(result.get(), 0, 0) : "";
}

Standby::Standby(PostgresServer& primary) : PostgresServer(PostgresSetup{}, Unprepared{}), primary_(primary) {
  run_command({program("pg_basebackup"), "-D", data_, "-X", "stream", "-R", "--checkpoint", "fast",
               "--no-sync", "-d", primary.superuser_uri()},
              service_user);
  start();
}

void Standby::promote() {
  run_sql("SELECT pg_promote(true, 60)");
  wait_until([this] { return run_sql("SELECT pg_is_in_recovery()") == "f"; });
}

void Standby::catch_up() {
  const std::string position = primary_.run_sql("SELECT pg_current_wal_flush_lsn()");
  const bool there =
      wait_until([&] { return run_sql("SELECT pg_last_wal_replay_lsn() >= '" + position + "'") == "t"; });
  if (!there) throw std::runtime_error("the standby does not catch up: " + log());
}

PgBouncer::PgBouncer(const PostgresServer& server,
                     const std::vector<std::pair<std::string, std::string>>& users,
                     const std::vector<std::string>& settings)
    : folder_(service_user) {
  std::vector<std::string> list = {fmt::format("\"{}\" \"{}\"", app_role, app_password),
                                   fmt::format("\"{}\" \"{}\"", superuser, superuser_password)};
  for (const auto& [name, password] : users) list.push_back(fmt::format("\"{}\" \"{}\"", name, password));
  write_file(folder_.file("users.txt"), list);
  std::vector<std::string> lines = {
      "[databases]",
      fmt::format("* = host={} port={}", server.socket_folder(), server.port()),
      "[pgbouncer]",
      "listen_addr =",
      "listen_port = 6432",
      "unix_socket_dir = " + folder_.path(),
      "pool_mode = transaction",
      "auth_type = scram-sha-256",
      "auth_file = " + folder_.file("users.txt"),
      "max_client_conn = 200",
      "default_pool_size = 20",
  };
  lines.insert(lines.end(), settings.begin(), settings.end());
  write_file(folder_.file("pgbouncer.ini"), lines);
  service_.emplace(ServiceSetup{.command = {"/usr/sbin/pgbouncer", folder_.file("pgbouncer.ini")},
                                .user = service_user,
                                .log = folder_.file("log"),
                                .stop_signal = SIGKILL});
  const std::string where = uri();
  const bool up = wait_until([&] { return !service_->running() || answers(where); });
  if (!up || !service_->running())
    throw std::runtime_error("PgBouncer does not start: " + service_->output());
}

std::string PgBouncer::uri(std::string_view database) const { return uri(database, app_role, app_password); }

std::string PgBouncer::uri(std::string_view database, std::string_view user,
                           std::string_view password) const {
  return socket_uri(folder_.path(), 6432, database, user, password);
}

bool can_mount() {
  try {
    ServiceFolder folder("");
    run_command({"/usr/bin/unshare", "--mount", "/bin/mount", "-t", "tmpfs", "tmpfs", folder.path()}, "");
    return true;
  } catch (const std::runtime_error&) {
    return false;
  }
}

PostgresServer& shared_server() {
  static PostgresServer server(PostgresSetup{.tcp = true, .fsync = false});
  return server;
}

std::string fresh_database(PostgresServer& server) {
  static std::atomic<int> count{0};
  const std::string name = fmt::format("test_{}_{}", getpid(), ++count);
  server.run_sql(fmt::format("CREATE DATABASE {} OWNER {}", name, app_role));
  return server.uri(name);
}

void run_psql(const std::string& uri, const std::string& script) {
  ServiceFolder folder("");
  write_file(folder.file("script.sql"), {script});
  run_command({program("psql"), "--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", "--dbname", uri,
               "--file", folder.file("script.sql")},
              "");
}

std::string database_of(std::string_view uri) {
  const std::size_t begin = uri.find("@/") + 2;
  return std::string(uri.substr(begin, uri.find('?') - begin));
}

}  // namespace actionhist::test
