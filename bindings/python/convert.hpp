// Between Python's values and those of the contract. Everything here needs the GIL.
// A value of another type than expected raises TypeError; one of the right type that means nothing throws
// Error: invalid_argument. Both name the field.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <pybind11/pybind11.h>

#include <actionhist/json.hpp>
#include <actionhist/time.hpp>

namespace actionhist::python {

namespace py = pybind11;

// The JSON text of a dict of dict, list, tuple, str, int, float, bool, None, datetime, UUID, Enum and numpy's
// scalars. `what` names the dict itself in messages; `prefix`, if any, stands before the names inside it.
std::string to_json(py::handle dict, std::string_view what, std::string_view prefix = {});

// The value of JSON text: dict, list, str, int, float, bool or None.
py::object from_json(std::string_view json);

// What has a to_json() as Python gets it: a dict, and several of them as a list.
template <class T>
py::object plain(const T& value) {
  return from_json(to_json(value));
}
template <class T>
py::object plain(const std::vector<T>& values) {
  py::list list;
  for (const T& value : values) list.append(plain(value));
  return list;
}

// A str, or a UUID or Enum as its text.
std::string to_text(py::handle value, std::string_view field);
// The same, and None as empty text.
std::string to_optional_text(py::handle value, std::string_view field);
// What something iterable gives.
py::list to_list(py::handle value, std::string_view field);
// A list or tuple of str.
std::vector<std::string> to_texts(py::handle value, std::string_view field);

bool to_flag(py::handle value, std::string_view field);
int to_int(py::handle value, std::string_view field);
double to_number(py::handle value, std::string_view field);
std::optional<double> to_optional_number(py::handle value, std::string_view field);

// None, an aware datetime or RFC 3339 text. A datetime without a time zone is refused.
std::optional<TimePoint> to_time(py::handle value, std::string_view field);
bool is_datetime(py::handle value);
// An aware datetime in UTC.
py::object from_time(TimePoint time);

// Numbers as floats: of a buffer such as numpy's array of one dimension at once, of anything else one by one.
std::vector<float> to_floats(py::handle value, std::string_view field);

// None or a filter.
Json to_where(py::handle value);

// The text of a str, which lives as long as the str; absent when it holds a lone surrogate.
std::optional<std::string_view> utf8(py::handle str);
bool is_enum(py::handle value);
bool is_uuid(py::handle value);

// Raises TypeError for what cannot be called.
void require_callable(py::handle value, std::string_view field);

[[noreturn]] void wrong_type(std::string_view field, std::string_view wanted, py::handle value);

}  // namespace actionhist::python
