#include "convert.hpp"

#include <climits>
#include <cmath>

#include <datetime.h>
#include <fmt/format.h>

#include "core/refuse.hpp"

namespace actionhist::python {
namespace {

namespace chrono = std::chrono;

// Python's C API of the module datetime, loaded by the first use.
void load_datetime() {
  if (PyDateTimeAPI == nullptr) PyDateTime_IMPORT;
  if (PyDateTimeAPI == nullptr) throw py::error_already_set();
}

chrono::microseconds duration_of(py::handle delta) {
  PyObject* const object = delta.ptr();
  return chrono::days{PyDateTime_DELTA_GET_DAYS(object)} +
         chrono::seconds{PyDateTime_DELTA_GET_SECONDS(object)} +
         chrono::microseconds{PyDateTime_DELTA_GET_MICROSECONDS(object)};
}

TimePoint from_datetime(py::handle value, std::string_view field) {
  PyObject* const object = value.ptr();
  const py::object offset = value.attr("utcoffset")();
  if (offset.is_none()) {
    refuse(field, fmt::format("the datetime {} has no time zone; use datetime.now(timezone.utc) and the like",
                              std::string(py::str(value))));
  }
  const chrono::year_month_day date{chrono::year{PyDateTime_GET_YEAR(object)},
                                    chrono::month{static_cast<unsigned>(PyDateTime_GET_MONTH(object))},
                                    chrono::day{static_cast<unsigned>(PyDateTime_GET_DAY(object))}};
  return TimePoint{chrono::sys_days{date}} + chrono::hours{PyDateTime_DATE_GET_HOUR(object)} +
         chrono::minutes{PyDateTime_DATE_GET_MINUTE(object)} +
         chrono::seconds{PyDateTime_DATE_GET_SECOND(object)} +
         chrono::microseconds{PyDateTime_DATE_GET_MICROSECOND(object)} - duration_of(offset);
}

// How to make a dict of what frameworks hand out in place of one.
std::string_view as_dict(py::handle value) {
  if (py::hasattr(value, "model_dump")) return "; give its model_dump()";
  if (py::hasattr(value, "__dataclass_fields__")) return "; give dataclasses.asdict() of it";
  return {};
}

}  // namespace

void require_callable(py::handle value, std::string_view field) {
  if (PyCallable_Check(value.ptr()) == 0) wrong_type(field, "a callable", value);
}

void wrong_type(std::string_view field, std::string_view wanted, py::handle value) {
  const std::string_view hint = wanted.find("dict") == wanted.npos ? std::string_view() : as_dict(value);
  throw py::type_error(
      fmt::format("{}: must be {}, not {}{}", field, wanted, Py_TYPE(value.ptr())->tp_name, hint));
}

std::optional<std::string_view> utf8(py::handle str) {
  Py_ssize_t size = 0;
  const char* const text = PyUnicode_AsUTF8AndSize(str.ptr(), &size);
  if (text != nullptr) return std::string_view(text, static_cast<std::size_t>(size));
  if (PyErr_ExceptionMatches(PyExc_UnicodeEncodeError) == 0) throw py::error_already_set();
  PyErr_Clear();
  return std::nullopt;
}

bool is_enum(py::handle value) { return py::isinstance(value, py::module_::import("enum").attr("Enum")); }
bool is_uuid(py::handle value) { return py::isinstance(value, py::module_::import("uuid").attr("UUID")); }

std::string to_text(py::handle value, std::string_view field) {
  if (PyUnicode_Check(value.ptr())) {
    const auto text = utf8(value);
    if (!text) refuse(field, "holds a lone surrogate, which is no character");
    return std::string(*text);
  }
  if (is_uuid(value)) return py::str(value);
  if (is_enum(value)) {
    const py::object content = value.attr("value");
    if (PyUnicode_Check(content.ptr())) return to_text(content, field);
  }
  wrong_type(field, "a str", value);
}

std::string to_optional_text(py::handle value, std::string_view field) {
  return value.is_none() ? std::string() : to_text(value, field);
}

py::list to_list(py::handle value, std::string_view field) {
  if (!py::isinstance<py::iterable>(value)) wrong_type(field, "iterable", value);
  return py::list(py::reinterpret_borrow<py::object>(value));
}

std::vector<std::string> to_texts(py::handle value, std::string_view field) {
  if (!PyList_Check(value.ptr()) && !PyTuple_Check(value.ptr())) wrong_type(field, "a list of str", value);
  std::vector<std::string> texts;
  for (const py::handle item : value) {
    texts.push_back(to_text(item, fmt::format("{}[{}]", field, texts.size())));
  }
  return texts;
}

bool to_flag(py::handle value, std::string_view field) {
  if (!PyBool_Check(value.ptr())) wrong_type(field, "True or False", value);
  return value.ptr() == Py_True;
}

int to_int(py::handle value, std::string_view field) {
  if (PyIndex_Check(value.ptr()) == 0) wrong_type(field, "an int", value);
  const auto whole = py::reinterpret_steal<py::object>(PyNumber_Index(value.ptr()));
  if (!whole) throw py::error_already_set();
  int overflow = 0;
  const long number = PyLong_AsLongAndOverflow(whole.ptr(), &overflow);
  if (overflow != 0 || number < INT_MIN || number > INT_MAX) {
    refuse(field, std::string(py::str(whole)) + " is out of range");
  }
  return static_cast<int>(number);
}

double to_number(py::handle value, std::string_view field) {
  const double number = PyFloat_AsDouble(value.ptr());
  if (PyErr_Occurred() != nullptr) {
    if (PyErr_ExceptionMatches(PyExc_TypeError) == 0) throw py::error_already_set();
    PyErr_Clear();
    wrong_type(field, "a number", value);
  }
  if (!std::isfinite(number)) refuse(field, fmt::format("{} is not finite", number));
  return number;
}

std::optional<double> to_optional_number(py::handle value, std::string_view field) {
  return value.is_none() ? std::nullopt : std::optional(to_number(value, field));
}

std::optional<TimePoint> to_time(py::handle value, std::string_view field) {
  if (value.is_none()) return std::nullopt;
  if (PyUnicode_Check(value.ptr())) return parse_time(to_text(value, field), field);
  if (!is_datetime(value)) wrong_type(field, "a datetime or a str", value);
  return from_datetime(value, field);
}

bool is_datetime(py::handle value) {
  load_datetime();
  return PyDateTime_Check(value.ptr()) != 0;
}

py::object from_time(TimePoint time) {
  load_datetime();
  const auto day = chrono::floor<chrono::days>(time);
  const chrono::year_month_day date{day};
  const chrono::hh_mm_ss clock{time - day};
  PyObject* const object = PyDateTimeAPI->DateTime_FromDateAndTime(
      int{date.year()}, static_cast<int>(unsigned{date.month()}), static_cast<int>(unsigned{date.day()}),
      static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
      static_cast<int>(clock.seconds().count()), static_cast<int>(clock.subseconds().count()),
      PyDateTime_TimeZone_UTC, PyDateTimeAPI->DateTimeType);
  if (object == nullptr) throw py::error_already_set();
  return py::reinterpret_steal<py::object>(object);
}

Json to_where(py::handle value) {
  return value.is_none() ? Json() : Json::parse(to_json(value, "where", "where"), "where");
}

}  // namespace actionhist::python
