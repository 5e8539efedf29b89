// Posts JSON to one address, several requests at once, over connections that are kept. Certificates are verified,
// redirects are not followed. Any thread may post at once.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace actionhist {

struct HttpAddress {
  std::string url;    // without fragment
  std::string shown;  // for messages: without query, which may hold a secret
  std::string path;
  std::string fragment;  // what stood behind #, decoded
};

// REQUIRES: `uri` begins with http:// or https://.
// Throws Error: invalid_argument, naming `field`, also for a URI with a user or a password.
HttpAddress parse_http_address(const std::string& uri, std::string_view field);

struct HttpReply {
  int status = 0;  // 0 without an answer
  std::string body;
  std::string failure;  // why there is no answer
  bool needs_repair =
      false;  // there will be none before a person changes a certificate, a setting or the request
  std::string retry_after;     // the header, empty without
  std::string retry_after_ms;  // the same
};

struct HttpSettings {
  std::string url;
  std::vector<std::string> headers;  // "name: value"
  std::string ca_file;               // instead of the system's certificates
  std::chrono::milliseconds connect_timeout{5'000};
  std::chrono::milliseconds timeout{30'000};  // of a request, until its last byte
  int concurrency = 4;
};

class HttpClient {
 public:
  // Throws Error: invalid_argument when libcurl takes none of it.
  explicit HttpClient(HttpSettings settings);
  ~HttpClient();

  // Says for the reply to request `i` after what time to send it again, or that it is done.
  using Answered =
      std::function<std::optional<std::chrono::milliseconds>(std::size_t i, const HttpReply& reply)>;

  // Sends every body and returns when all are done. What `answered` throws ends all requests.
  // Throws Error: internal when libcurl fails.
  void post(std::span<const std::string> bodies, const Answered& answered) const;

 private:
  class Transfers;

  std::unique_ptr<Transfers> take() const;

  HttpSettings settings_;
  mutable std::mutex mutex_;
  mutable std::vector<std::unique_ptr<Transfers>> resting_;  // guarded by mutex_; each keeps its connections
};

}  // namespace actionhist
