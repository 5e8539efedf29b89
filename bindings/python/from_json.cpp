#include "convert.hpp"

#include "core/json_io.hpp"

namespace actionhist::python {
namespace {

py::str text(std::string_view utf8) { return {utf8.data(), utf8.size()}; }

py::object value_of(JsonElement element) {
  switch (element.type()) {
    case simdjson::dom::element_type::OBJECT: {
      py::dict dict;
      for (auto [key, value] : simdjson::dom::object(element)) dict[text(key)] = value_of(value);
      return dict;
    }
    case simdjson::dom::element_type::ARRAY: {
      const simdjson::dom::array array(element);
      py::list list;
      for (JsonElement item : array) list.append(value_of(item));
      return list;
    }
    case simdjson::dom::element_type::STRING: return text(std::string_view(element));
    case simdjson::dom::element_type::INT64: return py::int_(std::int64_t(element));
    case simdjson::dom::element_type::UINT64: return py::int_(std::uint64_t(element));
    case simdjson::dom::element_type::DOUBLE: return py::float_(double(element));
    case simdjson::dom::element_type::BOOL: return py::bool_(bool(element));
    case simdjson::dom::element_type::NULL_VALUE: break;
  }
  return py::none();
}

}  // namespace

py::object from_json(std::string_view json) {
  // Building objects may run Python code that comes back here, so no parser is shared.
  JsonDocument document;
  return value_of(document.parse(json, "json"));
}

}  // namespace actionhist::python
