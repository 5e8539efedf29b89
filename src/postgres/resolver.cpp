#include "postgres/resolver.hpp"

#include <algorithm>
#include <future>
#include <map>
#include <mutex>
#include <thread>

#include <netdb.h>
#include <sys/socket.h>

#include <fmt/format.h>

#include "postgres/server_error.hpp"

namespace actionhist::postgres {
namespace {

struct Addresses {
  std::vector<std::string> numeric;
  std::string fault;
};

Addresses look_up(const std::string& host, int flags) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags;
  addrinfo* list = nullptr;
  if (const int code = getaddrinfo(host.c_str(), nullptr, &hints, &list); code != 0) {
    return {{}, gai_strerror(code)};
  }
  Addresses found;
  for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
    char text[NI_MAXHOST];
    if (getnameinfo(entry->ai_addr, entry->ai_addrlen, text, sizeof text, nullptr, 0, NI_NUMERICHOST) != 0) {
      continue;
    }
    if (std::find(found.numeric.begin(), found.numeric.end(), text) == found.numeric.end()) {
      found.numeric.emplace_back(text);
    }
  }
  freeaddrinfo(list);
  if (found.numeric.empty()) found.fault = "it has no address";
  return found;
}

// The look-ups that run. One a name, however many ask: a resolver that hangs must not gather threads.
struct Running {
  std::mutex mutex;
  std::map<std::string, std::shared_future<Addresses>> lookups;  // guarded by mutex
};

std::shared_future<Addresses> start(const std::string& host) {
  // Shared with the threads, which may outlive everything.
  static const auto running = std::make_shared<Running>();
  std::lock_guard lock(running->mutex);
  if (const auto found = running->lookups.find(host); found != running->lookups.end()) return found->second;
  auto promise = std::make_shared<std::promise<Addresses>>();
  std::shared_future<Addresses> future = promise->get_future().share();
  std::thread([host, promise, shared = running] {
    promise->set_value(look_up(host, 0));
    std::lock_guard thread_lock(shared->mutex);
    shared->lookups.erase(host);
  }).detach();
  running->lookups.emplace(host, future);
  return future;
}

}  // namespace

std::vector<std::string> resolve(const std::string& host, Deadline deadline) {
  if (Addresses numeric = look_up(host, AI_NUMERICHOST); !numeric.numeric.empty()) return numeric.numeric;
  const std::shared_future<Addresses> future = start(host);
  if (future.wait_until(deadline) != std::future_status::ready) {
    throw ServerError(
        ErrorCode::unavailable, Failure::transient,
        fmt::format("database: the address of host \"{}\" is not known in time; check the name service",
                    host));
  }
  const Addresses& found = future.get();
  if (found.numeric.empty()) {
    throw ServerError(ErrorCode::unavailable, Failure::transient,
                      fmt::format("database: the host \"{}\" is unknown: {}", host, found.fault));
  }
  return found.numeric;
}

}  // namespace actionhist::postgres
