// Posts detections to the webhooks of their patterns, in a thread of its own, so that who proposes never waits.
// At least once while the process lives: what waits is in memory only, and the table of detections has it all.
// Webhooks may be used from any thread at once.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include <actionhist/history.hpp>
#include <actionhist/json.hpp>

namespace actionhist {

// A pattern's `alert_webhook`. What is secret in it is not here, but in the environment, and read for each message.
struct Webhook {
  std::string url;      // empty if `url_env` is given
  std::string url_env;  // the variable that holds the URL, for receivers whose URL is their secret
  std::string header = "Authorization";
  std::string secret_env;  // the variable whose value the header gets; no header if empty

  // The same receiver, told in the same way.
  friend auto operator<=>(const Webhook&, const Webhook&) = default;
};

// Nothing if `json` is absent. Throws Error: invalid_argument, naming the field.
std::optional<Webhook> parse_webhook(const Json& json);

class Webhooks {
 public:
  using Log = std::function<void(const std::string&)>;

  explicit Webhooks(Log log) : log_(std::move(log)) {}
  // Tries what waits once more, for as long as ten seconds; the rest is lost.
  ~Webhooks();
  Webhooks(const Webhooks&) = delete;
  Webhooks& operator=(const Webhooks&) = delete;

  // Takes `body` for sending. With too many waiting it is lost.
  void post(const Webhook& webhook, std::string body);

  WebhookStats stats() const;

 private:
  using SteadyTime = std::chrono::steady_clock::time_point;

  struct Message {
    std::string body;
    SteadyTime since;
  };
  // Messages of one receiver go one after the other; while it fails, those of others pass.
  struct Receiver {
    std::deque<Message> messages;
    int failures = 0;  // since the last success
    SteadyTime not_before;
  };
  using Receivers = std::map<Webhook, Receiver>;

  void run();
  // Sends the first message of a receiver; the lock is open meanwhile.
  void work(Receivers::iterator entry, std::unique_lock<std::mutex>& lock);
  // Its first `count` messages will never arrive.
  void lose(Receivers::iterator entry, std::size_t count, const std::string& why,
            std::unique_lock<std::mutex>& lock);

  Log log_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Receivers receivers_;             // guarded by mutex_
  WebhookStats stats_;              // guarded by mutex_
  std::optional<SteadyTime> stop_;  // guarded by mutex_; when to give up
  std::thread thread_;              // started by the first message; guarded by mutex_
};

}  // namespace actionhist
