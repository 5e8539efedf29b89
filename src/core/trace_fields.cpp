#include "core/trace_fields.hpp"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "core/filter.hpp"
#include "core/json_io.hpp"
#include "core/refuse.hpp"

namespace actionhist {
namespace {

struct Column {
  std::string_view name;
  FieldType type;
};

const std::vector<Column>& columns() {
  static const std::vector<Column> all = [] {
    std::vector<Column> list;
    const Trace empty;
    visit_columns(empty, [&](std::string_view name, const auto& member) {
      list.push_back({name, field_type<decltype(member)>()});
    });
    return list;
  }();
  return all;
}

constexpr auto not_judged = std::to_array<std::string_view>(
    {"environment", "alert_annotations", "model_used", "routing_tier", "model_reasoning",
     "alternative_actions", "metadata", "execution_error", "kubernetes_operations",
     "effectiveness_assessment_method", "effectiveness_notes", "effectiveness_due_at", "created_at",
     "updated_at"});

constexpr std::array<std::pair<std::string_view, std::string_view>, 14> aliases{{
    {"resource_reference.cluster", "cluster"},
    {"resource_reference.api_group", "api_group"},
    {"resource_reference.api_version", "api_version"},
    {"resource_reference.kind", "kind"},
    {"resource_reference.namespace", "namespace"},
    {"resource_reference.name", "name"},
    {"resource_reference.uid", "resource_uid"},
    {"resource_kind", "kind"},
    {"resource_namespace", "namespace"},
    {"resource_name", "name"},
    {"status", "execution_status"},
    {"observation_hash", "result_hash"},
    {"effectiveness", "effectiveness_score"},
    {"timestamp", "action_timestamp"},
}};

Scalar as_microseconds(const Scalar& value, std::string_view field) {
  const auto* text = std::get_if<std::string>(&value);
  if (text == nullptr) return value;
  return static_cast<Number>(parse_time(*text, fmt::format("where.{}", field)).time_since_epoch().count());
}

void resolve(Filter& filter) {
  for (Filter& child : filter.children) resolve(child);
  if (filter.field.empty()) return;
  const FieldPath field = resolve_field(filter.field);
  if (field.type == FieldType::time && filter.op != Filter::Op::exists) {
    for (Scalar& value : filter.values) value = as_microseconds(value, filter.field);
  }
  filter.field =
      field.path.empty() ? std::string(field.column) : fmt::format("{}.{}", field.column, field.path);
}

class FieldsWriter {
 public:
  void operator()(std::string_view name, const std::string& text) {
    if (!text.empty()) put(name, text);
  }
  void operator()(std::string_view name, const Json& json) {
    if (!json.absent()) put(name, json);
  }
  void operator()(std::string_view name, TimePoint time) {
    put(name, static_cast<std::int64_t>(time.time_since_epoch().count()));
  }
  void operator()(std::string_view name, Status status) { put(name, to_string(status)); }
  void operator()(std::string_view name, Effect effect) { put(name, to_string(effect)); }
  void operator()(std::string_view name, double number) { put(name, number); }
  void operator()(std::string_view name, std::int64_t number) { put(name, number); }
  template <class T>
  void operator()(std::string_view name, const std::optional<T>& value) {
    if (value) (*this)(name, *value);
  }

  // Each column is canonical; all of them together may be longer and deeper than one value is allowed to be.
  Json take() {
    std::ranges::sort(members_);
    JsonWriter writer;
    writer.begin_object();
    for (const auto& [name, text] : members_) writer.key(name).raw(text);
    return Json::from_canonical(writer.end_object().take());
  }

 private:
  template <class T>
  void put(std::string_view name, const T& value) {
    members_.emplace_back(name, JsonWriter().value(value).take());
  }

  std::vector<std::pair<std::string_view, std::string>> members_;
};

}  // namespace

bool judged(std::string_view column) { return std::ranges::find(not_judged, column) == not_judged.end(); }

FieldPath resolve_field(std::string_view name) {
  for (const auto& [alias, column] : aliases) {
    if (alias == name) return resolve_field(column);
  }
  const auto dot = name.find('.');
  const std::string_view root = name.substr(0, dot);
  const std::string_view path = dot == name.npos ? std::string_view{} : name.substr(dot + 1);
  const auto column = std::ranges::find(columns(), root, &Column::name);
  if (column == columns().end()) {
    refuse("where", fmt::format("no field \"{}\"; fields of your own are metadata.{}", name, name));
  }
  if (dot != name.npos && (column->type != FieldType::json || path.empty())) {
    refuse("where", fmt::format("\"{}\" has nothing below it", root));
  }
  // The databases' paths into JSON have no way to write a quote inside a key.
  if (path.find('"') != path.npos) {
    refuse("where", fmt::format("\"{}\": a key may not hold a quote", name));
  }
  return {column->name, column->type, path};
}

Json resolve_where(const Json& where) {
  if (where.absent()) return where;
  Filter filter = parse_filter(where);
  resolve(filter);
  return to_json(filter);
}

Json filter_fields(const Trace& trace) {
  FieldsWriter writer;
  visit_columns(trace, [&](std::string_view name, const auto& member) { writer(name, member); });
  return writer.take();
}

}  // namespace actionhist
