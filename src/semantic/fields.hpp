// The fields of rows as filters see them: a column of values for each path. A filter is answered for all rows at
// once: from bitmaps of the values if the column has few of them, else by reading the column. Bitmaps are made
// when a filter first needs them. Const functions may run in many threads at once; changes exclude them.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <actionhist/json.hpp>

#include "core/filter.hpp"
#include "semantic/binary.hpp"
#include "semantic/bitmap.hpp"
#include "semantic/row_set.hpp"

namespace actionhist {

class Fields {
 public:
  Fields();

  // Replaces the fields of a row by the members of a JSON object; members of nested objects get dotted paths
  // ("action_parameters.replicas"), objects and arrays themselves are `compound`. Absent: no fields.
  // Throws Error: invalid_argument for JSON that is no object; nothing is changed then.
  void set(std::uint32_t row, const Json& fields);

  void clear(std::uint32_t row);

  // Takes over a row of another table under another number.
  void set_from(std::uint32_t row, const Fields& other, std::uint32_t other_row);

  // The rows below `rows` that matches() of core/filter.hpp would accept.
  Bitmap select(const Filter& filter, std::size_t rows) const;

  std::size_t bytes() const;

  // As a file keeps them, of at most `rows` rows. REQUIRES of read(): no row has fields yet. Throws Error: corrupt.
  void write(BinaryWriter& out) const;
  void read(BinaryReader& in, std::size_t rows);

 private:
  using ValueId = std::uint32_t;  // position in Column::values; 0 is absent, 1 compound

  struct Value {
    const Scalar* scalar = nullptr;  // a key of Column::ids, or `compound`
    std::size_t users = 0;
    double number = 0;  // of a scalar that is a double, else not a number
  };

  // Dense once a quarter of the rows have a value: metadata may bring many paths that few rows have.
  struct Column {
    Column();
    ValueId acquire(const Scalar& scalar);
    void release(ValueId id);
    std::size_t distinct() const { return ids.size() + 1; }

    std::unordered_map<Scalar, ValueId> ids;
    std::vector<Value> values;
    std::vector<ValueId> free_values;
    std::vector<ValueId> dense;                         // by row; empty if not dense
    std::unordered_map<std::uint32_t, ValueId> sparse;  // by row
    mutable std::atomic<bool> indexed = false;
    mutable std::vector<RowSet> sets;  // by value if indexed; made under sets_mutex_
    mutable Bitmap present;            // the rows with any value, if indexed
  };
  struct Cell {
    std::uint32_t path;
    ValueId value;
  };

  void store(std::uint32_t row, std::vector<Cell> cells);
  std::uint32_t path_id(std::string_view path);
  void put(Column& column, std::uint32_t row, ValueId id);
  ValueId take(Column& column, std::uint32_t row);
  static ValueId value_at(const Column& column, std::uint32_t row);
  bool index(const Column& column) const;
  Bitmap select_leaf(const Filter& filter, std::size_t rows) const;

  std::map<std::string, std::uint32_t, std::less<>> path_ids_;
  std::vector<const std::string*> path_names_;                     // by path id, keys of path_ids_
  std::deque<Column> columns_;                                     // by path id
  std::map<std::vector<std::uint32_t>, std::uint32_t> shape_ids_;  // the paths that a row has
  std::vector<const std::vector<std::uint32_t>*> shapes_;          // keys of shape_ids_
  std::vector<std::uint32_t> row_shapes_;                          // by row; 0 is no path
  std::unique_ptr<std::mutex> sets_mutex_;  // behind a pointer, so that fields can be moved
};

}  // namespace actionhist
