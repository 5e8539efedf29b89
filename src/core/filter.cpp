#include "core/filter.hpp"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "core/refuse.hpp"

namespace actionhist {

// A NUL never occurs in stored text, so this equals no stored value.
const Scalar compound = std::string("\0", 1);

namespace {

constexpr int max_nesting = 32;
constexpr std::size_t max_values = 1000;
// Keeps each engine below what its statements may hold: 32,766 parameters in SQLite, 65,535 in PostgreSQL.
constexpr std::size_t max_size = 5000;

Scalar scalar(JsonElement element, std::string_view field) {
  if (element.is_object() || element.is_array())
    refuse("where", fmt::format("\"{}\" is compared with an object or array; only scalars compare", field));
  return scalar_of(element);
}

Filter negated(Filter filter) { return Filter{Filter::Op::none, {}, {}, {std::move(filter)}}; }

Filter comparison(std::string_view field, std::string_view name, JsonElement operand) {
  const auto one = [&](Filter::Op op) {
    return Filter{op, std::string(field), {scalar(operand, field)}, {}};
  };
  const auto ordered = [&](Filter::Op op) {
    Filter filter = one(op);
    const bool comparable = std::holds_alternative<Number>(filter.values[0]) ||
                            std::holds_alternative<std::string>(filter.values[0]);
    if (!comparable) refuse("where", fmt::format("\"{}\": {} needs a number or text", field, name));
    return filter;
  };
  if (name == "$eq") return one(Filter::Op::eq);
  if (name == "$ne") return negated(one(Filter::Op::eq));
  if (name == "$gt") return ordered(Filter::Op::gt);
  if (name == "$gte") return ordered(Filter::Op::gte);
  if (name == "$lt") return ordered(Filter::Op::lt);
  if (name == "$lte") return ordered(Filter::Op::lte);
  if (name == "$exists") {
    if (!operand.is_bool()) refuse("where", fmt::format("\"{}\": $exists needs true or false", field));
    return one(Filter::Op::exists);
  }
  if (name == "$in" || name == "$nin") {
    if (!operand.is_array()) refuse("where", fmt::format("\"{}\": {} needs an array", field, name));
    Filter filter{Filter::Op::in, std::string(field), {}, {}};
    for (JsonElement item : simdjson::dom::array(operand)) filter.values.push_back(scalar(item, field));
    if (filter.values.size() > max_values)
      refuse("where", fmt::format("\"{}\": {} has over 1000 values", field, name));
    return name == "$in" ? filter : negated(std::move(filter));
  }
  refuse("where",
         fmt::format("unknown operator {} for \"{}\"; known are $eq $ne $in $nin $gt $gte $lt $lte $exists "
                     "$and $or $not",
                     name, field));
}

Filter parse(JsonElement element, int depth);

Filter list(Filter::Op op, std::string_view name, JsonElement element, int depth) {
  if (!element.is_array()) refuse("where", fmt::format("{} needs an array of filters", name));
  Filter filter{op, {}, {}, {}};
  for (JsonElement item : simdjson::dom::array(element)) filter.children.push_back(parse(item, depth + 1));
  if (filter.children.empty()) refuse("where", fmt::format("{} needs at least one filter", name));
  return filter;
}

Filter field_condition(std::string_view field, JsonElement condition, int depth) {
  if (!condition.is_object()) return comparison(field, "$eq", condition);
  Filter all;
  for (auto [name, operand] : simdjson::dom::object(condition)) {
    if (name == "$not") {
      if (depth > max_nesting) refuse("where", "nested deeper than 32 levels");
      all.children.push_back(negated(field_condition(field, operand, depth + 1)));
    } else {
      all.children.push_back(comparison(field, name, operand));
    }
  }
  if (all.children.empty()) refuse("where", fmt::format("\"{}\" has an empty condition", field));
  return all.children.size() == 1 ? std::move(all.children[0]) : all;
}

Filter parse(JsonElement element, int depth) {
  if (depth > max_nesting) refuse("where", "nested deeper than 32 levels");
  if (!element.is_object()) refuse("where", "a filter is a JSON object");
  Filter all;
  for (auto [key, value] : simdjson::dom::object(element)) {
    if (key == "$and") {
      all.children.push_back(list(Filter::Op::all, key, value, depth));
    } else if (key == "$or") {
      all.children.push_back(list(Filter::Op::any, key, value, depth));
    } else if (key == "$not") {
      all.children.push_back(negated(parse(value, depth + 1)));
    } else if (key.starts_with("$")) {
      refuse("where", fmt::format("unknown operator {} outside a field", key));
    } else {
      all.children.push_back(field_condition(key, value, depth));
    }
  }
  return all.children.size() == 1 ? std::move(all.children[0]) : all;
}

// What a filter costs an engine: conditions, the keys of their fields, and values.
std::size_t size_of(const Filter& filter) {
  std::size_t size =
      1 + static_cast<std::size_t>(std::ranges::count(filter.field, '.')) + filter.values.size();
  for (const Filter& child : filter.children) size += size_of(child);
  return size;
}

void write(JsonWriter& writer, const Scalar& value) {
  if (const auto* text = std::get_if<std::string>(&value)) {
    writer.value(*text);
  } else if (const auto* number = std::get_if<Number>(&value)) {
    writer.value(*number);
  } else if (const auto* flag = std::get_if<bool>(&value)) {
    writer.value(*flag);
  } else {
    writer.null();
  }
}

void write(JsonWriter& writer, const Filter& filter) {
  const auto children = [&](std::string_view name) {
    writer.key(name).begin_array();
    for (const Filter& child : filter.children) write(writer, child);
    writer.end_array();
  };
  const auto compare = [&](std::string_view name) {
    writer.key(filter.field).begin_object().key(name);
    write(writer, filter.values[0]);
    writer.end_object();
  };
  writer.begin_object();
  switch (filter.op) {
    case Filter::Op::all:
      if (!filter.children.empty()) children("$and");
      break;
    case Filter::Op::any: children("$or"); break;
    case Filter::Op::none:
      writer.key("$not");
      write(writer, filter.children[0]);
      break;
    case Filter::Op::eq: compare("$eq"); break;
    case Filter::Op::gt: compare("$gt"); break;
    case Filter::Op::gte: compare("$gte"); break;
    case Filter::Op::lt: compare("$lt"); break;
    case Filter::Op::lte: compare("$lte"); break;
    case Filter::Op::exists: compare("$exists"); break;
    case Filter::Op::in:
      writer.key(filter.field).begin_object().key("$in").begin_array();
      for (const Scalar& value : filter.values) write(writer, value);
      writer.end_array().end_object();
      break;
  }
  writer.end_object();
}

template <class Compare>
bool ordered(const Scalar* value, const Scalar& bound, Compare compare) {
  if (value == nullptr || value == &compound || value->index() != bound.index()) return false;
  return compare(*value, bound);
}

// What lies at a dotted path, whose keys may have dots themselves.
std::optional<JsonElement> at_path(JsonElement element, std::string_view path) {
  simdjson::dom::object object;
  if (element.get(object) != simdjson::SUCCESS) return std::nullopt;
  JsonElement member;
  for (std::size_t end = path.size(); end != path.npos;
       end = end > 0 ? path.rfind('.', end - 1) : path.npos) {
    if (object.at_key(path.substr(0, end)).get(member) != simdjson::SUCCESS) continue;
    if (end == path.size()) return member;
    if (const auto below = at_path(member, path.substr(end + 1))) return below;
  }
  return std::nullopt;
}

}  // namespace

Scalar scalar_of(JsonElement element) {
  switch (element.type()) {
    case simdjson::dom::element_type::STRING: return std::string(std::string_view(element));
    case simdjson::dom::element_type::INT64: return static_cast<Number>(std::int64_t(element));
    case simdjson::dom::element_type::UINT64: return static_cast<Number>(std::uint64_t(element));
    case simdjson::dom::element_type::DOUBLE: return static_cast<Number>(double(element));
    case simdjson::dom::element_type::BOOL: return bool(element);
    case simdjson::dom::element_type::NULL_VALUE: return std::monostate{};
    default: return compound;
  }
}

Filter parse_filter(const Json& where) {
  if (where.absent()) return {};
  JsonDocument document;
  Filter filter = parse(document.parse(where), 0);
  if (size_of(filter) > max_size) {
    refuse("where", "has over 5000 conditions, keys and values together; ask in parts");
  }
  return filter;
}

Json to_json(const Filter& filter) {
  JsonWriter writer;
  write(writer, filter);
  return Json::parse(writer.take(), "where");
}

bool matches(const Filter& filter, const std::function<const Scalar*(std::string_view)>& lookup) {
  const auto child = [&](const Filter& f) { return matches(f, lookup); };
  switch (filter.op) {
    case Filter::Op::all: return std::ranges::all_of(filter.children, child);
    case Filter::Op::any: return std::ranges::any_of(filter.children, child);
    case Filter::Op::none: return std::ranges::none_of(filter.children, child);
    default: break;
  }
  const Scalar* value = lookup(filter.field);
  switch (filter.op) {
    case Filter::Op::eq:
    case Filter::Op::in:
      // A field that is absent equals null, as in SQL's IS NULL.
      return std::ranges::any_of(filter.values, [&](const Scalar& wanted) {
        return value != nullptr ? *value == wanted : std::holds_alternative<std::monostate>(wanted);
      });
    case Filter::Op::exists: return (value != nullptr) == std::get<bool>(filter.values[0]);
    case Filter::Op::gt: return ordered(value, filter.values[0], std::greater<>());
    case Filter::Op::gte: return ordered(value, filter.values[0], std::greater_equal<>());
    case Filter::Op::lt: return ordered(value, filter.values[0], std::less<>());
    default: return ordered(value, filter.values[0], std::less_equal<>());
  }
}

bool matches(const Filter& filter, JsonElement object) {
  Scalar kept;
  return matches(filter, [&](std::string_view path) -> const Scalar* {
    const auto element = at_path(object, path);
    if (!element) return nullptr;
    if (element->is_object() || element->is_array()) return &compound;
    kept = scalar_of(*element);
    return &kept;
  });
}

}  // namespace actionhist
