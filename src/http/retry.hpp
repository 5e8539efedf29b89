// When a request that failed is sent again. Pure functions; any thread.
#pragma once

#include <chrono>
#include <ctime>

#include "http/http_client.hpp"

namespace actionhist {

// True without an answer, and when the status says that the same request may succeed later.
bool may_pass_later(const HttpReply& reply);

// How long to wait before try `retry` (the first is 1): as the server says, if that is at most two minutes;
// otherwise half a second, doubled each time up to 8 s, less a random part of a quarter. `random` is in [0, 1).
std::chrono::milliseconds retry_delay(const HttpReply& reply, int retry, double random, std::time_t now);

// In [0, 1), for retry_delay().
double random_share();

}  // namespace actionhist
