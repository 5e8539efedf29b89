// Hashes and ids. Functions may be called from any thread.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <actionhist/time.hpp>

namespace actionhist {

// SHA-256 as 64 hexadecimal digits.
std::string sha256_hex(std::string_view data);

// The same of what comes in pieces. Used by one thread.
class Sha256 {
 public:
  Sha256();
  void add(std::span<const std::byte> piece);
  // Of all that was added; nothing may be added afterwards.
  std::string hex();

 private:
  std::unique_ptr<void, void (*)(void*)> context_;
};

// A random-tailed id that holds `time` and sorts by it (RFC 9562, version 7): its milliseconds in the first 48 bits,
// their fraction in the next 12 (section 6.2, method 3).
std::string uuid_v7(TimePoint time);

// The time that it was made of, if `id` is a version 7 UUID. In one that somebody else made the fraction may be chance.
std::optional<TimePoint> time_inside(std::string_view id);

// The id of `name` in a fixed namespace of this library (RFC 9562, version 5): same name, same id.
std::string uuid_v5(std::string_view name);

}  // namespace actionhist
