#include <memory>

#include <fmt/format.h>

#include <actionhist/error.hpp>

#include "bind.hpp"
#include "callback.hpp"
#include "convert.hpp"
#include "gil.hpp"

namespace actionhist::python {
namespace {

std::shared_ptr<py::object> shared_callable(const py::object& callable, std::string_view field) {
  require_callable(callable, field);
  return shared_object(callable);
}

// What the callable raises goes through the library to the caller, as it came.
Clock to_clock(const py::object& callable) {
  if (callable.is_none()) return {};
  return [shared = shared_callable(callable, "clock")] {
    const Callback callback;
    const py::object now = answer(*shared, py::tuple());
    if (!is_datetime(now)) wrong_type("clock", "a callable that returns datetimes", now);
    return *to_time(now, "clock");
  };
}

const char* name_of(LogLevel level) {
  switch (level) {
    case LogLevel::debug: return "debug";
    case LogLevel::info: return "info";
    case LogLevel::warning: return "warning";
    case LogLevel::error: break;
  }
  return "error";
}

LogCallback to_log(const py::object& callable) {
  if (callable.is_none()) return {};
  return [shared = shared_callable(callable, "log")](LogLevel level, std::string_view message) {
    const Callback callback;
    try {
      // Foreign bytes in a message must not lose it.
      const auto text = py::reinterpret_steal<py::object>(
          PyUnicode_DecodeUTF8(message.data(), static_cast<Py_ssize_t>(message.size()), "replace"));
      answer(*shared, py::make_tuple(name_of(level), text));
    } catch (py::error_already_set& error) {
      // Nobody is there to catch it on the library's own thread.
      error.discard_as_unraisable(*shared);
    }
  };
}

DetectionCallback to_on_detection(const py::object& callable) {
  if (callable.is_none()) return {};
  return [shared = shared_callable(callable, "on_detection")](const DetectionNotice& notice) {
    const Callback callback;
    try {
      answer(*shared, py::make_tuple(plain(notice)));
    } catch (py::error_already_set& error) {
      // The proposal is decided and stored; its caller gets the verdict all the same.
      error.discard_as_unraisable(*shared);
    }
  };
}

OnUnavailable to_on_unavailable(const py::object& value) {
  const std::string text = to_text(value, "on_unavailable");
  if (text == "deny") return OnUnavailable::deny;
  if (text == "allow") return OnUnavailable::allow;
  throw Error(ErrorCode::invalid_argument,
              fmt::format("on_unavailable: \"{}\" is none of deny, allow", text));
}

}  // namespace

std::shared_ptr<py::object> shared_object(const py::object& object) {
  return {new py::object(object), [](py::object* last) {
            const Callback callback;
            delete last;
          }};
}

Options to_options(const py::dict& given) {
  Options options;
  if (!given["tenant"].is_none()) options.tenant = to_text(given["tenant"], "tenant");
  options.run_migrations = to_flag(given["run_migrations"], "run_migrations");
  options.read_only = to_flag(given["read_only"], "read_only");
  options.semantic = to_flag(given["semantic"], "semantic");
  options.worker = to_flag(given["worker"], "worker");
  options.on_unavailable = to_on_unavailable(given["on_unavailable"]);
  if (!given["postgres"].is_none()) {
    options.postgres = parse_postgres_options(to_json(given["postgres"], "postgres"));
  }
  options.redact = to_texts(given["redact"], "redact");
  options.busy_timeout = std::chrono::milliseconds(to_int(given["busy_timeout_ms"], "busy_timeout_ms"));
  options.upkeep_interval = std::chrono::seconds(to_int(given["upkeep_seconds"], "upkeep_seconds"));
  options.model = to_model(given["model"]);
  options.clock = to_clock(given["clock"]);
  options.log = to_log(given["log"]);
  options.on_detection = to_on_detection(given["on_detection"]);
  if (!given["index_folder"].is_none()) options.index_folder = to_text(given["index_folder"], "index_folder");
  return options;
}

}  // namespace actionhist::python
