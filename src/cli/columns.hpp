// The value of a column of a trace as text, for tables and CSV. Absent values are empty.
#pragma once

#include <optional>
#include <string>

#include <actionhist/action.hpp>

#include "core/json_io.hpp"

namespace actionhist::cli {

inline std::string column_text(const std::string& text) { return text; }
inline std::string column_text(const Json& json) { return json.text(); }
inline std::string column_text(double number) { return number_text(number); }
inline std::string column_text(std::int64_t number) { return std::to_string(number); }
inline std::string column_text(TimePoint time) { return format_time(time); }
inline std::string column_text(Status status) { return std::string(to_string(status)); }
inline std::string column_text(Effect effect) { return std::string(to_string(effect)); }

template <class T>
std::string column_text(const std::optional<T>& value) {
  return value ? column_text(*value) : std::string();
}

}  // namespace actionhist::cli
