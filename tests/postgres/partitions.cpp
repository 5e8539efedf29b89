// Months that leave the database for a file and come back: every column, whatever interrupts it, and only by those
// who may.
#include <catch2/catch.hpp>

#include <fstream>
#include <thread>

#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include <actionhist/postgres_months.hpp>
#include <actionhist/postgres_roles.hpp>

#include "postgres/connection.hpp"
#include "support/postgres_server.hpp"
#include "support/samples.hpp"

using namespace actionhist;
using namespace actionhist::test;

namespace {

const Month march = std::chrono::year(2024) / 3;

Options of_tenant(std::string tenant) {
  Options options{.tenant = std::move(tenant), .semantic = false};
  options.postgres.pool_min = 0;
  return options;
}

// A database with a March of two tenants, in all columns and with what COPY has to escape, and with other months.
class Months {
 public:
  Months() : uri_(fresh_database(shared_server())) {
    for (const std::string& tenant : tenants) {
      History history = open(uri_, of_tenant(tenant));
      for (int i = 0; i < 6; ++i) store(history, fmt::format("a-{}", i), march, i);
      store(history, "before", std::chrono::year(2024) / 2, 1);
      store(history, "after", std::chrono::year(2024) / 4, 1);
    }
  }

  const std::string& uri() const { return uri_; }
  std::string sql(const std::string& text) const {
    return shared_server().run_sql("SET search_path = actionhist; " + text, database_of(uri_));
  }
  // Every row of every tenant, every counter and every registered id.
  std::string rows() const {
    return sql(
        "SELECT (SELECT string_agg(t::text, E'\\n' ORDER BY t::text) FROM resource_action_traces t) || (SELECT "
        "string_agg(tenant_id || resource_id || total_actions, ',' ORDER BY tenant_id, resource_id) FROM "
        "action_histories) || (SELECT string_agg(i::text, ',' ORDER BY i::text) FROM action_ids i)");
  }
  void check_counters() const {
    for (const std::string& tenant : tenants) {
      CHECK(open(uri_, of_tenant(tenant)).repository().maintenance().verify() == std::vector<std::string>{});
    }
  }
  MonthInfo info(Month month = march) const {
    for (const MonthInfo& info : PostgresMonths(uri_).list()) {
      if (info.month == month) return info;
    }
    return {};
  }
  std::string archive(std::string_view name) const { return folder_.file(name); }
  const std::filesystem::path& folder() const { return folder_.path(); }

  const std::vector<std::string> tenants = {"t", "ein \"großer\" Mandant, 日本"};

 private:
  static void store(History& history, std::string id, Month month, int i) {
    const TimePoint at = TimePoint(std::chrono::sys_days(month / 1)) + i * 121h + 123'456us;
    Action action = scale(i % 2 == 0 ? id : std::string(), i, i + 1, at);
    action.correlation_id = fmt::format("run-{}", i);
    action.session_id = "session";
    action.actor = "agent\t\\N";
    action.environment = "prod";
    action.alert_labels = Json::parse(R"({"pod":"web\\1\n","größe":"日本"})");
    action.alert_annotations = Json::parse(R"({"summary":"tab\tand \"quotes\""})");
    action.alert_firing_time = at - 1min;
    action.model_used = "model";
    action.model_confidence = 0.1 + 0.2;
    action.model_reasoning = "Zeile eins\nZeile zwei\r\n\\. 🚀 end";
    action.metadata = Json::parse(R"({"n":1e300,"ticket":"A-1"})");
    action.resource.name = fmt::format("web-{}", i % 3);
    if (i == 5) action.resource = {};
    const Trace trace = history.record(action);
    Outcome outcome = completed(i / 7.0);
    outcome.execution_start_time = at;
    outcome.execution_end_time = at + 1min;
    if (i < 4) history.complete(trace.action_id, outcome);
  }

  std::string uri_;
  TempFolder folder_;
};

}  // namespace

TEST_CASE("a month goes into a file and comes back with every column", "[postgres][partitions]") {
  const Months months;
  Options options = of_tenant("t");
  options.semantic = true;
  options.index_folder = "";
  History history = open(months.uri(), options);
  REQUIRE(history.wait_indexed(60s));
  const std::string before = months.rows();
  PostgresMonths all(months.uri());

  const MonthArchive archive = all.archive(march, months.folder());
  CHECK(archive.actions == 12);
  CHECK(archive.bytes == static_cast<std::int64_t>(std::filesystem::file_size(months.archive(archive.file))));
  CHECK(months.info().state == MonthState::archived);
  CHECK(months.info().actions == 12);
  CHECK(months.info().archive == months.archive("traces-2024-03.json"));
  months.check_counters();
  CHECK(history.history({.limit = 100}).traces.size() == 2);
  CHECK_FALSE(history.get("a-2"));
  // The id stays taken, and the month is not made anew behind the archive's back.
  for (const std::string id : {"a-2", "new"}) {
    const auto again = [&] { history.record(restart(id, parse_time("2024-03-05T00:00:00Z"))); };
    CHECK(error_code_of(again) == ErrorCode::conflict);
  }
  CHECK(error_text_of([&] {
          history.record(restart("new", parse_time("2024-03-05T00:00:00Z")));
        }).find("2024-03 is archived") != std::string::npos);
  REQUIRE(history.wait_indexed(60s));
  CHECK(history.similar({.text = "scale deployment", .limit = 50}).size() == 2);
  const RetentionOperation out = history.retention_operations().at(0);
  CHECK(out.operation_type == "archive");
  CHECK(out.records_archived == 6);
  // Asked again, it says what is there.
  CHECK(to_json(all.archive(march, months.folder())) == to_json(archive));

  all.restore(march, months.folder());
  CHECK(months.rows() == before);
  CHECK(months.info().state == MonthState::present);
  months.check_counters();
  REQUIRE(history.wait_indexed(60s));
  CHECK(history.similar({.text = "scale deployment", .limit = 50}).size() == 8);
  CHECK(history.retention_operations().at(0).operation_type == "restore");
  CHECK(history.record(restart("late", parse_time("2024-03-05T00:00:00Z"))).stored);
  CHECK(history.erase("a-2"));
  months.check_counters();
  // What it was archived as before does not pass for what it is now.
  CHECK(error_code_of([&] { all.restore(march, months.folder()); }) == ErrorCode::conflict);
  CHECK(error_code_of([&] { all.archive(march, months.folder()); }) == ErrorCode::conflict);
  CHECK(all.archive(march, months.archive("second")).actions == 12);
}

TEST_CASE("a month that is only detached comes back without a file, and agents write on meanwhile",
          "[postgres][partitions]") {
  const Months months;
  const std::string before = months.rows();
  History history = open(months.uri(), of_tenant("t"));
  int written = 0;
  PostgresMonthsOptions options;
  options.progress = [&](const MonthProgress&) {
    CHECK(history.record(restart(fmt::format("now-{}", written++), system_now())).stored);
  };
  PostgresMonths all(months.uri(), options);
  all.detach(march);
  CHECK(months.info().state == MonthState::detached);
  CHECK_FALSE(history.get("a-2"));
  months.check_counters();
  all.detach(march);  // once is enough
  CHECK(error_code_of([&] { history.record(restart("x", parse_time("2024-03-05T00:00:00Z"))); }) ==
        ErrorCode::conflict);
  all.restore(march);
  CHECK(written > 5);
  for (int i = 0; i < written; ++i) CHECK(history.erase(fmt::format("now-{}", i)));
  months.sql("DELETE FROM action_ids WHERE action_id LIKE 'now-%'");
  months.sql("DELETE FROM action_histories WHERE total_actions = 0");
  CHECK(months.rows() == before);
  months.check_counters();
}

TEST_CASE("a month is archived and restored whatever step its process is killed in",
          "[postgres][partitions]") {
  const Months months;
  const std::string before = months.rows();
  // Kills itself at the given step. True if the work was done before.
  const auto killed_at = [&](int step, bool back) {
    const pid_t child = fork();
    if (child == 0) {
      int steps = 0;
      PostgresMonthsOptions options;
      options.progress = [&](const MonthProgress&) {
        if (++steps == step) kill(getpid(), SIGKILL);
      };
      try {
        PostgresMonths all(months.uri(), options);
        if (back) {
          all.restore(march, months.folder());
        } else {
          all.archive(march, months.folder());
        }
      } catch (const std::exception&) {
        _exit(1);
      }
      _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    REQUIRE((WIFSIGNALED(status) || WEXITSTATUS(status) == 0));
    return !WIFSIGNALED(status);
  };
  // Sessions of the dead end a moment later, and with them their lock.
  const auto retrying = [&](const std::function<void(PostgresMonths&)>& work) {
    std::string error;
    CHECK(wait_until([&] {
      PostgresMonths all(months.uri());
      error = error_text_of([&] { work(all); });
      return error.find("another process") == std::string::npos;
    }));
    CHECK(error.empty());
  };
  int step = 1;
  for (bool out = false, back = false; !out || !back; ++step) {
    out = killed_at(step, false);
    // The actions are in the table, or in a file that says so.
    if (months.info().state == MonthState::archived) {
      CHECK(std::filesystem::exists(months.archive("traces-2024-03.json")));
    } else {
      CHECK(months.sql("SELECT count(*) FROM resource_action_traces_2024_03") == "12");
    }
    retrying([&](PostgresMonths& all) { all.archive(march, months.folder()); });
    CHECK(months.info().state == MonthState::archived);
    back = killed_at(step, true);
    if (months.info().state != MonthState::present) {
      retrying([&](PostgresMonths& all) { all.restore(march, months.folder()); });
    }
    CHECK(months.rows() == before);
    std::filesystem::remove(months.archive("traces-2024-03.json"));
  }
  CHECK(step > 8);
  months.check_counters();
}

TEST_CASE("a detachment that is killed while it waits for a reader is finished by the next",
          "[postgres][partitions]") {
  const Months months;
  const std::string before = months.rows();
  postgres::Connection reader(postgres::Target(months.uri()), {}, "t");
  reader.run_script("BEGIN; SELECT FROM resource_action_traces");
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    try {
      PostgresMonths(months.uri()).detach(march);
    } catch (const std::exception&) {
    }
    _exit(0);
  }
  const auto pending = [&] { return months.sql("SELECT bool_or(inhdetachpending) FROM pg_inherits") == "t"; };
  CHECK(wait_until(pending));
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  const std::string detaching =
      "pg_stat_activity WHERE datname = current_database() AND query LIKE '%DETACH%' AND pid <> "
      "pg_backend_pid()";
  months.sql("SELECT pg_terminate_backend(pid) FROM " + detaching);
  CHECK(wait_until([&] { return months.sql("SELECT count(*) FROM " + detaching) == "0"; }));
  History history = open(months.uri(), of_tenant("t"));
  CHECK(error_code_of([&] { history.record(restart("n", parse_time("2024-03-05T00:00:00Z"))); }) ==
        ErrorCode::conflict);
  CHECK(months.info().state == MonthState::detaching);
  CHECK(error_code_of([&] { PostgresMonths(months.uri()).restore(march); }) == ErrorCode::conflict);
  reader.run_script("COMMIT");
  CHECK(pending());
  CHECK(PostgresMonths(months.uri()).archive(march, months.folder()).actions == 12);
  PostgresMonths(months.uri()).restore(march, months.folder());
  CHECK(months.rows() == before);
  months.check_counters();
}

TEST_CASE("a month leaves beside a default partition too", "[postgres][partitions]") {
  const Months months;
  const std::string before = months.rows();
  months.sql("CREATE TABLE others PARTITION OF resource_action_traces DEFAULT");
  PostgresMonths(months.uri()).detach(march);
  CHECK(months.info().state == MonthState::detached);
  PostgresMonths(months.uri()).restore(march);
  CHECK(months.rows() == before);
}

TEST_CASE("a damaged archive is told, and nothing of it is stored", "[postgres][partitions]") {
  const Months months;
  const std::string before = months.rows();
  PostgresMonths all(months.uri());
  const MonthArchive archive = all.archive(march, months.folder());
  const std::string file = months.archive(archive.file);
  const std::string manifest = months.archive("traces-2024-03.json");
  const auto content = [](const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(in), {});
  };
  const std::string good = content(file);
  const std::string good_manifest = content(manifest);
  const auto put = [](const std::string& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
  };
  const auto restore = [&] { all.restore(march, months.folder()); };

  std::string flipped = good;
  flipped[good.size() / 2] = static_cast<char>(flipped[good.size() / 2] ^ 1);
  for (const std::string& bad : {flipped, good.substr(0, good.size() / 2), good + good, std::string()}) {
    put(file, bad);
    CHECK(error_code_of(restore) == ErrorCode::corrupt);
    CHECK(months.info().state == MonthState::archived);
    CHECK(months.sql("SELECT to_regclass('resource_action_traces_2024_03') IS NULL") == "t");
  }
  put(file, good);
  put(manifest, good_manifest.substr(0, good_manifest.size() / 2));
  CHECK(error_code_of(restore) == ErrorCode::corrupt);
  std::string other = good_manifest;
  other.replace(other.find(archive.sha256), 1, archive.sha256[0] == '0' ? "1" : "0");
  put(manifest, other);
  CHECK(error_code_of(restore) == ErrorCode::conflict);
  std::filesystem::remove(manifest);
  CHECK(error_code_of(restore) == ErrorCode::not_found);
  put(manifest, good_manifest);
  restore();
  CHECK(months.rows() == before);
}

TEST_CASE("a full disk leaves the month in the database, and no half of a file", "[postgres][partitions]") {
  if (!can_mount()) {
    WARN("not allowed to mount a small disk: not tested here");
    return;
  }
  const Months months;
  months.sql(
      "INSERT INTO resource_action_traces (tenant_id, action_id, action_timestamp, action_type, effect, model_reasoning, "
      "execution_status, created_at, updated_at) SELECT 't', 'b-' || i, '2024-03-02', 'x', 'mutating', (SELECT "
      "string_agg(md5((i * 100 + j)::text), '') FROM generate_series(1, 40) j), 'pending', now(), now() FROM "
      "generate_series(1, 500) i");
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const std::string folder = months.folder().string();
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        mount("tmpfs", folder.c_str(), "tmpfs", 0, "size=64k") != 0) {
      _exit(9);
    }
    const auto archive = [&] { PostgresMonths(months.uri()).archive(march, folder); };
    const std::string text = error_text_of(archive);
    const bool told = text.find("No space left") != std::string::npos;
    const bool clean = std::filesystem::is_empty(folder);
    _exit(told && error_code_of(archive) == ErrorCode::unavailable && clean ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  CHECK(WEXITSTATUS(status) == 0);
  CHECK(months.info().state == MonthState::detached);
  CHECK(PostgresMonths(months.uri()).archive(march, months.folder()).actions == 512);
}

TEST_CASE("one process at a time takes months out or puts them back", "[postgres][partitions]") {
  const Months months;
  std::vector<ErrorCode> codes;
  PostgresMonthsOptions options;
  options.progress = [&](const MonthProgress& progress) {
    if (progress.step != "detached") return;
    codes.push_back(error_code_of([&] { PostgresMonths(months.uri()).detach(std::chrono::year(2024) / 4); }));
  };
  PostgresMonths(months.uri(), options).archive(march, months.folder());
  CHECK(codes == std::vector<ErrorCode>{ErrorCode::conflict});
}

TEST_CASE("months without an action, of another time or that somebody holds", "[postgres][partitions]") {
  const Months months;
  PostgresMonths all(months.uri());
  History history = open(months.uri(), of_tenant("t"));
  const auto detach = [&](Month month) { return [&all, month] { all.detach(month); }; };
  CHECK(all.ensure(5).size() == 2);
  CHECK(all.ensure(5).empty());
  CHECK(error_code_of([&] { all.ensure(-1); }) == ErrorCode::invalid_argument);
  months.sql("SELECT actionhist_ensure_month('2020-01-05 UTC')");
  const Month empty = std::chrono::year(2020) / 1;
  CHECK(all.archive(empty, months.folder()).actions == 0);
  all.restore(empty, months.folder());
  CHECK(months.info(empty).state == MonthState::present);

  CHECK(error_code_of(detach(std::chrono::year(2019) / 1)) == ErrorCode::not_found);
  const std::chrono::year_month_day today(std::chrono::floor<std::chrono::days>(system_now()));
  CHECK(error_code_of(detach(today.year() / today.month())) == ErrorCode::conflict);
  CHECK(error_code_of([&] { all.restore(march); }) == ErrorCode::conflict);

  history.set_retention_policy(RetentionPolicy{.legal_hold = true},
                               {.kind = "Deployment", .namespace_ = "prod", .name = "web-1"});
  CHECK(error_code_of(detach(march)) == ErrorCode::conflict);
  CHECK(error_text_of(detach(march)).find("legal hold") != std::string::npos);
  history.set_retention_policy(std::nullopt, {.kind = "Deployment", .namespace_ = "prod", .name = "web-1"});
  all.detach(march);
  History other = open(months.uri(), of_tenant(months.tenants[1]));
  other.set_retention_policy(RetentionPolicy{.legal_hold = true});
  CHECK(error_code_of([&] { all.archive(march, months.folder()); }) == ErrorCode::conflict);
  CHECK(months.info().state == MonthState::detached);

  for (const char* text : {"", "2024-3", "2024-13", "1999-12", "2024-03-01", "2024/03", "x024-03"}) {
    CHECK(error_code_of([&] { parse_month(text); }) == ErrorCode::invalid_argument);
  }
  CHECK(error_code_of([] { PostgresMonths("memory:"); }) == ErrorCode::unsupported);
}

TEST_CASE("a closed month changes for nobody until it is open again", "[postgres][partitions]") {
  const Months months;
  History history = open(months.uri(), of_tenant("t"));
  std::vector<ErrorCode> codes;
  PostgresMonthsOptions options;
  options.progress = [&](const MonthProgress& progress) {
    if (progress.step != "closing the month") return;
    codes.push_back(error_code_of([&] { history.erase("a-2"); }));
    codes.push_back(error_code_of([&] { history.complete("a-4", completed()); }));
    codes.push_back(error_code_of([&] { history.record(restart("n", parse_time("2024-03-05T00:00:00Z"))); }));
    CHECK(history.get("a-2"));
  };
  PostgresMonths(months.uri(), options).detach(march);
  CHECK(codes == std::vector<ErrorCode>(3, ErrorCode::unavailable));
  PostgresMonths(months.uri()).restore(march);
  CHECK(history.complete("a-4", completed()).outcome.status == Status::completed);
  CHECK(history.erase("a-2"));
  months.check_counters();
}

TEST_CASE("months are made by maintenance, and taken out by the schema's owner and its members alone",
          "[postgres][partitions]") {
  const Months months;
  const std::string database = database_of(months.uri());
  shared_server().run_sql(postgres_roles_script("actionhist"), database);
  const auto as = [&](std::string_view role) {
    const std::string name = fmt::format("{}_{}", role, database);
    shared_server().run_sql(fmt::format("CREATE ROLE {} LOGIN PASSWORD 'x' IN ROLE {}", name, role),
                            database);
    return PostgresMonths(shared_server().uri(database, name, "x"));
  };
  for (const char* role : {"actionhist_reader", "actionhist_writer", "actionhist_maintenance"}) {
    INFO(role);
    PostgresMonths all = as(role);
    CHECK(all.list().size() > 3);
    CHECK(error_code_of([&] { all.detach(march); }) == ErrorCode::denied);
    CHECK(error_code_of([&] { all.archive(march, months.folder()); }) == ErrorCode::denied);
    CHECK(error_code_of([&] { all.restore(march); }) == ErrorCode::denied);
    const bool makes = std::string_view(role) != "actionhist_reader";
    CHECK(error_code_of([&] { all.ensure(6); }) == (makes ? ErrorCode::internal : ErrorCode::denied));
  }
  CHECK(months.info().state == MonthState::present);
  as(app_role).archive(march, months.folder());
  PostgresMonths(shared_server().superuser_uri(database)).restore(march, months.folder());
  CHECK(months.sql("SELECT tableowner FROM pg_tables WHERE tablename = 'resource_action_traces_2024_03'") ==
        app_role);
  months.check_counters();
}
