// The months of a memory in PostgreSQL: making them ahead, and taking old ones out of the database and back. A month
// holds the actions of all tenants, so this is apart from a History. Used by one thread; what changes months excludes
// itself across processes.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <actionhist/postgres_options.hpp>
#include <actionhist/time.hpp>

namespace actionhist {

using Month = std::chrono::year_month;  // in UTC

// Reads "2026-03". Throws Error: invalid_argument, naming `field`.
Month parse_month(std::string_view text, std::string_view field = "month");
std::string format_month(Month month);

enum class MonthState {
  present,    // in the database
  detaching,  // there, but closed: nothing in it can be changed; detach() was interrupted, and goes on
  detached,   // in a table of its own that nobody sees; archive() or restore() may follow
  archived,   // in a file
  restoring,  // there again, but closed; restore() was interrupted, and goes on
};

std::string_view to_string(MonthState state) noexcept;  // "present"

struct MonthInfo {
  Month month{};
  MonthState state{};
  std::int64_t actions = 0;  // what the server estimates, -1 if it does not know; of an archived month exact
  std::int64_t bytes = 0;    // in the database, with indexes
  std::string archive;       // of an archived month, the path of its manifest at that time
};

std::string to_json(const MonthInfo& info);

// What the manifest beside an archive says: traces-2026-03.json beside traces-2026-03.copy.zst.
struct MonthArchive {
  Month month{};
  std::string file;                  // in the manifest's folder: rows as COPY writes them, compressed by zstd
  std::vector<std::string> columns;  // of a row, in order
  std::int64_t actions = 0;
  std::int64_t bytes = 0;  // of the file
  std::string sha256;      // of the rows, before compression
  std::string departure;   // tells one detach() of the month from another
  std::string schema;      // that it is from
  std::int64_t schema_version = 0;
  std::string actionhist_version;
  TimePoint archived_at{};
};

std::string to_json(const MonthArchive& archive);
// Throws Error: invalid_argument, naming the field; unsupported for a format that a newer library has written.
MonthArchive parse_month_archive(std::string_view json);

struct MonthProgress {
  std::string_view step;     // "counting actions out", "copying", …
  std::int64_t actions = 0;  // dealt with in this step
};

struct PostgresMonthsOptions {
  PostgresOptions postgres = {};
  // Called after each step and each piece of one. What it throws ends the work there; it may be done again.
  std::function<void(const MonthProgress&)> progress = {};
};

// Whatever interrupts detach(), archive() or restore(), the actions are in the database or in a verified file, and the
// same call again goes on. They need the schema's owner, or a member of that role, and the server itself.
// All throw Error: unavailable, denied, unsupported (schema of another version).
class PostgresMonths {
 public:
  // Throws Error: unsupported for an embedded engine, which has no months.
  explicit PostgresMonths(std::string_view uri, PostgresMonthsOptions options = {});
  ~PostgresMonths();
  PostgresMonths(PostgresMonths&&) noexcept;
  PostgresMonths& operator=(PostgresMonths&&) noexcept;

  // The oldest first.
  std::vector<MonthInfo> list();

  // Makes this month and `ahead` more, 0 to 120, and returns those that were missing.
  std::vector<Month> ensure(int ahead);

  // Takes a month out of what is searched and counted, while agents write on; nothing can be stored in it then.
  // Throws Error: not_found; conflict for a month that the guard may still read or that somebody holds (a legal hold,
  // a detection in force), and while another process is at it.
  void detach(Month month);

  // Detaches a month if need be, writes it to `folder`, reads it back, and then drops it from the database. Done
  // again, it returns what is there. Throws Error: as detach() does, and conflict when the folder holds another
  // archive of the month.
  MonthArchive archive(Month month, const std::filesystem::path& folder);

  // Puts a month back as it was: a detached one, or an archived one from `folder`. Its actions are queued for the
  // feed. Throws Error: not_found without a manifest, conflict for a month that is there or a manifest that is not
  // of its archive, corrupt for a file that is not what the manifest says.
  void restore(Month month, const std::filesystem::path& folder = {});

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace actionhist
