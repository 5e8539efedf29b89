#include <actionhist/postgres_months.hpp>

#include <algorithm>
#include <thread>

#include <fmt/format.h>

#include <actionhist/error.hpp>
#include <actionhist/version.hpp>

#include "core/refuse.hpp"
#include "postgres/closed_month.hpp"
#include "postgres/migrations.hpp"
#include "postgres/month_archive.hpp"
#include "postgres/server_error.hpp"

namespace actionhist {

using namespace postgres;

namespace {

constexpr int most_ahead = 120;
// Rows between two calls of the progress.
constexpr std::int64_t told_rows = 10'000;
constexpr auto lock_patience = std::chrono::seconds(5);

[[noreturn]] void refuse_month(Month month, std::string_view why) {
  throw Error(ErrorCode::conflict, fmt::format("month {}: {}", format_month(month), why));
}

// With the rights of the schema's owner, so that what is made belongs to it, and alone at this work.
void become_owner(SchemaSession& session) {
  Connection& connection = session.connection();
  const Result owner = connection.run(
      "SELECT quote_ident(pg_get_userbyid(relowner)) FROM pg_class WHERE oid = 'resource_action_traces'::regclass",
      {}, Plan::once);
  const auto name = owner.row(0).get<std::string>();
  try {
    connection.run_script("SET ROLE " + name);
  } catch (const ServerError& error) {
    if (error.code() != ErrorCode::denied) throw;
    throw Error(
        ErrorCode::denied,
        fmt::format(
            "partitions: a month holds the actions of all tenants, so only the schema's owner {}, or a "
            "member of that role, may take one out or put it back",
            name));
  }
  // What COPY writes is read by other servers, perhaps years later.
  connection.run_script("SET datestyle = 'ISO, YMD'; SET timezone = 'UTC'; SET extra_float_digits = 1");
  // A session that has just ended may hold the lock for a moment.
  const auto deadline = std::chrono::steady_clock::now() + lock_patience;
  while (!session.try_lock()) {
    if (std::chrono::steady_clock::now() > deadline) {
      throw Error(ErrorCode::conflict,
                  "partitions: another process is detaching, archiving or restoring a month");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

std::int64_t check_version(SchemaSession& session) {
  const Result result =
      session.connection().run("SELECT coalesce(max(version), 0) FROM actionhist_migrations", {}, Plan::once);
  const auto version = result.row(0).get<int>();
  if (version != migrations().back().version) {
    throw Error(
        ErrorCode::unsupported,
        fmt::format("database has schema {}, this library needs {}; run actionhist migrate, or update the "
                    "library",
                    version, migrations().back().version));
  }
  return version;
}

}  // namespace

struct PostgresMonths::State {
  postgres::Target target;
  PostgresMonthsOptions options;
  std::int64_t schema_version = 0;  // of the last session

  SchemaSession session() { return SchemaSession(target, options.postgres, {}, "partitions"); }

  void detach(ClosedMonth& month, Month which) {
    const auto closing = month.find();
    if (closing && closing->state == MonthState::detached) return;
    if (closing && closing->state == MonthState::archived)
      refuse_month(which, "is archived in " + closing->archive);
    if (closing && closing->state == MonthState::restoring)
      refuse_month(which, "is being restored; finish that first");
    if (!closing) {
      if (!month.attached()) {
        throw Error(ErrorCode::not_found, fmt::format("month {}: is not there", format_month(which)));
      }
      month.check_free();
      month.close();
    }
    month.count_out();
    month.take_out();
  }

  void read_back(const std::filesystem::path& folder, const MonthArchive& archive) const {
    ArchiveReader reader(folder / archive.file);
    std::int64_t told = 0;
    while (!reader.next().empty()) {
      if (reader.rows() < told + told_rows) continue;
      told = reader.rows();
      tell("reading back", told);
    }
    reader.check(archive);
    tell("reading back", reader.rows());
  }

  MonthArchive write(ClosedMonth& month, Month which, const std::filesystem::path& folder) {
    MonthArchive archive;
    archive.month = which;
    archive.file = archive_name(which);
    archive.columns = month.columns();
    ArchiveWriter writer(folder / archive.file);
    month.copy_out(archive.columns, [&](std::span<const std::byte> row) {
      writer.add(row);
      if (writer.rows() % told_rows == 0) tell("copying", writer.rows());
    });
    writer.finish();
    archive.actions = writer.rows();
    archive.bytes = writer.bytes();
    archive.sha256 = writer.sha256();
    archive.departure = month.find().value().departure;
    archive.schema = options.postgres.schema;
    archive.schema_version = schema_version;
    archive.actionhist_version = version();
    archive.archived_at = std::chrono::floor<std::chrono::seconds>(system_now());
    tell("copying", archive.actions);
    return archive;
  }

  void tell(std::string_view step, std::int64_t actions) const {
    if (options.progress) options.progress({step, actions});
  }
};

PostgresMonths::PostgresMonths(std::string_view uri, PostgresMonthsOptions options) {
  if (!uri.starts_with("postgresql://") && !uri.starts_with("postgres://")) {
    throw Error(ErrorCode::unsupported,
                "partitions: only a memory in PostgreSQL has months; the embedded engine keeps one file, see "
                "actionhist retention");
  }
  validate(options.postgres);
  state_ = std::make_unique<State>(State{Target(uri), std::move(options)});
}

PostgresMonths::~PostgresMonths() = default;
PostgresMonths::PostgresMonths(PostgresMonths&&) noexcept = default;
PostgresMonths& PostgresMonths::operator=(PostgresMonths&&) noexcept = default;

std::vector<MonthInfo> PostgresMonths::list() {
  SchemaSession session = state_->session();
  check_version(session);
  const Result result = session.connection().run(
      "WITH names AS (SELECT c.relname::text AS part FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE "
      "i.inhparent = 'resource_action_traces'::regclass UNION SELECT 'resource_action_traces_' || "
      "replace(month, '-', '_') FROM closed_months) "
      "SELECT replace(right(part, 7), '_', '-'), coalesce(k.state, 'present'), CASE WHEN k.state = 'archived' THEN "
      "k.actions ELSE c.reltuples::bigint END, coalesce(pg_total_relation_size(c.oid), 0), CASE WHEN k.state = "
      "'archived' THEN k.archive END FROM names LEFT JOIN closed_months k ON part = 'resource_action_traces_' || "
      "replace(k.month, '-', '_') LEFT JOIN pg_class c ON c.oid = to_regclass(part) "
      "WHERE part ~ '^resource_action_traces_[0-9]{4}_[0-9]{2}$' ORDER BY part",
      {}, Plan::once);
  std::vector<MonthInfo> months;
  for (Reader reader(result); reader.next();) {
    MonthInfo& info = months.emplace_back();
    info.month = parse_month(reader.get<std::string>());
    info.state = parse_month_state(reader.get<std::string>());
    reader.read(info.actions).read(info.bytes).read(info.archive);
  }
  return months;
}

std::vector<Month> PostgresMonths::ensure(int ahead) {
  require_between("ahead", ahead, 0, most_ahead);
  SchemaSession session = state_->session();
  check_version(session);
  const Result now = session.connection().run("SELECT now()", {}, Plan::once);
  const std::chrono::year_month_day today(std::chrono::floor<std::chrono::days>(now.row(0).get<TimePoint>()));
  std::vector<Month> made;
  for (int i = 0; i <= ahead; ++i) {
    const Month month = today.year() / today.month() + std::chrono::months(i);
    const Result result =
        session.connection().run("SELECT actionhist_ensure_month($1)",
                                 Parameters(TimePoint(std::chrono::sys_days(month / 1))), Plan::once);
    if (result.row(0).get<bool>()) made.push_back(month);
  }
  return made;
}

void PostgresMonths::detach(Month month) {
  SchemaSession session = state_->session();
  check_version(session);
  become_owner(session);
  ClosedMonth closed(session, month, state_->options.progress);
  state_->detach(closed, month);
}

MonthArchive PostgresMonths::archive(Month month, const std::filesystem::path& folder) {
  SchemaSession session = state_->session();
  state_->schema_version = check_version(session);
  become_owner(session);
  ClosedMonth closed(session, month, state_->options.progress);
  auto known = read_manifest(folder, month);
  const auto closing = closed.find();
  if (closing && closing->state == MonthState::archived) {
    if (known && known->departure == closing->departure && known->sha256 == closing->sha256) return *known;
    refuse_month(month, "is archived already, in " + closing->archive);
  }
  if (known && (!closing || known->departure != closing->departure)) {
    refuse_month(month,
                 fmt::format("\"{}\" holds another archive of it; give another folder", folder.string()));
  }
  std::error_code fault;
  std::filesystem::create_directories(folder, fault);
  if (fault) {
    throw Error(ErrorCode::unavailable,
                fmt::format("archive: cannot make the folder \"{}\": {}", folder.string(), fault.message()));
  }
  state_->detach(closed, month);
  // A hold may have come since it was detached.
  closed.check_free();
  const MonthArchive archive = known ? *known : state_->write(closed, month, folder);
  state_->read_back(folder, archive);
  if (!known) write_manifest(folder, archive);
  state_->tell("manifest written", archive.actions);
  closed.drop(archive, std::filesystem::absolute(manifest_path(folder, month)).string());
  return archive;
}

void PostgresMonths::restore(Month month, const std::filesystem::path& folder) {
  SchemaSession session = state_->session();
  const std::int64_t version = check_version(session);
  become_owner(session);
  ClosedMonth closed(session, month, state_->options.progress);
  auto closing = closed.find();
  if (!closing) refuse_month(month, closed.attached() ? "is there" : "was not archived from this database");
  if (closing->state == MonthState::detaching) refuse_month(month, "is being detached; finish that first");
  if (closing->state == MonthState::archived) {
    const auto archive = read_manifest(folder, month);
    if (!archive) {
      throw Error(ErrorCode::not_found, fmt::format("archive: there is no \"{}\"; it was {}",
                                                    manifest_path(folder, month).string(), closing->archive));
    }
    if (archive->sha256 != closing->sha256 || archive->departure != closing->departure) {
      refuse_month(month, fmt::format("\"{}\" holds another archive of it", folder.string()));
    }
    if (archive->schema_version > version) {
      throw Error(ErrorCode::unsupported, "archive: it is of a newer schema; update the library");
    }
    const std::vector<std::string> columns = closed.columns();
    for (const std::string& column : archive->columns) {
      if (std::ranges::find(columns, column) != columns.end()) continue;
      throw Error(ErrorCode::unsupported, fmt::format("archive: there is no column \"{}\" any more", column));
    }
    closed.load(archive->columns, [&](Connection& connection, const std::string& copy) {
      ArchiveReader reader(folder / archive->file);
      connection.copy_in(copy, [&] { return reader.next(); });
      reader.check(*archive);
    });
    closing->state = MonthState::detached;
  }
  if (closing->state == MonthState::detached) closed.put_back();
  closed.count_in();
  closed.open();
}

}  // namespace actionhist
