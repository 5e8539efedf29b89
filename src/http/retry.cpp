#include "http/retry.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <random>
#include <string_view>

#include <curl/curl.h>

namespace actionhist {
namespace {

std::optional<double> number_of(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(number)) return std::nullopt;
  return number;
}

}  // namespace

bool may_pass_later(const HttpReply& reply) {
  return reply.status == 0 || reply.status == 408 || reply.status == 409 || reply.status == 429 ||
         reply.status >= 500;
}

double random_share() {
  thread_local std::minstd_rand random(std::random_device{}());
  return std::uniform_real_distribution<double>(0, 1)(random);
}

std::chrono::milliseconds retry_delay(const HttpReply& reply, int retry, double random, std::time_t now) {
  constexpr double longest_wish = 120'000;
  std::optional<double> wish = number_of(reply.retry_after_ms);
  if (!wish && !reply.retry_after.empty()) {
    wish = number_of(reply.retry_after);
    const std::time_t date = wish ? -1 : curl_getdate(reply.retry_after.c_str(), nullptr);
    if (date >= 0) wish = std::difftime(date, now);
    if (wish) *wish *= 1000;
  }
  if (wish && *wish > 0 && *wish <= longest_wish)
    return std::chrono::milliseconds(std::llround(std::ceil(*wish)));
  const double pause = std::min(8000.0, 500.0 * std::exp2(std::min(retry - 1, 10)));
  return std::chrono::milliseconds(std::llround(pause * (1 - 0.25 * random)));
}

}  // namespace actionhist
