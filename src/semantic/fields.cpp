#include "semantic/fields.hpp"

#include <algorithm>

#include <actionhist/error.hpp>

#include "core/json_io.hpp"

namespace actionhist {
namespace {

constexpr std::uint32_t absent_id = 0;
constexpr std::uint32_t compound_id = 1;

// As parse_filter reads the values that these are compared with.
Scalar scalar_of(JsonElement element) {
  switch (element.type()) {
    case simdjson::dom::element_type::STRING: return std::string(std::string_view(element));
    case simdjson::dom::element_type::INT64: return static_cast<double>(std::int64_t(element));
    case simdjson::dom::element_type::UINT64: return static_cast<double>(std::uint64_t(element));
    case simdjson::dom::element_type::DOUBLE: return double(element);
    case simdjson::dom::element_type::BOOL: return bool(element);
    default: return std::monostate{};
  }
}

// Calls use(path, element) for every member at any depth; `path` is scratch.
template <class Use>
void flatten(simdjson::dom::object object, std::string& path, Use&& use) {
  const std::size_t prefix = path.size();
  for (auto [key, element] : object) {
    path += key;
    use(std::string_view(path), element);
    if (element.is_object()) {
      path += '.';
      flatten(simdjson::dom::object(element), path, use);
    }
    path.resize(prefix);
  }
}

}  // namespace

Fields::Fields() : values_(2), shapes_{&shape_ids_.try_emplace({}, 0).first->first} {
  values_[compound_id].scalar = &compound;
}

std::uint32_t Fields::path_id(std::string_view path) {
  const auto found = path_ids_.find(path);
  if (found != path_ids_.end()) return found->second;
  const auto id = static_cast<std::uint32_t>(columns_.size());
  columns_.emplace_back();
  path_names_.push_back(&path_ids_.emplace(path, id).first->first);
  return id;
}

Fields::ValueId Fields::acquire(const Scalar& scalar) {
  if (&scalar == &compound) return compound_id;
  const auto entry = value_ids_.try_emplace(scalar, 0);
  ValueId& id = entry.first->second;
  if (entry.second) {
    if (free_values_.empty()) {
      id = static_cast<ValueId>(values_.size());
      values_.emplace_back();
    } else {
      id = free_values_.back();
      free_values_.pop_back();
    }
    values_[id].scalar = &entry.first->first;
  }
  ++values_[id].users;
  return id;
}

void Fields::release(ValueId id) {
  if (id == compound_id || --values_[id].users > 0) return;
  value_ids_.erase(value_ids_.find(*values_[id].scalar));
  values_[id].scalar = nullptr;
  free_values_.push_back(id);
}

void Fields::put(Column& column, std::uint32_t row, ValueId id) {
  if (column.dense.empty() && (column.sparse.size() + 1) * 4 > row_shapes_.size()) {
    column.dense.resize(row_shapes_.size(), absent_id);
    for (const auto& cell : column.sparse) column.dense[cell.first] = cell.second;
    column.sparse = {};
  }
  if (column.dense.empty()) {
    column.sparse[row] = id;
    return;
  }
  if (column.dense.size() <= row) column.dense.resize(row + std::size_t{1}, absent_id);
  column.dense[row] = id;
}

Fields::ValueId Fields::value_at(const Column& column, std::uint32_t row) {
  if (!column.dense.empty()) return row < column.dense.size() ? column.dense[row] : absent_id;
  const auto found = column.sparse.find(row);
  return found == column.sparse.end() ? absent_id : found->second;
}

Fields::ValueId Fields::take(Column& column, std::uint32_t row) {
  const ValueId id = value_at(column, row);
  if (column.dense.empty()) {
    column.sparse.erase(row);
  } else {
    column.dense[row] = absent_id;
  }
  return id;
}

void Fields::set(std::uint32_t row, const Json& fields) {
  std::vector<Cell> cells;
  if (!fields.absent()) {
    thread_local JsonDocument document;
    const JsonElement root = document.parse(fields);
    if (!root.is_object()) throw Error(ErrorCode::invalid_argument, "fields: expected a JSON object");
    std::string path;
    flatten(simdjson::dom::object(root), path, [&](std::string_view name, JsonElement element) {
      const bool nested = element.is_object() || element.is_array();
      cells.emplace_back(path_id(name), nested ? compound_id : acquire(scalar_of(element)));
    });
  }
  store(row, std::move(cells));
}

void Fields::clear(std::uint32_t row) { store(row, {}); }

void Fields::set_from(std::uint32_t row, const Fields& other, std::uint32_t other_row) {
  std::vector<Cell> cells;
  if (other_row < other.row_shapes_.size()) {
    for (const std::uint32_t path : *other.shapes_[other.row_shapes_[other_row]]) {
      const ValueId id = value_at(other.columns_[path], other_row);
      cells.emplace_back(path_id(*other.path_names_[path]), acquire(*other.values_[id].scalar));
    }
  }
  store(row, std::move(cells));
}

void Fields::store(std::uint32_t row, std::vector<Cell> cells) {
  // {"a.b": 1, "a": {"b": 2}} names one path twice; one of the values is kept.
  std::sort(cells.begin(), cells.end());
  const auto last = std::unique(cells.begin(), cells.end(), [this](const Cell& kept, const Cell& other) {
    if (kept.first != other.first) return false;
    release(other.second);
    return true;
  });
  cells.erase(last, cells.end());

  if (row_shapes_.size() <= row) row_shapes_.resize(row + std::size_t{1}, 0);
  for (const std::uint32_t path : *shapes_[row_shapes_[row]]) release(take(columns_[path], row));
  std::vector<std::uint32_t> shape;
  for (const Cell& cell : cells) {
    put(columns_[cell.first], row, cell.second);
    shape.push_back(cell.first);
  }
  const auto entry = shape_ids_.try_emplace(std::move(shape), static_cast<std::uint32_t>(shapes_.size()));
  if (entry.second) shapes_.push_back(&entry.first->first);
  row_shapes_[row] = entry.first->second;
}

Bitmap Fields::select(const Filter& filter, std::size_t rows) const {
  const bool conjunction = filter.op == Filter::Op::all;
  if (!conjunction && filter.op != Filter::Op::any && filter.op != Filter::Op::none) {
    return select_leaf(filter, rows);
  }
  Bitmap out(rows, conjunction);
  for (const Filter& child : filter.children) {
    if (conjunction) {
      out &= select(child, rows);
    } else {
      out |= select(child, rows);
    }
  }
  if (filter.op == Filter::Op::none) out.flip();
  return out;
}

// Asks core/filter.hpp once for each value that occurs, so that both can never differ.
Bitmap Fields::select_leaf(const Filter& filter, std::size_t rows) const {
  const auto answer = [&](ValueId id) {
    return matches(filter, [&](std::string_view) { return values_[id].scalar; });
  };
  const auto path = path_ids_.find(filter.field);
  const bool absent_matches = answer(absent_id);
  Bitmap out(rows, absent_matches);
  if (path == path_ids_.end()) return out;

  enum : std::uint8_t { no, yes, unknown };
  const bool by_equality = filter.op == Filter::Op::eq || filter.op == Filter::Op::in;
  std::vector<std::uint8_t> answers(values_.size(), by_equality ? no : unknown);
  answers[absent_id] = absent_matches ? yes : no;
  if (by_equality) {
    for (const Scalar& wanted : filter.values) {
      const auto found = value_ids_.find(wanted);
      if (found != value_ids_.end()) answers[found->second] = answer(found->second) ? yes : no;
    }
  }
  const auto apply = [&](std::size_t row, ValueId id) {
    if (answers[id] == unknown) answers[id] = answer(id) ? yes : no;
    if ((answers[id] == yes) == absent_matches) return;
    if (absent_matches) {
      out.reset(row);
    } else {
      out.set(row);
    }
  };
  const Column& column = columns_[path->second];
  for (std::size_t row = 0; row < std::min(rows, column.dense.size()); ++row) apply(row, column.dense[row]);
  for (const auto& cell : column.sparse) {
    if (cell.first < rows) apply(cell.first, cell.second);
  }
  return out;
}

std::size_t Fields::bytes() const {
  std::size_t sum = row_shapes_.capacity() * sizeof(std::uint32_t);
  for (const Column& column : columns_)
    sum += 64 + column.dense.capacity() * sizeof(ValueId) + column.sparse.size() * 40;
  // Around a value and a shape lie the nodes of their maps.
  return sum + value_ids_.size() * 120 + shapes_.size() * 100;
}

}  // namespace actionhist
