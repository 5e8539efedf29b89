// URIs, and what is told when a server cannot be reached.
#include <catch2/catch.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "postgres/connection.hpp"
#include "postgres/resolver.hpp"
#include "support/postgres_server.hpp"
#include "support/samples.hpp"

using namespace actionhist;
using namespace actionhist::postgres;
using namespace actionhist::test;

namespace {

std::string value_of(const Target& target, std::string_view keyword) {
  for (const auto& [known, value] : target.settings(target.endpoints()[0], "", {})) {
    if (known == keyword) return value;
  }
  return {};
}

ServerError connect_error_of(const std::string& uri, const PostgresOptions& options = {}) {
  try {
    Connection connection(Target(uri), options, "t");
  } catch (const ServerError& error) {
    return error;
  }
  throw std::runtime_error("it connects");
}

bool mentions(const std::exception& error, std::string_view text) {
  return std::string_view(error.what()).find(text) != std::string_view::npos;
}

}  // namespace

TEST_CASE("a URI names its servers, and silence is filled with safe settings", "[postgres]") {
  const Target target(
      "postgresql://me:s%40cret@one,two:5433,[::1]:5434/db?sslmode=verify-full&connect_timeout=7");
  REQUIRE(target.endpoints().size() == 3);
  CHECK(target.endpoints()[0].text() == "one:5432");
  CHECK(target.endpoints()[1].text() == "two:5433");
  CHECK(target.endpoints()[2].text() == "[::1]:5434");
  CHECK(target.location() == "one:5432,two:5433,[::1]:5434/db");
  CHECK(target.connect_timeout({}) == 7s);
  CHECK(value_of(target, "password") == "s@cret");
  CHECK(value_of(target, "sslmode") == "verify-full");
  CHECK(value_of(target, "tcp_user_timeout") == "5000");
  CHECK(value_of(target, "keepalives_idle") == "10");
  CHECK(value_of(target, "application_name") == "actionhist");
  CHECK(target.session_attributes() == "read-write");
  CHECK(Target("postgresql://one/db").session_attributes() == "any");
  const Target other(
      "postgres:///db?host=/tmp&application_name=mine&tcp_user_timeout=9&target_session_attrs=primary");
  CHECK(other.location() == "/tmp:5432/db");
  CHECK(other.connect_timeout({}) == 2s);
  CHECK(value_of(other, "application_name") == "mine");
  CHECK(value_of(other, "tcp_user_timeout") == "9");
  CHECK(other.session_attributes() == "primary");
}

TEST_CASE("a URI that is none is refused without its secret", "[postgres]") {
  for (const char* uri : {
           "mysql://u:sEcReT@h/d",
           "host=h password=sEcReT",
           "postgresql://u:sEcReT@h/d?colour=red",
           "postgresql://u:sEcReT%zz@h/d",
           "postgresql://u:sEc%00ReT@h/d",
           "postgresql://u:sE@cReT@h/d",
           "postgresql://u:sE/cReT@h/d",
           "postgresql://u:sEcReT@h:x/d",
           "postgresql://u:sEcReT@[::1/d",
           "postgresql://u:sEcReT@h:99999/d",
           "postgresql://u:sEcReT@h/d?password",
           "postgresql://u:sEcReT@h/d?target_session_attrs=best",
           "postgresql://u:sEcReT@h/d?client_encoding=LATIN1",
           "postgresql://u:sEcReT@a,b,c:1,2/d?port=1,2",
           "postgresql://u:sEcReT@a,b/d?hostaddr=127.0.0.1",
       }) {
    INFO(uri);
    CHECK(error_code_of([&] { Target target(uri); }) == ErrorCode::invalid_argument);
    const std::string text = error_text_of([&] { Target target(uri); });
    CHECK(text.find("cReT") == std::string::npos);
    CHECK(text.find("sEc") == std::string::npos);
  }
  CHECK(error_text_of([] { Target("postgresql://h/d?colour=red"); }).find("colour") != std::string::npos);
  CHECK_NOTHROW(Target("postgresql://h/d?client_encoding=utf-8"));
  CHECK(error_text_of([] { Target("postgresql://u:p/w@h/d"); }).find("%2F") != std::string::npos);
}

TEST_CASE("each way in which a server cannot be had has its own clear error", "[postgres]") {
  PostgresServer& server = shared_server();
  const std::string secret = "sEcReT-%?#word";

  const ServerError password = connect_error_of(server.uri("postgres", app_role, secret));
  CHECK(password.code() == ErrorCode::denied);
  CHECK(password.sqlstate() == "28P01");
  CHECK_FALSE(password.retryable());
  CHECK_FALSE(mentions(password, "sEcReT"));

  const ServerError database = connect_error_of(server.uri("no_such_db"));
  CHECK(database.code() == ErrorCode::invalid_argument);
  CHECK(mentions(database, "no_such_db"));
  CHECK(mentions(database, "create the database"));

  const ServerError tls = connect_error_of(server.tcp_uri() + "?sslmode=require");
  CHECK(tls.code() == ErrorCode::unavailable);
  CHECK(mentions(tls, "SSL"));

  const ServerError host =
      connect_error_of("postgresql://u:sEcReT@no-such-host.invalid/d", {.connect_timeout = 60'000ms});
  CHECK(host.code() == ErrorCode::unavailable);
  CHECK(host.failure() == Failure::transient);
  CHECK(mentions(host, "no-such-host.invalid"));
  CHECK_FALSE(mentions(host, "sEcReT"));

  const ServerError port =
      connect_error_of("postgresql://u:sEcReT@127.0.0.1:" + std::to_string(free_port()) + "/d");
  CHECK(port.code() == ErrorCode::unavailable);
  CHECK(mentions(port, "127.0.0.1"));

  const ServerError socket = connect_error_of("postgresql://u:sEcReT@/d?host=/no/such/folder");
  CHECK(socket.code() == ErrorCode::unavailable);
  CHECK(mentions(socket, "/no/such/folder"));
  CHECK_FALSE(mentions(socket, "sEcReT"));
}

TEST_CASE("a very long password and a database with an unusual name are no trouble", "[postgres]") {
  PostgresServer& server = shared_server();
  const std::string secret(64 * 1024, 'z');
  const ServerError error = connect_error_of(server.uri("postgres", app_role, secret));
  CHECK(error.code() == ErrorCode::denied);
  CHECK_FALSE(mentions(error, "zzzz"));
  server.run_sql("CREATE DATABASE \"Größe 🚀 @/?\" OWNER app");
  Connection connection(Target(server.uri("Größe 🚀 @/?")), {}, "t");
  CHECK(connection.run("SELECT current_database()::text").row(0).get<std::string>() == "Größe 🚀 @/?");
}

TEST_CASE("TCP works as the socket does", "[postgres]") {
  Connection connection(Target(shared_server().tcp_uri()), {}, "t");
  CHECK(connection.run("SELECT inet_client_addr() IS NOT NULL").row(0).get<bool>());
}

TEST_CASE("a host that swallows everything is given up after connect_timeout", "[postgres]") {
  // It accepts and never answers.
  const int port = free_port();
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  REQUIRE(listen(listener, 5) == 0);
  const std::string dead = "127.0.0.1:" + std::to_string(port);
  const ServerError error = connect_error_of("postgresql://u@" + dead + "/d", {.connect_timeout = 50ms});
  CHECK(error.code() == ErrorCode::unavailable);
  CHECK(mentions(error, "connect_timeout"));
  // The next host of the list is asked then.
  const std::string both = "postgresql://app:app-p%40ss%2Fword@" + dead +
                           ",127.0.0.1:" + std::to_string(shared_server().port()) + "/postgres";
  Connection connection(Target(both), {.connect_timeout = 2000ms}, "t");
  CHECK(connection.run("SELECT 1").rows() == 1);
  close(listener);
}

TEST_CASE("a name is looked up without waiting longer than asked", "[postgres]") {
  CHECK(resolve("127.0.0.1", deadline_after(1ms)) == std::vector<std::string>{"127.0.0.1"});
  CHECK(resolve("::1", deadline_after(1ms)) == std::vector<std::string>{"::1"});
  CHECK_FALSE(resolve("localhost", deadline_after(60s)).empty());
  const auto past = std::chrono::steady_clock::now() - 1s;
  CHECK(error_code_of([&] { resolve("never-asked-before.invalid", past); }) == ErrorCode::unavailable);
}

TEST_CASE("of several hosts the one with the wanted role is taken", "[postgres]") {
  PostgresServer primary;
  Standby standby(primary);
  const auto uri = [&](const std::string& attributes) {
    return "postgresql://app:app-p%40ss%2Fword@/postgres?host=" + standby.socket_folder() + "," +
           primary.socket_folder() + "&target_session_attrs=" + attributes;
  };
  const auto is_standby = [&](const std::string& attributes) {
    return Connection(Target(uri(attributes)), {}, "t").standby();
  };
  CHECK(is_standby("any"));
  CHECK_FALSE(is_standby("read-write"));
  CHECK_FALSE(is_standby("primary"));
  CHECK(is_standby("standby"));
  CHECK(is_standby("read-only"));
  CHECK(is_standby("prefer-standby"));

  Connection reader(Target(uri("standby")), {}, "t");
  try {
    reader.run("CREATE TABLE public.t (n int)");
    FAIL("a standby has written");
  } catch (const ServerError& error) {
    CHECK(error.sqlstate() == "25006");
    CHECK(error.failure() == Failure::transient);
    CHECK(mentions(error, "target_session_attrs"));
  }

  Connection writer(Target(uri("read-write")), {}, "t");
  primary.kill9();
  CHECK_THROWS_AS(writer.run("SELECT 1"), ServerError);
  CHECK(writer.broken());
  standby.promote();
  CHECK_FALSE(is_standby("read-write"));
  // Nobody is left who is only a standby, so any will do.
  CHECK_FALSE(is_standby("prefer-standby"));
  const ServerError none = connect_error_of(uri("standby"));
  CHECK(none.code() == ErrorCode::unavailable);
}
