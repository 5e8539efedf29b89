#include "semantic/fields.hpp"

#include <algorithm>
#include <cmath>
#include <span>

#include "core/json_io.hpp"
#include "core/refuse.hpp"

namespace actionhist {
namespace {

constexpr std::uint32_t absent_id = 0;
constexpr std::uint32_t compound_id = 1;

// In files, beside the alternatives of a Scalar: the size of an integer that is no double.
constexpr std::size_t above_zero = 4;
constexpr std::size_t below_zero = 5;

bool is_double(Number number) { return static_cast<Number>(static_cast<double>(number)) == number; }

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

Fields::Column::Column() : values(2) {
  values[compound_id].scalar = &compound;
  values[compound_id].number = std::nan("");
}

Fields::ValueId Fields::Column::acquire(const Scalar& scalar) {
  if (&scalar == &compound) return compound_id;
  const auto entry = ids.try_emplace(scalar, 0);
  ValueId& id = entry.first->second;
  if (entry.second) {
    if (free_values.empty()) {
      id = static_cast<ValueId>(values.size());
      values.emplace_back();
    } else {
      id = free_values.back();
      free_values.pop_back();
    }
    values[id].scalar = &entry.first->first;
    const Number* number = std::get_if<Number>(&scalar);
    values[id].number = number != nullptr && is_double(*number) ? static_cast<double>(*number) : std::nan("");
  }
  ++values[id].users;
  return id;
}

void Fields::Column::release(ValueId id) {
  if (id == compound_id || --values[id].users > 0) return;
  ids.erase(ids.find(*values[id].scalar));
  values[id].scalar = nullptr;
  free_values.push_back(id);
}

Fields::Fields()
    : shapes_{&shape_ids_.try_emplace({}, 0).first->first}, sets_mutex_(std::make_unique<std::mutex>()) {}

std::uint32_t Fields::path_id(std::string_view path) {
  const auto found = path_ids_.find(path);
  if (found != path_ids_.end()) return found->second;
  const auto id = static_cast<std::uint32_t>(columns_.size());
  columns_.emplace_back();
  path_names_.push_back(&path_ids_.emplace(path, id).first->first);
  return id;
}

void Fields::put(Column& column, std::uint32_t row, ValueId id) {
  if (column.indexed) {
    if (column.sets.size() <= id) column.sets.resize(id + std::size_t{1});
    column.sets[id].add(row, row_shapes_.size());
    if (column.present.size() <= row) column.present.resize(row + std::size_t{1});
    column.present.set(row);
  }
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
  if (column.indexed) {
    column.sets[id].remove(row);
    column.present.reset(row);
  }
  return id;
}

void Fields::set(std::uint32_t row, const Json& fields) {
  std::vector<Cell> cells;
  if (!fields.absent()) {
    thread_local JsonDocument document;
    const JsonElement root = document.parse(fields);
    if (!root.is_object()) refuse("fields", "expected a JSON object");
    std::string scratch;
    flatten(simdjson::dom::object(root), scratch, [&](std::string_view name, JsonElement element) {
      const bool nested = element.is_object() || element.is_array();
      const std::uint32_t path = path_id(name);
      cells.push_back({path, nested ? compound_id : columns_[path].acquire(scalar_of(element))});
    });
  }
  store(row, std::move(cells));
}

void Fields::clear(std::uint32_t row) { store(row, {}); }

void Fields::set_from(std::uint32_t row, const Fields& other, std::uint32_t other_row) {
  std::vector<Cell> cells;
  if (other_row < other.row_shapes_.size()) {
    for (const std::uint32_t path : *other.shapes_[other.row_shapes_[other_row]]) {
      const Column& column = other.columns_[path];
      const std::uint32_t own = path_id(*other.path_names_[path]);
      cells.push_back({own, columns_[own].acquire(*column.values[value_at(column, other_row)].scalar)});
    }
  }
  store(row, std::move(cells));
}

void Fields::store(std::uint32_t row, std::vector<Cell> cells) {
  // {"a.b": 1, "a": {"b": 2}} names one path twice; one of the values is kept.
  std::ranges::sort(cells, {}, &Cell::path);
  const auto last = std::unique(cells.begin(), cells.end(), [this](const Cell& kept, const Cell& other) {
    if (kept.path != other.path) return false;
    columns_[other.path].release(other.value);
    return true;
  });
  cells.erase(last, cells.end());

  if (row_shapes_.size() <= row) row_shapes_.resize(row + std::size_t{1}, 0);
  for (const std::uint32_t path : *shapes_[row_shapes_[row]])
    columns_[path].release(take(columns_[path], row));
  std::vector<std::uint32_t> shape;
  for (const Cell& cell : cells) {
    put(columns_[cell.path], row, cell.value);
    shape.push_back(cell.path);
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

// Makes the sets of a column if that pays: if many rows share a value. True if there are sets now.
bool Fields::index(const Column& column) const {
  if (column.indexed) return true;
  const std::size_t rows = row_shapes_.size();
  if (column.distinct() * 32 > rows) return false;
  const std::lock_guard lock(*sets_mutex_);
  if (column.indexed) return true;
  column.sets.assign(column.values.size(), {});
  column.present = Bitmap(rows);
  const auto add = [&](std::uint32_t row, ValueId id) {
    if (id == absent_id) return;
    column.sets[id].add(row, rows);
    column.present.set(row);
  };
  for (std::uint32_t row = 0; row < column.dense.size(); ++row) add(row, column.dense[row]);
  std::vector<std::pair<std::uint32_t, ValueId>> sparse(column.sparse.begin(), column.sparse.end());
  std::ranges::sort(sparse);
  for (const auto& cell : sparse) add(cell.first, cell.second);
  column.indexed = true;
  return true;
}

// Asks core/filter.hpp once for each value that occurs, so that both can never differ.
Bitmap Fields::select_leaf(const Filter& filter, std::size_t rows) const {
  const auto path = path_ids_.find(filter.field);
  const auto answer = [&](const Scalar* scalar) {
    return matches(filter, [&](std::string_view) { return scalar; });
  };
  const bool absent_matches = answer(nullptr);
  if (path == path_ids_.end()) return Bitmap(rows, absent_matches);
  const Column& column = columns_[path->second];

  enum : std::uint8_t { no, yes, unknown };
  const bool by_equality = filter.op == Filter::Op::eq || filter.op == Filter::Op::in;
  std::vector<std::uint8_t> answers(column.values.size(), by_equality ? no : unknown);
  answers[absent_id] = absent_matches ? yes : no;
  if (by_equality) {
    for (const Scalar& wanted : filter.values) {
      const auto found = column.ids.find(wanted);
      if (found != column.ids.end()) answers[found->second] = answer(column.values[found->second].scalar);
    }
    answers[compound_id] = answer(&compound);
  }
  const Number* bound = filter.values.empty() ? nullptr : std::get_if<Number>(&filter.values[0]);
  const auto answer_of = [&](ValueId id) {
    std::uint8_t& known = answers[id];
    if (known != unknown) return known == yes;
    // Numbers are compared here, because a column of times has as many values as rows.
    const double number = column.values[id].number;
    if (bound != nullptr && !std::isnan(number)) {
      if (filter.op == Filter::Op::gt) return number > *bound;
      if (filter.op == Filter::Op::gte) return number >= *bound;
      if (filter.op == Filter::Op::lt) return number < *bound;
      if (filter.op == Filter::Op::lte) return number <= *bound;
    }
    known = answer(column.values[id].scalar) ? yes : no;
    return known == yes;
  };

  Bitmap out(rows);
  if (index(column)) {
    if (absent_matches) {
      out |= column.present;
      out.flip();
    }
    for (ValueId id = compound_id; id < column.sets.size(); ++id) {
      if (column.values[id].scalar != nullptr && answer_of(id)) column.sets[id].add_to(out);
    }
    return out;
  }
  if (absent_matches) out.flip();
  const auto apply = [&](std::size_t row, ValueId id) {
    if (answer_of(id)) {
      out.set(row);
    } else {
      out.reset(row);
    }
  };
  const std::size_t dense = std::min(rows, column.dense.size());
  for (std::size_t row = 0; row < dense; ++row) apply(row, column.dense[row]);
  for (const auto& cell : column.sparse) {
    if (cell.first < rows) apply(cell.first, cell.second);
  }
  return out;
}

std::size_t Fields::bytes() const {
  std::size_t sum = row_shapes_.capacity() * sizeof(std::uint32_t);
  for (const Column& column : columns_) {
    sum += 200 + column.dense.capacity() * sizeof(ValueId) + column.sparse.size() * 40;
    // Around a value lie the nodes of its map.
    sum += column.ids.size() * 120;
    for (const RowSet& set : column.sets) sum += set.bytes();
  }
  return sum + shapes_.size() * 100;
}

void Fields::write(BinaryWriter& out) const {
  out.put(row_shapes_.size());
  out.put(columns_.size());
  for (std::size_t path = 0; path < columns_.size(); ++path) {
    const Column& column = columns_[path];
    out.put_text(*path_names_[path]);
    out.put(column.values.size());
    for (const Value& value : column.values) {
      // A freed value is written as absent, so that nothing of a deleted row reaches the disk.
      const Scalar none;
      const Scalar& scalar = value.scalar != nullptr && value.scalar != &compound ? *value.scalar : none;
      const auto* number = std::get_if<Number>(&scalar);
      if (number != nullptr && !is_double(*number)) {
        out.put(*number < 0 ? below_zero : above_zero);
        out.put(static_cast<std::uint64_t>(std::abs(*number)));
        continue;
      }
      out.put(scalar.index());
      if (const auto* flag = std::get_if<bool>(&scalar)) out.put(*flag);
      if (number != nullptr) out.put(static_cast<double>(*number));
      if (const auto* text = std::get_if<std::string>(&scalar)) out.put_text(*text);
    }
    std::vector<Cell> cells;  // rows and values
    for (std::uint32_t row = 0; row < column.dense.size(); ++row) {
      if (column.dense[row] != absent_id) cells.push_back({row, column.dense[row]});
    }
    for (const auto& cell : column.sparse) cells.push_back({cell.first, cell.second});
    std::ranges::sort(cells, {}, &Cell::path);
    out.put_all(std::span<const Cell>(cells));
  }
}

void Fields::read(BinaryReader& in, std::size_t most_rows) {
  const auto rows = in.get<std::size_t>();
  const auto columns = in.get<std::size_t>();
  in.require(rows <= most_rows, "fields of more rows than there are");
  in.require(columns <= in.left(), "more fields than bytes");
  row_shapes_.assign(rows, 0);
  std::vector<std::vector<std::uint32_t>> paths(rows);  // of each row
  for (std::size_t i = 0; i < columns; ++i) {
    const std::uint32_t path = path_id(in.get_text());
    in.require(path == i, "a field that comes twice");
    Column& column = columns_[path];
    const auto values = in.get<std::size_t>();
    in.require(values <= in.left(), "more values than bytes");
    std::vector<Scalar> scalars;
    for (std::size_t v = 0; v < values; ++v) {
      switch (in.get<std::size_t>()) {
        case 0: scalars.emplace_back(); break;
        case 1: scalars.emplace_back(in.get<bool>()); break;
        case 2: scalars.emplace_back(static_cast<Number>(in.get<double>())); break;
        case 3: scalars.emplace_back(std::string(in.get_text())); break;
        case above_zero: scalars.emplace_back(static_cast<Number>(in.get<std::uint64_t>())); break;
        case below_zero: scalars.emplace_back(-static_cast<Number>(in.get<std::uint64_t>())); break;
        default: in.require(false, "a value of no known type");
      }
    }
    for (const Cell& cell : in.get_all<Cell>()) {
      const std::uint32_t row = cell.path;
      in.require(row < rows && cell.value > absent_id && cell.value < values, "a field outside its table");
      in.require(value_at(column, row) == absent_id, "two values of one field");
      put(column, row, cell.value == compound_id ? compound_id : column.acquire(scalars[cell.value]));
      paths[row].push_back(path);
    }
  }
  for (std::uint32_t row = 0; row < rows; ++row) {
    if (paths[row].empty()) continue;
    const auto entry =
        shape_ids_.try_emplace(std::move(paths[row]), static_cast<std::uint32_t>(shapes_.size()));
    if (entry.second) shapes_.push_back(&entry.first->first);
    row_shapes_[row] = entry.first->second;
  }
}

}  // namespace actionhist
