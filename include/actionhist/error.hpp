// The one exception of the library. Every code tells the caller what to do next.
// An Error is a value: it may be copied and read from any thread.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace actionhist {

// Values are part of the C ABI; they never change.
enum class ErrorCode : std::int32_t {
  invalid_argument = 1,  // fix the call; the message names the field
  not_found = 2,         // the id is not stored
  conflict = 3,          // stored otherwise already: reload and decide
  denied = 4,            // fix rights: read-only file, missing permission
  unavailable = 5,       // retry later: disk full, database unreachable
  timeout = 6,           // a deadline passed; the work may or may not go on
  unsupported = 7,       // not offered here: other engine, after fork(), newer schema
  corrupt = 8,           // stop and restore or rebuild
  cancelled = 9,         // the History is closing
  internal = 10,         // a bug: please report
};

// The code's name as written above, for messages and logs.
std::string_view to_string(ErrorCode code) noexcept;

class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  ErrorCode code() const noexcept { return code_; }

 private:
  ErrorCode code_;
};

}  // namespace actionhist
