#include "postgres/trace_rows.hpp"

#include <fmt/format.h>

#include "core/trace_fields.hpp"
#include "sql/resource_rows.hpp"

namespace actionhist::postgres {
namespace {

template <class Member>
constexpr std::string_view column_type() {
  constexpr FieldType type = field_type<Member>();
  if constexpr (type == FieldType::time) return "timestamptz";
  if constexpr (type == FieldType::number) return "float8";
  if constexpr (type == FieldType::integer) return "int8";
  return "text";
}

template <class Format>
std::string list(Format format) {
  std::string text;
  int parameter = 1;
  visit_columns(Trace{}, [&](std::string_view name, const auto& member) {
    if (!text.empty()) text += ", ";
    text += format(++parameter, column_type<std::remove_cvref_t<decltype(member)>>(), name);
  });
  return text;
}

// One column of all traces. What was not given is NULL; texts point into the traces.
struct Column {
  FieldType type{};
  std::vector<std::string_view> texts;
  std::vector<std::optional<TimePoint>> times;
  std::vector<std::optional<double>> numbers;
  std::vector<std::optional<std::int64_t>> integers;

  template <class Member>
  void push(const Member& member) {
    type = field_type<Member>();
    if constexpr (field_type<Member>() == FieldType::time) {
      times.emplace_back(member);
    } else if constexpr (field_type<Member>() == FieldType::number) {
      numbers.push_back(member);
    } else if constexpr (field_type<Member>() == FieldType::integer) {
      integers.push_back(member);
    } else if constexpr (std::is_same_v<Member, std::string>) {
      texts.emplace_back(member);
    } else if constexpr (std::is_same_v<Member, Json>) {
      texts.emplace_back(member.text());
    } else if constexpr (std::is_same_v<Member, std::optional<Effect>>) {
      texts.push_back(member ? to_string(*member) : std::string_view{});
    } else {
      texts.push_back(to_string(member));
    }
  }

  void add_to(Parameters& parameters) const {
    switch (type) {
      case FieldType::time: parameters.add(std::span(times)); break;
      case FieldType::number: parameters.add(std::span(numbers)); break;
      case FieldType::integer: parameters.add(std::span(integers)); break;
      default: parameters.add_nullable_texts(texts);
    }
  }
};

}  // namespace

const std::string& trace_values() {
  static const std::string text = list([](int parameter, std::string_view type, std::string_view name) {
    return fmt::format("${}::{} AS {}", parameter, type, name);
  });
  return text;
}

void add_trace(Parameters& parameters, const Trace& trace) {
  static const std::size_t columns = [] {
    std::size_t count = 0;
    visit_columns(Trace{}, [&](std::string_view, const auto&) { ++count; });
    return count;
  }();
  // And what the statement asks for beside the columns.
  parameters.reserve(parameters.size() + columns + 4);
  visit_columns(trace, [&](std::string_view, const auto& member) { parameters.add(member); });
}

const std::string& trace_arrays() {
  static const std::string text = list([](int parameter, std::string_view type, std::string_view) {
    return fmt::format("${}::{}[]", parameter, type);
  });
  return text;
}

void add_traces(Parameters& parameters, std::span<const Trace* const> traces) {
  std::vector<Column> columns;
  for (const Trace* trace : traces) {
    std::size_t column = 0;
    visit_columns(*trace, [&](std::string_view, const auto& member) {
      if (column == columns.size()) columns.emplace_back();
      columns[column++].push(member);
    });
  }
  for (const Column& column : columns) column.add_to(parameters);
}

void add_reference(Parameters& parameters, const Resource& resource) {
  sql::visit_reference(resource, [&](const std::string& text) { parameters.add_text(text); });
}

}  // namespace actionhist::postgres
