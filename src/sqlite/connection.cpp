#include "sqlite/connection.hpp"

#include <algorithm>
#include <thread>

#include <fmt/format.h>

#include <actionhist/error.hpp>

namespace actionhist::sqlite {
namespace {

// Texts of dynamic queries differ by filter; beyond this many the cache starts over.
constexpr std::size_t max_idle_statements = 256;

ErrorCode error_code(int code) {
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return ErrorCode::timeout;
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_NOMEM:
    case SQLITE_CANTOPEN:
    case SQLITE_PROTOCOL: return ErrorCode::unavailable;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH: return ErrorCode::denied;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return ErrorCode::corrupt;
    case SQLITE_TOOBIG: return ErrorCode::invalid_argument;
    case SQLITE_INTERRUPT: return ErrorCode::cancelled;
    default: return ErrorCode::internal;
  }
}

std::string_view advice(sqlite3* db, int code) {
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return "; another process holds the database, try again or wait longer for it";
    case SQLITE_FULL: return "; free space on the disk and try again";
    case SQLITE_READONLY:
      if (db != nullptr && sqlite3_db_readonly(db, "main") == 1) {
        if (code == SQLITE_READONLY) return "; it was opened with read_only, open it without";
        // Even to read, SQLite keeps files beside the database.
        return "; read a copy in a folder that you may write to, or, as long as nobody writes to the file, give "
               "sqlite:PATH?immutable=1";
      }
      return "; make the file and its folder writable, or open read-only";
    case SQLITE_NOTADB: return "; give the path of an actionhist database or of a new file";
    case SQLITE_CORRUPT: return "; stop writing and restore a backup";
    default: return "";
  }
}

// Waits a little longer each time, with an upper bound low enough for eight writers to take turns.
int wait_for_lock(void* timeout, int attempt) {
  const auto limit = *static_cast<std::chrono::milliseconds*>(timeout);
  const std::chrono::microseconds pause{std::min(200 * (attempt + 1), 5'000)};
  // The sum of the pauses so far, without a clock: 200 µs · n(n+1)/2 up to the 25th, 5 ms each after.
  const auto n = static_cast<std::int64_t>(attempt);
  const std::chrono::microseconds waited{n <= 25 ? 100 * n * (n + 1) : 65'000 + (n - 25) * 5'000};
  if (waited >= limit) return 0;
  std::this_thread::sleep_for(pause);
  return 1;
}

// A URI that SQLite reads as this absolute path. Of what a path may hold, these mean something in a URI.
std::string immutable_uri(std::string_view path) {
  std::string uri = "file://";
  for (const char c : path) {
    if (c == '?' || c == '#' || c == '%') {
      uri += fmt::format("%{:02X}", static_cast<int>(c));
    } else {
      uri += c;
    }
  }
  return uri + "?immutable=1";
}

}  // namespace

void fail(sqlite3* db, int code, std::string_view doing) {
  const char* text = db != nullptr ? sqlite3_errmsg(db) : sqlite3_errstr(code);
  throw Error(error_code(code), fmt::format("{}: {}{}", doing, text, advice(db, code)));
}

Connection::Connection(const OpenOptions& options) : busy_timeout_(options.busy_timeout) {
  const int flags = SQLITE_OPEN_NOMUTEX | (options.read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE) |
                    (options.create && !options.read_only ? SQLITE_OPEN_CREATE : 0) |
                    (options.immutable ? SQLITE_OPEN_URI : 0);
  const std::string name = options.immutable ? immutable_uri(options.path) : options.path;
  const int code = sqlite3_open_v2(name.c_str(), &db_, flags, nullptr);
  if (code != SQLITE_OK) {
    const std::string text = sqlite3_errmsg(db_);
    sqlite3_close(std::exchange(db_, nullptr));
    throw Error(error_code(code), fmt::format("database \"{}\": {}", options.path, text));
  }
  sqlite3_extended_result_codes(db_, 1);
  sqlite3_busy_handler(db_, wait_for_lock, &busy_timeout_);
}

Connection::~Connection() {
  for (auto& [sql, statement] : idle_) sqlite3_finalize(statement);
  sqlite3_close(db_);
}

void Connection::execute(const std::string& sql) {
  const int code = sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail(db_, code, "database");
}

sqlite3_stmt* Connection::take(const std::string& sql) {
  if (const auto found = idle_.find(sql); found != idle_.end()) {
    sqlite3_stmt* statement = found->second;
    idle_.erase(found);
    return statement;
  }
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(db_, sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) fail(db_, code, "database");
  return statement;
}

void Connection::give_back(const std::string& sql, sqlite3_stmt* statement) noexcept {
  sqlite3_reset(statement);
  sqlite3_clear_bindings(statement);
  try {
    if (idle_.size() >= max_idle_statements) {
      for (auto& [text, idle] : idle_) sqlite3_finalize(idle);
      idle_.clear();
    }
    if (idle_.emplace(sql, statement).second) return;
  } catch (const std::bad_alloc&) {  // a cache may forget
  }
  sqlite3_finalize(statement);
}

void Query::check(int code) {
  if (code != SQLITE_OK) fail(connection_.db_, code, "database");
}

Query& Query::bind(std::string_view text) { return text.empty() ? bind_null() : bind_text(text); }

Query& Query::bind_text(std::string_view text) {
  // A view without data would bind NULL.
  const char* data = text.data() != nullptr ? text.data() : "";
  check(sqlite3_bind_text64(statement_, ++parameter_, data, text.size(), SQLITE_STATIC, SQLITE_UTF8));
  return *this;
}

Query& Query::bind(std::int64_t number) {
  check(sqlite3_bind_int64(statement_, ++parameter_, number));
  return *this;
}

Query& Query::bind(double number) {
  check(sqlite3_bind_double(statement_, ++parameter_, number));
  return *this;
}

Query& Query::bind_blob(const void* data, std::size_t size) {
  check(sqlite3_bind_blob64(statement_, ++parameter_, data, size, SQLITE_STATIC));
  return *this;
}

Query& Query::bind_null() {
  check(sqlite3_bind_null(statement_, ++parameter_));
  return *this;
}

bool Query::step() {
  column_ = 0;
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) fail(connection_.db_, code, "database");
  return false;
}

int Query::run() {
  while (step()) {
  }
  return sqlite3_changes(connection_.db_);
}

void Query::reset() {
  sqlite3_reset(statement_);
  parameter_ = 0;
}

Query& Query::read(std::string& target) {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column_));
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column_++));
  target.assign(text != nullptr ? text : "", size);
  return *this;
}

Query& Query::read(Json& target) {
  std::string text;
  read(text);
  target = Json::from_canonical(std::move(text));
  return *this;
}

Query& Query::read(std::int64_t& target) {
  target = sqlite3_column_int64(statement_, column_++);
  return *this;
}

Query& Query::read(int& target) {
  target = sqlite3_column_int(statement_, column_++);
  return *this;
}

Query& Query::read(bool& target) {
  target = sqlite3_column_int(statement_, column_++) != 0;
  return *this;
}

Query& Query::read(double& target) {
  target = sqlite3_column_double(statement_, column_++);
  return *this;
}

Query& Query::read(TimePoint& target) {
  target = TimePoint{std::chrono::microseconds{get<std::int64_t>()}};
  return *this;
}

Query& Query::read(Status& target) {
  target = parse_status(get<std::string>());
  return *this;
}

Query& Query::read(Effect& target) {
  target = parse_effect(get<std::string>());
  return *this;
}

std::string_view Query::blob() {
  const auto* data = static_cast<const char*>(sqlite3_column_blob(statement_, column_));
  return {data, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column_++))};
}

}  // namespace actionhist::sqlite
