#include <actionhist/time.hpp>

#include <optional>

#include <fmt/format.h>

#include <actionhist/error.hpp>

#include "core/names.hpp"
#include "core/refuse.hpp"

namespace actionhist {
namespace {

namespace chrono = std::chrono;

// Reads a time from the front of its text, piece by piece; any piece that is missing spoils the whole.
class TimeReader {
 public:
  explicit TimeReader(std::string_view text) : rest_(text) {}

  std::optional<int> digits(std::size_t count) {
    if (rest_.size() < count) return std::nullopt;
    int value = 0;
    for (const char c : rest_.substr(0, count)) {
      if (c < '0' || c > '9') return std::nullopt;
      value = value * 10 + (c - '0');
    }
    rest_.remove_prefix(count);
    return value;
  }

  // One character out of `set`, or NUL if the next is another.
  char any_of(std::string_view set) {
    if (rest_.empty() || set.find(rest_.front()) == set.npos) return '\0';
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }

  // The fraction after a point; digits beyond the sixth are cut off.
  chrono::microseconds fraction() {
    chrono::microseconds value{0};
    chrono::microseconds unit{100'000};
    while (const char c = any_of("0123456789")) {
      value += (c - '0') * unit;
      unit /= 10;
    }
    return value;
  }

  bool done() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

std::optional<chrono::minutes> read_zone(TimeReader& reader) {
  const char sign = reader.any_of("Zz+-");
  if (sign == 'Z' || sign == 'z') return chrono::minutes{0};
  if (sign == '\0') return std::nullopt;
  const auto hours = reader.digits(2);
  reader.any_of(":");
  const auto minutes = hours ? reader.digits(2) : std::nullopt;
  if (!minutes || *hours > 23 || *minutes > 59) return std::nullopt;
  const chrono::minutes offset = chrono::hours{*hours} + chrono::minutes{*minutes};
  return sign == '+' ? offset : -offset;
}

std::optional<TimePoint> read_local(TimeReader& reader) {
  const auto year = reader.digits(4);
  if (!year || !reader.any_of("-")) return std::nullopt;
  const auto month = reader.digits(2);
  if (!month || !reader.any_of("-")) return std::nullopt;
  const auto day = reader.digits(2);
  if (!day || !reader.any_of("Tt ")) return std::nullopt;
  const auto hour = reader.digits(2);
  if (!hour || !reader.any_of(":")) return std::nullopt;
  const auto minute = reader.digits(2);
  if (!minute) return std::nullopt;
  int second = 0;
  chrono::microseconds fraction{0};
  if (reader.any_of(":")) {
    const auto seconds = reader.digits(2);
    if (!seconds) return std::nullopt;
    second = *seconds;
    if (reader.any_of(".,")) fraction = reader.fraction();
  }
  const chrono::year_month_day date{chrono::year{*year}, chrono::month(*month), chrono::day(*day)};
  if (!date.ok() || *hour > 23 || *minute > 59 || second > 60) return std::nullopt;
  return TimePoint{chrono::sys_days{date}} + chrono::hours{*hour} + chrono::minutes{*minute} +
         chrono::seconds{second} + fraction;
}

}  // namespace

TimePoint system_now() { return chrono::floor<chrono::microseconds>(chrono::system_clock::now()); }

TimePoint parse_time(std::string_view text, std::string_view field) {
  TimeReader reader(text);
  const auto local = read_local(reader);
  if (local && reader.done()) {
    throw Error(
        ErrorCode::invalid_argument,
        fmt::format("{}: \"{}\" has no time zone; add Z or an offset such as +02:00", field, excerpt(text)));
  }
  const auto zone = local ? read_zone(reader) : std::nullopt;
  if (!zone || !reader.done()) {
    refuse(field, fmt::format("\"{}\" is no time; write it as 2026-04-27T00:46:06Z", excerpt(text)));
  }
  return *local - *zone;
}

std::string format_time(TimePoint time) {
  const auto day = chrono::floor<chrono::days>(time);
  const chrono::year_month_day date{day};
  const chrono::hh_mm_ss clock{time - day};
  std::string text = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", int(date.year()),
                                 unsigned(date.month()), unsigned(date.day()), clock.hours().count(),
                                 clock.minutes().count(), clock.seconds().count());
  if (const auto fraction = clock.subseconds().count(); fraction != 0) {
    text += fmt::format(".{:06}", fraction);
    text.erase(text.find_last_not_of('0') + 1);
  }
  return text + 'Z';
}

}  // namespace actionhist
