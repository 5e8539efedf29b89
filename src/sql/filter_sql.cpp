#include "sql/filter_sql.hpp"

#include <fmt/format.h>

#include "core/filter.hpp"
#include "core/trace_fields.hpp"

namespace actionhist::sql {
namespace {

// SQLite's JSON path for `keys`, joined by dots. REQUIRES: no quote in them, as resolve_field sees to.
std::string json_path(std::string_view keys, bool split) {
  std::string path = "$.\"";
  for (const char c : keys) {
    if (c == '.' && split) {
      path += "\".\"";
    } else {
      path += c;
    }
  }
  return path + '"';
}

class Writer {
 public:
  void write(const Filter& filter) {
    switch (filter.op) {
      case Filter::Op::all: return join(filter.children, " AND ", "1");
      case Filter::Op::any: return join(filter.children, " OR ", "0");
      case Filter::Op::none: out_.text += "NOT "; return join(filter.children, " OR ", "0");
      default: return compare(filter);
    }
  }

  Condition take() { return std::move(out_); }

 private:
  void join(const std::vector<Filter>& children, std::string_view glue, std::string_view empty) {
    if (children.empty()) {
      out_.text += empty;
      return;
    }
    out_.text += '(';
    for (std::size_t i = 0; i < children.size(); ++i) {
      if (i > 0) out_.text += glue;
      write(children[i]);
    }
    out_.text += ')';
  }

  void compare(const Filter& filter) {
    const FieldPath field = resolve_field(filter.field);
    if (filter.op == Filter::Op::exists) {
      const bool wanted = std::get<bool>(filter.values[0]);
      return write_exists(field, wanted);
    }
    out_.text += '(';
    for (std::size_t i = 0; i < filter.values.size(); ++i) {
      if (i > 0) out_.text += " OR ";
      write_comparison(field, filter.op, filter.values[i]);
    }
    if (filter.values.empty()) out_.text += '0';
    out_.text += ')';
  }

  void write_exists(const FieldPath& field, bool wanted) {
    if (field.path.empty()) {
      out_.text += fmt::format("{} IS {}NULL", field.column, wanted ? "NOT " : "");
    } else {
      json_call("json_type", field);
      out_.text += wanted ? " IS NOT NULL" : " IS NULL";
    }
  }

  void write_comparison(const FieldPath& field, Filter::Op op, const Scalar& value) {
    const bool json = field.type == FieldType::json;
    if (std::holds_alternative<std::monostate>(value)) {
      if (!json || field.path.empty()) {
        out_.text += fmt::format("{} IS NULL", field.column);
      } else {
        out_.text += "ifnull(";
        json_call("json_type", field);
        out_.text += ",'null') = 'null'";
      }
      return;
    }
    if (json && !field.path.empty()) return write_json_comparison(field, op, value);
    const bool text_column = field.type == FieldType::text;
    const bool matches_type = !json && (text_column ? std::holds_alternative<std::string>(value)
                                                    : std::holds_alternative<double>(value));
    if (!matches_type) {
      out_.text += '0';
      return;
    }
    out_.text += fmt::format("ifnull({} {} ?,0)", field.column, sql_operator(op));
    parameter(value);
  }

  void write_json_comparison(const FieldPath& field, Filter::Op op, const Scalar& value) {
    out_.text += "ifnull(";
    json_call("json_type", field);
    if (const auto* flag = std::get_if<bool>(&value)) {
      out_.text += *flag ? " = 'true',0)" : " = 'false',0)";
      return;
    }
    out_.text += std::holds_alternative<double>(value) ? " IN ('integer','real') AND " : " = 'text' AND ";
    json_call("json_extract", field);
    out_.text += fmt::format(" {} ?,0)", sql_operator(op));
    parameter(value);
  }

  // Labels are flat maps whose keys hold dots; elsewhere a dotted name may be one key or a path.
  void json_call(std::string_view function, const FieldPath& field) {
    const bool labels = field.column == "alert_labels" || field.column == "alert_annotations";
    const bool dotted = field.path.find('.') != field.path.npos;
    if (dotted && !labels) out_.text += "coalesce(";
    out_.text += fmt::format("{}({}, ?)", function, field.column);
    out_.parameters.emplace_back(json_path(field.path, false));
    if (dotted && !labels) {
      out_.text += fmt::format(", {}({}, ?))", function, field.column);
      out_.parameters.emplace_back(json_path(field.path, true));
    }
  }

  static std::string_view sql_operator(Filter::Op op) {
    switch (op) {
      case Filter::Op::gt: return ">";
      case Filter::Op::gte: return ">=";
      case Filter::Op::lt: return "<";
      case Filter::Op::lte: return "<=";
      default: return "=";
    }
  }

  void parameter(const Scalar& value) {
    if (const auto* text = std::get_if<std::string>(&value)) {
      out_.parameters.emplace_back(*text);
    } else {
      out_.parameters.emplace_back(std::get<double>(value));
    }
  }

  Condition out_;
};

}  // namespace

Condition condition(const Json& where) {
  Writer writer;
  writer.write(parse_filter(resolve_where(where)));
  return writer.take();
}

}  // namespace actionhist::sql
