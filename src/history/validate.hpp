// What may be stored. Functions throw Error: invalid_argument, naming the field and the fix.
#pragma once

#include <chrono>
#include <cstddef>
#include <string_view>

#include <actionhist/action.hpp>
#include <actionhist/alert.hpp>
#include <actionhist/effectiveness.hpp>

namespace actionhist {

struct Options;

constexpr std::chrono::milliseconds longest_duration = std::chrono::days{3653};  // of an action
constexpr std::chrono::minutes allowed_skew{5};                                  // of the clocks of agents

// Accepted times are 2000-01-01 to `now` + 5 minutes. The action's time may be absent only if `time_optional`.
void validate(const Action& action, TimePoint now, bool time_optional);
void validate(const Outcome& outcome);
void validate(const Alert& alert, TimePoint now);
void validate(const Assessment& assessment);
void validate(const Resource& resource);
// What is wrong with them whatever they open.
void validate(const Options& options);
// A time that may be given beside the clock's.
void validate_time(const std::optional<TimePoint>& time, std::string_view field, TimePoint now);
void validate_id(std::string_view id, std::string_view field);
// How many bytes of a text field are kept.
std::size_t limit_of(std::string_view field);
// Valid UTF-8 without NUL, of at most `limit` bytes.
void validate_text(std::string_view text, std::string_view field, std::size_t limit);

}  // namespace actionhist
