// The leaves of a JSON document by their dimension: its numbers, quantities among them, and its texts and
// flags.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/dimension.hpp"
#include "core/json_io.hpp"

namespace actionhist {

template <class Value>
struct Leaf {
  const Dimension* dimension = nullptr;
  Value value{};
};

template <class Value>
using Leaves = std::vector<Leaf<Value>>;

template <class Value>
const Value* find(const Leaves<Value>& leaves, const Dimension* dimension) {
  const auto found = std::ranges::find(leaves, dimension, &Leaf<Value>::dimension);
  return found == leaves.end() ? nullptr : &found->value;
}

struct Document {
  Leaves<double> numbers;
  Leaves<std::string> texts;
};

// Reads one document after another with one parser. Belongs to one thread.
class LeafReader {
 public:
  // Texts and flags are left out unless `with_texts`. `dimensions` must outlive what is read.
  LeafReader(DimensionTable& dimensions, bool with_texts)
      : dimensions_(dimensions), with_texts_(with_texts) {}

  // At most the first 256 leaves. An absent document has none.
  Document read(const Json& json);

 private:
  void collect(JsonElement element);
  void descend(std::string_view key, JsonElement element);
  void add_text(std::string_view text);
  void add_number(const DimensionTable::Entry& entry, double value);

  DimensionTable& dimensions_;
  bool with_texts_;
  JsonDocument parser_;
  std::string path_;  // of the element at hand
  Document found_;
};

}  // namespace actionhist
