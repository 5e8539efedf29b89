#include "http/http_client.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <map>
#include <utility>

#include <curl/curl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <actionhist/error.hpp>

#include "core/ascii.hpp"
#include "core/refuse.hpp"

namespace actionhist {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::size_t longest_body = std::size_t{256} << 20;
constexpr std::size_t longest_header = 256;

// Once a process, before the first use; libcurl makes this safe between threads.
void start_libcurl() {
  static const CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (code != CURLE_OK) throw Error(ErrorCode::internal, "http: libcurl does not start");
}

struct FreeEasy {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct FreeMulti {
  void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};
struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

template <class Value>
void set(CURL* easy, CURLoption option, Value value) {
  const CURLcode code = curl_easy_setopt(easy, option, value);
  if (code != CURLE_OK) {
    refuse("http",
           fmt::format("libcurl refuses option {}: {}", static_cast<int>(option), curl_easy_strerror(code)));
  }
}

std::size_t take_body(char* data, std::size_t, std::size_t size, void* user_data) {
  auto& body = static_cast<HttpReply*>(user_data)->body;
  if (body.size() + size > longest_body) return 0;  // ends the request
  body.append(data, size);
  return size;
}

std::size_t take_header(char* data, std::size_t, std::size_t size, void* user_data) {
  auto& reply = *static_cast<HttpReply*>(user_data);
  const std::string_view line(data, size);
  const auto colon = line.find(':');
  if (colon == line.npos || size > longest_header) return size;
  const std::string name = ascii_lower(line.substr(0, colon));
  std::string* target = name == "retry-after"      ? &reply.retry_after
                        : name == "retry-after-ms" ? &reply.retry_after_ms
                                                   : nullptr;
  if (target == nullptr) return size;
  const auto begin = line.find_first_not_of(" \t", colon + 1);
  const auto end = line.find_last_not_of(" \t\r\n");
  *target = begin == line.npos || end < begin ? "" : std::string(line.substr(begin, end - begin + 1));
  return size;
}

// OpenSSL writes to connections that the server has closed, which would end the host with SIGPIPE. libcurl's own
// remedy changes the handler of the whole process; here the signal is held off from this thread and eaten.
class PipeSignalHeld {
 public:
  PipeSignalHeld() {
    sigset_t pending;
    sigemptyset(&pending);
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  ~PipeSignalHeld() {
    const timespec at_once{};
    while (!was_pending_ && sigtimedwait(&pipe_, nullptr, &at_once) == -1 && errno == EINTR) {
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  PipeSignalHeld(const PipeSignalHeld&) = delete;
  PipeSignalHeld& operator=(const PipeSignalHeld&) = delete;

 private:
  sigset_t pipe_;
  sigset_t before_;
  bool was_pending_ = false;
};

// A name that is not known may be known in a moment, a certificate that is wrong will not be right.
bool needs_repair(CURLcode code) {
  switch (code) {
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
    case CURLE_NOT_BUILT_IN:
    case CURLE_WRITE_ERROR:
    case CURLE_FILESIZE_EXCEEDED:
    case CURLE_BAD_CONTENT_ENCODING:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_USE_SSL_FAILED: return true;
    default: return false;
  }
}

struct FreeUrl {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};

std::string part(CURLU* url, CURLUPart which, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url, which, &text, flags) != CURLUE_OK) return {};
  const std::unique_ptr<char, void (*)(void*)> owner(text, curl_free);
  return text;
}

}  // namespace

HttpAddress parse_http_address(const std::string& uri, std::string_view field) {
  const std::unique_ptr<CURLU, FreeUrl> url(curl_url());
  if (!url || curl_url_set(url.get(), CURLUPART_URL, uri.c_str(), 0) != CURLUE_OK) {
    refuse(field, "is no http address");
  }
  if (!part(url.get(), CURLUPART_USER).empty() || !part(url.get(), CURLUPART_PASSWORD).empty()) {
    refuse(field, "holds a user or a password; put the key into the environment");
  }
  HttpAddress address;
  address.path = part(url.get(), CURLUPART_PATH);
  address.fragment = part(url.get(), CURLUPART_FRAGMENT, CURLU_URLDECODE);
  curl_url_set(url.get(), CURLUPART_FRAGMENT, nullptr, 0);
  address.url = part(url.get(), CURLUPART_URL);
  curl_url_set(url.get(), CURLUPART_QUERY, nullptr, 0);
  address.shown = part(url.get(), CURLUPART_URL);
  return address;
}

// The requests of one call, and the connections that they leave for the next. Belongs to one thread at a time.
class HttpClient::Transfers {
 public:
  explicit Transfers(const HttpSettings& settings) : settings_(settings), multi_(curl_multi_init()) {
    if (!multi_) throw Error(ErrorCode::internal, "http: libcurl has no memory");
    curl_slist* list = nullptr;
    for (const std::string& header : settings.headers) list = curl_slist_append(list, header.c_str());
    headers_.reset(list);
  }
  ~Transfers() {
    for (auto& [easy, request] : active_) curl_multi_remove_handle(multi_.get(), easy);
  }

  // A child of fork() must not speak over its parent's connections.
  bool usable() const { return pid_ == getpid(); }
  // Closing them would tell the server, in the parent's name, that they end.
  void abandon() {
    static_cast<void>(multi_.release());
    active_.clear();
  }

  void run(std::span<const std::string> bodies, const Answered& answered) {
    std::vector<std::pair<SteadyClock::time_point, std::size_t>> waiting;  // the next is last
    for (std::size_t i = bodies.size(); i > 0; --i) waiting.emplace_back(SteadyClock::time_point(), i - 1);
    while (!waiting.empty() || !active_.empty()) {
      while (!waiting.empty() && active_.size() < static_cast<std::size_t>(settings_.concurrency) &&
             waiting.back().first <= SteadyClock::now()) {
        start(waiting.back().second, bodies[waiting.back().second]);
        waiting.pop_back();
      }
      int running = 0;
      check(curl_multi_perform(multi_.get(), &running));
      for (const auto& [i, reply] : finished()) {
        if (const auto pause = answered(i, reply)) waiting.emplace_back(SteadyClock::now() + *pause, i);
      }
      std::ranges::sort(waiting, std::greater<>());
      if (waiting.empty() && active_.empty()) return;
      std::chrono::milliseconds patience{1000};
      if (!waiting.empty() && active_.size() < static_cast<std::size_t>(settings_.concurrency)) {
        const auto left =
            std::chrono::ceil<std::chrono::milliseconds>(waiting.back().first - SteadyClock::now());
        patience = std::clamp(left, std::chrono::milliseconds{0}, patience);
      }
      check(curl_multi_poll(multi_.get(), nullptr, 0, static_cast<int>(patience.count()), nullptr));
    }
  }

 private:
  struct Request {
    std::size_t i = 0;
    HttpReply reply;
    std::unique_ptr<CURL, FreeEasy> easy;
  };

  static void check(CURLMcode code) {
    if (code != CURLM_OK)
      throw Error(ErrorCode::internal, fmt::format("http: {}", curl_multi_strerror(code)));
  }

  void start(std::size_t i, const std::string& body) {
    auto request = std::make_unique<Request>();
    request->i = i;
    request->easy.reset(curl_easy_init());
    CURL* const easy = request->easy.get();
    if (easy == nullptr) throw Error(ErrorCode::internal, "http: libcurl has no memory");
    set(easy, CURLOPT_URL, settings_.url.c_str());
    set(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    set(easy, CURLOPT_HTTPHEADER, headers_.get());
    set(easy, CURLOPT_POSTFIELDS, body.c_str());
    set(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
    set(easy, CURLOPT_ACCEPT_ENCODING, "");
    set(easy, CURLOPT_NOSIGNAL, 1L);
    set(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(settings_.connect_timeout.count()));
    set(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(settings_.timeout.count()));
    set(easy, CURLOPT_USERAGENT, "actionhist");
    if (!settings_.ca_file.empty()) set(easy, CURLOPT_CAINFO, settings_.ca_file.c_str());
    set(easy, CURLOPT_MAXFILESIZE_LARGE, static_cast<curl_off_t>(longest_body));
    set(easy, CURLOPT_WRITEFUNCTION, take_body);
    set(easy, CURLOPT_WRITEDATA, static_cast<void*>(&request->reply));
    set(easy, CURLOPT_HEADERFUNCTION, take_header);
    set(easy, CURLOPT_HEADERDATA, static_cast<void*>(&request->reply));
    check(curl_multi_add_handle(multi_.get(), easy));
    active_.emplace(easy, std::move(request));
  }

  std::vector<std::pair<std::size_t, HttpReply>> finished() {
    std::vector<std::pair<std::size_t, HttpReply>> out;
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      CURL* const easy = message->easy_handle;
      const CURLcode code = message->data.result;  // the message goes with its handle
      const auto at = active_.find(easy);
      HttpReply& reply = at->second->reply;
      if (code == CURLE_OK) {
        long status = 0;
        curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
        reply.status = static_cast<int>(status);
      } else {
        const bool too_long = code == CURLE_WRITE_ERROR || code == CURLE_FILESIZE_EXCEEDED;
        reply.needs_repair = needs_repair(code);
        reply.failure = too_long ? "the answer is longer than 256 MB" : curl_easy_strerror(code);
      }
      curl_multi_remove_handle(multi_.get(), easy);
      out.emplace_back(at->second->i, std::move(reply));
      active_.erase(at);
    }
    return out;
  }

  const HttpSettings& settings_;
  pid_t pid_ = getpid();
  std::unique_ptr<curl_slist, FreeList> headers_;
  std::unique_ptr<CURLM, FreeMulti> multi_;
  std::map<CURL*, std::unique_ptr<Request>> active_;
};

HttpClient::HttpClient(HttpSettings settings) : settings_(std::move(settings)) { start_libcurl(); }

HttpClient::~HttpClient() {
  for (auto& transfers : resting_) {
    if (!transfers->usable()) transfers->abandon();
  }
}

std::unique_ptr<HttpClient::Transfers> HttpClient::take() const {
  const std::lock_guard lock(mutex_);
  while (!resting_.empty()) {
    auto transfers = std::move(resting_.back());
    resting_.pop_back();
    if (transfers->usable()) return transfers;
    transfers->abandon();
  }
  return std::make_unique<Transfers>(settings_);
}

void HttpClient::post(std::span<const std::string> bodies, const Answered& answered) const {
  const PipeSignalHeld held;
  auto transfers = take();
  transfers->run(bodies, answered);
  const std::lock_guard lock(mutex_);
  resting_.push_back(std::move(transfers));
}

}  // namespace actionhist
