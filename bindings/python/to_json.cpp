#include "convert.hpp"

#include <cmath>

#include <fmt/format.h>

#include <actionhist/error.hpp>

#include "core/json_io.hpp"

namespace actionhist::python {
namespace {

// A field may have 64 levels, and the library counts them. This ends what contains itself.
constexpr int max_depth = 80;

// Where a value stands, written out only for a message: action_parameters.steps[2].cpu
struct Place {
  const Place* parent = nullptr;
  std::string_view key = {};
  Py_ssize_t index = -1;
  int depth = parent != nullptr ? parent->depth + 1 : 0;

  std::string text() const {
    std::string path = parent != nullptr ? parent->text() : std::string();
    if (index >= 0) return path + fmt::format("[{}]", index);
    if (!path.empty() && !key.empty()) path += '.';
    return path.append(key);
  }
};

class Writer {
 public:
  explicit Writer(std::string_view what) : what_(what) {}

  // The types are asked for in the order of how often they come.
  void write(py::handle value, const Place& place) {
    PyObject* const object = value.ptr();
    if (PyUnicode_Check(object)) {
      writer_.value(text_of(value, place));
    } else if (value.is_none()) {
      writer_.null();
    } else if (PyBool_Check(object)) {
      writer_.value(object == Py_True);
    } else if (PyLong_Check(object)) {
      write_integer(value, place);
    } else if (PyFloat_Check(object)) {
      write_float(PyFloat_AS_DOUBLE(object), place);
    } else if (PyDict_Check(object)) {
      write_dict(value, place);
    } else if (PyList_Check(object)) {
      write_items(
          place, [&] { return PyList_GET_SIZE(object); },
          [&](Py_ssize_t i) { return PyList_GET_ITEM(object, i); });
    } else if (PyTuple_Check(object)) {
      write_items(
          place, [&] { return PyTuple_GET_SIZE(object); },
          [&](Py_ssize_t i) { return PyTuple_GET_ITEM(object, i); });
    } else if (is_datetime(value)) {
      writer_.value(format_time(*to_time(value, name_of(place))));
    } else {
      write_other(value, place);
    }
  }

  std::string take() { return writer_.take(); }

 private:
  void write_integer(py::handle value, const Place& place) {
    int overflow = 0;
    const long long number = PyLong_AsLongLongAndOverflow(value.ptr(), &overflow);
    if (overflow == 0) {
      writer_.value(std::int64_t{number});
      return;
    }
    const unsigned long long positive = PyLong_AsUnsignedLongLong(value.ptr());
    if (PyErr_Occurred() != nullptr) {
      PyErr_Clear();
      refuse(place, "is an int of more than 64 bits");
    }
    writer_.raw(std::to_string(positive));
  }

  void write_float(double number, const Place& place) {
    if (!std::isfinite(number)) refuse(place, fmt::format("is {}, not a finite number", number));
    writer_.value(number);
  }

  // Converting a value may run Python code that changes the container, so each item is held meanwhile and the
  // size is asked for anew.
  void write_dict(py::handle dict, const Place& place) {
    check_depth(place);
    writer_.begin_object();
    PyObject* key = nullptr;
    PyObject* value = nullptr;
    for (Py_ssize_t at = 0; PyDict_Next(dict.ptr(), &at, &key, &value) != 0;) {
      const auto held_key = py::reinterpret_borrow<py::object>(key);
      const auto held_value = py::reinterpret_borrow<py::object>(value);
      if (!PyUnicode_Check(key)) wrong_type(name_of(place), "a dict with keys of str", held_key);
      const std::string_view name = text_of(held_key, place);
      writer_.key(name);
      write(held_value, {&place, name});
    }
    writer_.end_object();
  }

  template <class Size, class Item>
  void write_items(const Place& place, Size size, Item item) {
    check_depth(place);
    writer_.begin_array();
    for (Py_ssize_t i = 0; i < size(); ++i) {
      write(py::reinterpret_borrow<py::object>(item(i)), {&place, {}, i});
    }
    writer_.end_array();
  }

  void write_other(py::handle value, const Place& place) {
    check_depth(place);
    if (is_enum(value)) {
      write(value.attr("value"), {&place});
    } else if (is_uuid(value)) {
      writer_.value(std::string(py::str(value)));
    } else if (is_array_scalar(value)) {
      write(value.attr("item")(), {&place});
    } else {
      wrong_type(name_of(place), "dict, list, str, int, float, bool, None, datetime, UUID or Enum", value);
    }
  }

  // numpy's scalars, and what follows their protocol: an array without dimensions.
  static bool is_array_scalar(py::handle value) {
    return py::hasattr(value, "dtype") && py::hasattr(value, "item") && py::hasattr(value, "shape") &&
           py::len(value.attr("shape")) == 0;
  }

  // Lives as long as the str.
  std::string_view text_of(py::handle str, const Place& place) const {
    const auto text = utf8(str);
    if (!text) refuse(place, "holds a lone surrogate, which is no character");
    return *text;
  }

  void check_depth(const Place& place) const {
    if (place.depth <= max_depth) return;
    const Place* top = &place;
    while (top->depth > 1) top = top->parent;
    refuse(*top, "nested deeper than 64 levels");
  }

  std::string name_of(const Place& place) const {
    const std::string text = place.text();
    return text.empty() ? std::string(what_) : text;
  }

  [[noreturn]] void refuse(const Place& place, std::string_view why) const {
    throw Error(ErrorCode::invalid_argument, fmt::format("{}: {}", name_of(place), why));
  }

  std::string_view what_;
  JsonWriter writer_;
};

}  // namespace

std::string to_json(py::handle dict, std::string_view what, std::string_view prefix) {
  if (!PyDict_Check(dict.ptr())) wrong_type(what, "a dict", dict);
  Writer writer(what);
  writer.write(dict, {nullptr, prefix});
  return writer.take();
}

}  // namespace actionhist::python
