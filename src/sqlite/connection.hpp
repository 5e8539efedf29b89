// SQLite's connection and statements as C++ values. A Connection is used by one thread at a time.
// This room is the only one that includes sqlite3.h.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include <sqlite3.h>

#include <actionhist/action.hpp>

namespace actionhist::sqlite {

// Throws the Error that an SQLite result code means. `doing` starts the message.
[[noreturn]] void fail(sqlite3* db, int code, std::string_view doing);

struct OpenOptions {
  std::string path;  // ":memory:" or a file
  bool read_only = false;
  std::chrono::milliseconds busy_timeout{10'000};
  // Nobody changes the file while it is open, so that it is read without locks, and no file is made beside it.
  bool immutable = false;
  bool create = true;  // the file, if there is none
};

class Connection {
 public:
  explicit Connection(const OpenOptions& options);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Runs statements that return no rows.
  void execute(const std::string& sql);

  sqlite3* handle() const noexcept { return db_; }

 private:
  friend class Query;
  sqlite3_stmt* take(const std::string& sql);
  void give_back(const std::string& sql, sqlite3_stmt* statement) noexcept;

  sqlite3* db_ = nullptr;
  std::chrono::milliseconds busy_timeout_;
  std::unordered_map<std::string, sqlite3_stmt*> idle_;  // prepared and not in use, by text
};

// One run of a prepared statement. Parameters are bound in order, columns read in order.
class Query {
 public:
  Query(Connection& connection, std::string sql)
      : connection_(connection), sql_(std::move(sql)), statement_(connection.take(sql_)) {}
  ~Query() { connection_.give_back(sql_, statement_); }
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;

  // Bound text must live until the query is done. Empty text and absent Json are NULL.
  Query& bind(std::string_view text);
  Query& bind(const std::string& text) { return bind(std::string_view(text)); }
  Query& bind(const char* text) { return bind(std::string_view(text)); }
  Query& bind(const Json& json) { return bind(std::string_view(json.text())); }
  Query& bind(std::int64_t number);
  Query& bind(int number) { return bind(static_cast<std::int64_t>(number)); }
  Query& bind(bool flag) { return bind(static_cast<std::int64_t>(flag)); }
  Query& bind(double number);
  Query& bind(TimePoint time) { return bind(std::int64_t{time.time_since_epoch().count()}); }
  Query& bind(Status status) { return bind(to_string(status)); }
  Query& bind(Effect effect) { return bind(to_string(effect)); }
  Query& bind_text(std::string_view text);  // empty text stays empty text
  Query& bind_blob(const void* data, std::size_t size);
  Query& bind_null();
  template <class T>
  Query& bind(const std::optional<T>& value) {
    return value ? bind(*value) : bind_null();
  }
  template <class... Values>
  Query& bind_all(const Values&... values) {
    (bind(values), ...);
    return *this;
  }

  // True while there is a row.
  bool step();
  // Runs to the end and returns the number of rows changed.
  int run();
  // Ready to be bound and run again.
  void reset();

  Query& read(std::string& target);
  Query& read(Json& target);
  Query& read(std::int64_t& target);
  Query& read(int& target);
  Query& read(bool& target);
  Query& read(double& target);
  Query& read(TimePoint& target);
  Query& read(Status& target);
  Query& read(Effect& target);
  template <class T>
  Query& read(std::optional<T>& target) {
    if (null()) {
      target.reset();
      ++column_;
      return *this;
    }
    return read(target.emplace());
  }
  template <class T>
  T get() {
    T value{};
    read(value);
    return value;
  }
  std::string_view blob();

 private:
  bool null() const { return sqlite3_column_type(statement_, column_) == SQLITE_NULL; }
  void check(int code);

  Connection& connection_;
  std::string sql_;
  sqlite3_stmt* statement_;
  int parameter_ = 0;
  int column_ = 0;
};

}  // namespace actionhist::sqlite
