// Reads on a standby, no staler than asked for; and opening while the server is away.
#include <catch2/catch.hpp>

#include <fstream>
#include <thread>

#include "support/postgres_server.hpp"
#include "support/samples.hpp"

using namespace actionhist;
using namespace actionhist::test;

namespace {

// Both servers, reached through their sockets.
std::string uri_of(const PostgresServer& one, const PostgresServer& other) {
  return fmt::format("postgresql://{}@/postgres?host={},{}&port={},{}", superuser, one.socket_folder(),
                     other.socket_folder(), one.port(), other.port()) +
         fmt::format("&password={}", superuser_password);
}

Options reading(bool standbys, std::chrono::milliseconds staleness) {
  Options options{.tenant = "t", .semantic = false};
  options.postgres.read_standbys = standbys;
  options.postgres.max_staleness = staleness;
  options.postgres.pool_min = 0;
  return options;
}

std::size_t seen(History& history) { return history.history({}).traces.size(); }

}  // namespace

TEST_CASE("a standby answers reads while it is fresh enough, and otherwise the primary does",
          "[postgres][standby]") {
  PostgresServer primary({.fsync = false});
  open(primary.superuser_uri(), reading(false, 0ms)).record(restart("first", system_now()));
  Standby standby(primary);
  const std::string uri = uri_of(primary, standby);
  History patient = open(uri, reading(true, 24h));
  History strict = open(uri, reading(true, 1ms));
  History plain = open(uri, reading(false, 24h));
  patient.record(restart("second", system_now()));
  standby.catch_up();
  // What is replayed from now on is not seen there, so one can tell who answers.
  standby.run_sql("SELECT pg_wal_replay_pause()");
  patient.record(restart("third", system_now()));
  CHECK(seen(patient) == 2);
  CHECK(seen(strict) == 3);
  CHECK(seen(plain) == 3);
  CHECK(patient.summaries().front().total_actions == 2);
  CHECK(strict.summaries().front().total_actions == 3);
  // What others depend on comes from the primary always.
  CHECK(patient.get("third"));
  CHECK_FALSE(patient.record(restart("third", system_now())).stored);
  int inside = 0;
  patient.repository().transaction([&] { inside = static_cast<int>(seen(patient)); });
  CHECK(inside == 3);

  standby.stop();
  CHECK(seen(patient) == 3);
  standby.start();
  standby.catch_up();
  // Once it is asked again, it answers again.
  standby.run_sql("SELECT pg_wal_replay_pause()");
  patient.record(restart("fourth", system_now()));
  CHECK(wait_until([&] { return seen(patient) == 3; }));
  CHECK(seen(strict) == 4);
}

TEST_CASE("a standby that hangs holds no read up", "[postgres][standby]") {
  PostgresServer primary({.fsync = false});
  open(primary.superuser_uri(), reading(false, 0ms)).record(restart("first", system_now()));
  Standby standby(primary);
  History history = open(uri_of(primary, standby), reading(true, 24h));
  CHECK(seen(history) == 1);
  standby.freeze();
  const auto before = std::chrono::steady_clock::now();
  CHECK(seen(history) == 1);
  CHECK(seen(history) == 1);
  // A statement is waited for 35 s, which is what a read would take without a patience of its own.
  CHECK(std::chrono::steady_clock::now() - before < 25s);
  standby.thaw();
}

TEST_CASE("where the standby lets nobody in the primary answers", "[postgres][standby]") {
  PostgresServer primary({.fsync = false});
  open(primary.superuser_uri(), reading(false, 0ms)).record(restart("first", system_now()));
  Standby standby(primary);
  std::ofstream(standby.data_folder() + "/pg_hba.conf") << "local all all reject\n";
  standby.run_sql("SELECT pg_reload_conf()");
  CHECK(wait_until([&] {
    try {
      standby.run_sql("SELECT 1");
      return false;
    } catch (const std::exception&) {
      return true;
    }
  }));
  History history = open(uri_of(primary, standby), reading(true, 24h));
  CHECK(seen(history) == 1);
}

TEST_CASE("without a standby among the hosts the primary answers all", "[postgres][standby]") {
  const std::string uri = fresh_database(shared_server());
  History history = open(uri, reading(true, 24h));
  history.record(restart("a", system_now()));
  CHECK(seen(history) == 1);
  CHECK(history.summaries().size() == 1);
}

TEST_CASE("opening waits for a server that comes back, as long as connecting may take",
          "[postgres][standby]") {
  PostgresServer server({.fsync = false});
  const std::string uri = server.superuser_uri();
  open(uri, reading(false, 0ms)).record(restart("a", system_now()));
  server.stop();
  Options options = reading(false, 0ms);
  options.postgres.connect_timeout = 100ms;
  CHECK(error_code_of([&] { open(uri, options); }) == ErrorCode::unavailable);
  options.postgres.connect_timeout = 120s;
  std::size_t found = 0;
  std::string error;
  std::thread opener([&] {
    error = error_text_of([&] {
      History history = open(uri, options);
      found = seen(history);
    });
  });
  std::this_thread::sleep_for(300ms);
  server.start();
  opener.join();
  CHECK(error.empty());
  CHECK(found == 1);
}
