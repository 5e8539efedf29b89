#include "sql/containment.hpp"

#include <cmath>
#include <span>

#include "core/filter.hpp"
#include "core/json_io.hpp"
#include "core/trace_fields.hpp"

namespace actionhist::sql {
namespace {

// Beyond, a number in the document may equal another one as a double and not as it is written.
bool exact(const Scalar& value) {
  if (const auto* number = std::get_if<Number>(&value)) return std::abs(*number) < largest_exact;
  return !std::holds_alternative<std::monostate>(value);
}

// {"a": {"b": value}} for "a.b", or {"a.b": value} unless `split`.
Json document_of(std::string_view path, const Scalar& value, bool split) {
  JsonWriter writer;
  int depth = 0;
  for (bool more = true; more; ++depth) {
    const auto dot = split ? path.find('.') : path.npos;
    writer.begin_object().key(path.substr(0, dot));
    more = dot != path.npos;
    if (more) path.remove_prefix(dot + 1);
  }
  std::visit(
      [&]<class T>(const T& known) {
        if constexpr (!std::is_same_v<T, std::monostate>) writer.value(known);
      },
      value);
  for (; depth > 0; --depth) writer.end_object();
  return Json::from_canonical(writer.take());
}

}  // namespace

std::vector<Containment> containments(const Json& where) {
  const Filter filter = parse_filter(resolve_where(where));
  const std::span<const Filter> needed =
      filter.op == Filter::Op::all ? std::span(filter.children) : std::span(&filter, 1);
  std::vector<Containment> found;
  for (const Filter& part : needed) {
    if (part.op != Filter::Op::eq || part.values.size() != 1 || !exact(part.values[0])) continue;
    const FieldPath field = resolve_field(part.field);
    if (field.type != FieldType::json || field.path.empty()) continue;
    found.push_back({std::string(field.column), document_of(field.path, part.values[0], false),
                     document_of(field.path, part.values[0], true)});
  }
  return found;
}

}  // namespace actionhist::sql
