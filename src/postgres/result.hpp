// The rows of a statement in PostgreSQL's binary format, read column by column in order.
// A Result may be read from any thread at once, each with its own Reader.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <libpq-fe.h>

#include <actionhist/action.hpp>

#include "postgres/wire.hpp"

namespace actionhist::postgres {

class Reader;
using Row = Reader;

class Result {
 public:
  // Takes the ownership. REQUIRES: the result is no error.
  explicit Result(PGresult* result) : result_(result, PQclear) {}

  int rows() const noexcept { return PQntuples(result_.get()); }
  int columns() const noexcept { return PQnfields(result_.get()); }
  // The number of rows that the statement changed or returned.
  std::int64_t affected() const noexcept;
  // "INSERT 0 1", "COMMIT", …
  std::string_view command() const noexcept { return PQcmdStatus(result_.get()); }

  // A Reader that stands on row `index`. REQUIRES: 0 <= index < rows(). The Result outlives the Row.
  Row row(int index) const;

  const PGresult* handle() const noexcept { return result_.get(); }

 private:
  std::unique_ptr<PGresult, decltype(&PQclear)> result_;
};

// Walks over the rows of a Result, which must outlive it:
//   for (Reader reader(result); reader.next();) reader.read(name).read(count);
// NULL reads as empty text, absent Json, zero and false; std::optional tells it apart. A column of another
// type is a bug: Error internal, naming the column.
class Reader {
 public:
  explicit Reader(const Result& result) : result_(result.handle()), rows_(result.rows()) {}

  // True while there is a row.
  bool next() {
    column_ = 0;
    return ++row_ < rows_;
  }

  Reader& read(std::string& target);
  Reader& read(Json& target);  // text and json as stored; jsonb is made canonical
  Reader& read(std::int64_t& target);
  Reader& read(int& target);
  Reader& read(bool& target);
  Reader& read(double& target);
  Reader& read(TimePoint& target);  // timestamptz, or int8 as microseconds since 1970
  Reader& read(Status& target);
  Reader& read(Effect& target);
  Reader& read(std::vector<std::string>& target);  // text[]; a NULL element reads as empty text
  Reader& read(std::vector<std::int64_t>& target);
  Reader& read(std::vector<double>& target);
  Reader& read(std::vector<float>& target);
  template <class T>
  Reader& read(std::optional<T>& target) {
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

  // The next column, a bytea or a text, without a copy: it lives as long as the Result. NULL is empty.
  std::string_view blob();
  std::string_view view();

  // Whether the next column is NULL.
  bool null() const { return PQgetisnull(result_, row_, column_) == 1; }
  Reader& skip(int columns = 1) {
    column_ += columns;
    return *this;
  }

 private:
  friend class Result;
  struct Value {
    TypeId type;
    std::string_view bytes;
    bool null;
  };
  Value take();
  [[noreturn]] void wrong_type(TypeId type) const;
  template <class T, class Element>
  Reader& read_array(std::vector<T>& target, TypeId array_type, Element&& element);

  const PGresult* result_;
  int rows_;
  int row_ = -1;
  int column_ = 0;
};

inline Row Result::row(int index) const {
  Row row(*this);
  row.row_ = index;
  return row;
}

// What `read` makes of each row.
template <class Read>
auto read_rows(const Result& result, Read&& read) {
  Reader reader(result);
  std::vector<decltype(read(reader))> rows;
  rows.reserve(static_cast<std::size_t>(result.rows()));
  while (reader.next()) rows.push_back(read(reader));
  return rows;
}

}  // namespace actionhist::postgres
