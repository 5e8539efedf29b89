#include "sql/filter_sql.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>

#include <fmt/format.h>

#include "core/filter.hpp"
#include "core/json_io.hpp"
#include "core/trace_fields.hpp"

namespace actionhist::sql {
namespace {

std::string_view sql_operator(Filter::Op op) {
  switch (op) {
    case Filter::Op::gt: return ">";
    case Filter::Op::gte: return ">=";
    case Filter::Op::lt: return "<";
    case Filter::Op::lte: return "<=";
    default: return "=";
  }
}

// SQLite refuses an expression that is nested deeper than 1,000, and a chain nests with each of its parts: longer
// chains become groups.
constexpr std::size_t longest_chain = 16;

constexpr Number two_to_63 = 9223372036854775808.0L;

bool whole(Number number) {
  return std::floor(number) == number && number >= -two_to_63 && number < two_to_63;
}

// Whether a double may hold other digits than these.
bool beyond_double(Number number) {
  return std::floor(number) == number && std::abs(number) >= largest_exact &&
         std::abs(number) < 2 * two_to_63;
}

// A number beyond all times is as good as the first or the last of them.
TimePoint time_of(Number microseconds) {
  constexpr Number limit = 9.2e18L;
  return TimePoint{std::chrono::microseconds{std::llround(std::clamp(microseconds, -limit, limit))}};
}

// Labels are flat maps whose keys hold dots; elsewhere a dotted name may be one key or a path.
bool may_be_path(const FieldPath& field) {
  const bool labels = field.column == "alert_labels" || field.column == "alert_annotations";
  return !labels && field.path.find('.') != field.path.npos;
}

class Writer {
 public:
  explicit Writer(int first_parameter) : next_(first_parameter) {}
  virtual ~Writer() = default;

  void write(const Filter& filter) {
    switch (filter.op) {
      case Filter::Op::all: return join(filter.children, " AND ", yes());
      case Filter::Op::any: return join(filter.children, " OR ", no());
      case Filter::Op::none:
        out_.text += "NOT ";
        ++negations_;
        join(filter.children, " OR ", no());
        --negations_;
        return;
      default: return compare(filter);
    }
  }

  Condition take() { return std::move(out_); }

 protected:
  virtual std::string_view yes() const = 0;
  virtual std::string_view no() const = 0;
  // What makes an integer of a parameter that is whole: an index of integers does not serve doubles.
  virtual std::string_view integer_cast() const = 0;
  // The next parameter as it stands in the text.
  virtual std::string mark() = 0;
  // What tells whether a value is there below a JSON column; NULL if not.
  virtual void json_value(const FieldPath& field) = 0;
  // Whether it is null or not there, and how it compares with a value.
  virtual void json_is_null(const FieldPath& field) = 0;
  // REQUIRES: the values are of one kind, and several only for `in`.
  virtual void json_compare(const FieldPath& field, Filter::Op op, std::span<const Scalar> values) = 0;

  template <class Value>
  void parameter(Value value) {
    out_.text += mark();
    out_.parameters.emplace_back(std::move(value));
  }
  // REQUIRES: a number or a text.
  void scalar(const Scalar& value) {
    if (const auto* text = std::get_if<std::string>(&value)) return parameter(*text);
    const Number number = std::get<Number>(value);
    if (beyond_double(number) && whole(number)) return parameter(static_cast<std::int64_t>(number));
    parameter(static_cast<double>(number));
  }
  // " < value" or " IN (value, …)": a list is one operator however long it is.
  template <class Write>
  void operand(Filter::Op op, std::span<const Scalar> values, Write&& write_value) {
    if (values.size() == 1) {
      out_.text += fmt::format(" {} ", sql_operator(op));
      return write_value(values.front());
    }
    std::string_view glue = " IN (";
    for (const Scalar& value : values) {
      out_.text += std::exchange(glue, ", ");
      write_value(value);
    }
    out_.text += ')';
  }
  void flag(const Scalar& value) { out_.text += std::get<bool>(value) ? "'true'" : "'false'"; }

  Condition out_;
  int next_;

 private:
  void join(const std::vector<Filter>& children, std::string_view glue, std::string_view empty) {
    if (children.empty()) {
      out_.text += empty;
      return;
    }
    std::vector<const Filter*> parts;
    for (const Filter& child : children) parts.push_back(&child);
    // What nests stands first: SQLite's parser has place for few that wait for one after them.
    std::ranges::stable_partition(parts, [](const Filter* part) { return !part->children.empty(); });
    chain(parts, glue);
  }

  void chain(std::span<const Filter* const> parts, std::string_view glue) {
    std::size_t group = 1;
    while (group * longest_chain < parts.size()) group *= longest_chain;
    out_.text += '(';
    for (std::size_t i = 0; i < parts.size(); i += group) {
      if (i > 0) out_.text += glue;
      if (group == 1) {
        write(*parts[i]);
      } else {
        chain(parts.subspan(i, std::min(group, parts.size() - i)), glue);
      }
    }
    out_.text += ')';
  }

  void compare(const Filter& filter) {
    const FieldPath field = resolve_field(filter.field);
    if (filter.op == Filter::Op::exists) return write_exists(field, std::get<bool>(filter.values[0]));
    std::array<std::vector<Scalar>, std::variant_size_v<Scalar>> kinds;
    for (const Scalar& value : filter.values) kinds[value.index()].push_back(value);
    out_.text += '(';
    std::string_view glue;
    for (const std::vector<Scalar>& values : kinds) {
      if (values.empty()) continue;
      out_.text += std::exchange(glue, " OR ");
      write_comparison(field, filter.op, values);
    }
    if (filter.values.empty()) out_.text += no();
    out_.text += ')';
  }

  void write_exists(const FieldPath& field, bool wanted) {
    if (field.path.empty()) {
      out_.text += field.column;
    } else {
      json_value(field);
    }
    out_.text += wanted ? " IS NOT NULL" : " IS NULL";
  }

  // REQUIRES: the values are of one kind, and several only for `in`.
  void write_comparison(const FieldPath& field, Filter::Op op, std::span<const Scalar> values) {
    const bool inside_json = field.type == FieldType::json && !field.path.empty();
    if (std::holds_alternative<std::monostate>(values.front())) {
      if (inside_json) return json_is_null(field);
      out_.text += fmt::format("{} IS NULL", field.column);
      return;
    }
    if (inside_json) return json_compare(field, op, values);
    const bool matches_type =
        field.type == FieldType::text   ? std::holds_alternative<std::string>(values.front())
        : field.type == FieldType::json ? false
                                        : std::holds_alternative<Number>(values.front());
    if (!matches_type) {
      out_.text += no();
      return;
    }
    // Only under a negation does it matter whether a comparison is false or unknown; elsewhere the plain form
    // lets an index serve it.
    if (negations_ > 0) out_.text += "coalesce(";
    out_.text += field.column;
    operand(op, values, [&](const Scalar& value) {
      if (field.type == FieldType::time) return parameter(time_of(std::get<Number>(value)));
      scalar(value);
      if (field.type == FieldType::integer && whole(std::get<Number>(value))) out_.text += integer_cast();
    });
    if (negations_ > 0) out_.text += fmt::format(", {})", no());
  }

  int negations_ = 0;
};

class SqliteWriter final : public Writer {
 public:
  using Writer::Writer;

 private:
  std::string_view yes() const override { return "1"; }
  std::string_view no() const override { return "0"; }
  std::string_view integer_cast() const override { return ""; }  // it compares them by value
  std::string mark() override { return "?"; }
  void json_value(const FieldPath& field) override { call("json_type", field); }

  void json_is_null(const FieldPath& field) override {
    out_.text += "ifnull(";
    call("json_type", field);
    out_.text += ",'null') = 'null'";
  }

  void json_compare(const FieldPath& field, Filter::Op op, std::span<const Scalar> values) override {
    out_.text += "ifnull(";
    call("json_type", field);
    if (std::holds_alternative<bool>(values.front())) {
      operand(op, values, [&](const Scalar& value) { flag(value); });
    } else {
      out_.text +=
          std::holds_alternative<Number>(values.front()) ? " IN ('integer','real') AND " : " = 'text' AND ";
      call("json_extract", field);
      operand(op, values, [&](const Scalar& value) { scalar(value); });
    }
    out_.text += ",0)";
  }

  void call(std::string_view function, const FieldPath& field) {
    const bool both = may_be_path(field);
    if (both) out_.text += "coalesce(";
    out_.text += fmt::format("{}({}, ", function, field.column);
    parameter(path(field.path, false));
    if (both) {
      out_.text += fmt::format("), {}({}, ", function, field.column);
      parameter(path(field.path, true));
      out_.text += ')';
    }
    out_.text += ')';
  }

  // SQLite's JSON path for `keys`, joined by dots. It compares a key as it stands in the JSON, escapes and all.
  // REQUIRES: no quote in them, as resolve_field sees to.
  static std::string path(std::string_view keys, bool split) {
    std::string text = "$";
    while (true) {
      const auto dot = split ? keys.find('.') : keys.npos;
      text += '.' + Json(keys.substr(0, dot)).text();
      if (dot == keys.npos) return text;
      keys.remove_prefix(dot + 1);
    }
  }
};

class PostgresWriter final : public Writer {
 public:
  using Writer::Writer;

 private:
  std::string_view yes() const override { return "true"; }
  std::string_view no() const override { return "false"; }
  std::string_view integer_cast() const override { return "::int8"; }
  std::string mark() override { return fmt::format("${}", next_++); }

  void json_value(const FieldPath& field) override {
    const bool both = may_be_path(field);
    if (both) out_.text += "coalesce(";
    extract(field, false);
    if (both) {
      out_.text += ", ";
      extract(field, true);
      out_.text += ')';
    }
  }

  void json_is_null(const FieldPath& field) override {
    out_.text += "coalesce(jsonb_typeof(";
    json_value(field);
    out_.text += "), 'null') = 'null'";
  }

  void json_compare(const FieldPath& field, Filter::Op op, std::span<const Scalar> values) override {
    if (std::holds_alternative<bool>(values.front())) {
      out_.text += "coalesce(";
      json_value(field);
      operand(op, values, [&](const Scalar& value) { flag(value); });
      out_.text += ", false)";
      return;
    }
    // CASE keeps the cast from values of another type.
    const bool number = std::holds_alternative<Number>(values.front());
    const bool exact = number && std::ranges::any_of(values, [](const Scalar& value) {
                         return beyond_double(std::get<Number>(value));
                       });
    out_.text += "CASE WHEN jsonb_typeof(";
    json_value(field);
    out_.text += number ? ") = 'number' THEN (" : ") = 'string' THEN (";
    json_value(field);
    out_.text += fmt::format(" #>> '{{}}'){}", exact ? "::numeric" : number ? "::float8" : " COLLATE \"C\"");
    operand(op, values, [&](const Scalar& value) {
      if (!exact) return scalar(value);
      parameter(number_text(std::get<Number>(value)));
      out_.text += "::numeric";
    });
    out_.text += " ELSE false END";
  }

  void extract(const FieldPath& field, bool split) {
    out_.text += fmt::format("jsonb_extract_path({}::jsonb", field.column);
    std::string_view rest = field.path;
    while (true) {
      const auto dot = split ? rest.find('.') : rest.npos;
      out_.text += ", ";
      parameter(std::string(rest.substr(0, dot)));
      out_.text += "::text";
      if (dot == rest.npos) break;
      rest.remove_prefix(dot + 1);
    }
    out_.text += ')';
  }
};

template <class WriterT>
Condition written(const Filter& filter, int first_parameter) {
  WriterT writer(first_parameter);
  writer.write(filter);
  return writer.take();
}

}  // namespace

Condition condition(const Json& where, Dialect dialect, int first_parameter) {
  const Filter filter = parse_filter(resolve_where(where));
  return dialect == Dialect::sqlite ? written<SqliteWriter>(filter, first_parameter)
                                    : written<PostgresWriter>(filter, first_parameter);
}

}  // namespace actionhist::sql
