// A session with the server: statements in pipelines, binary both ways, prepared once.
// Used by one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <actionhist/postgres_options.hpp>

#include "postgres/link.hpp"
#include "postgres/parameters.hpp"
#include "postgres/result.hpp"
#include "postgres/server_clock.hpp"
#include "postgres/server_error.hpp"

namespace actionhist::postgres {

// How the server plans a statement.
enum class Plan {
  kept,  // prepared by name on the first use of its text, so texts must be few
  once,  // planned for its parameters each time
};

// What a session is for.
enum class Access {
  write,
  read,  // the server refuses every change
};

// One statement of a pipeline. The text has to outlive the run.
struct Call {
  std::string_view sql;
  Parameters parameters = {};
  Plan plan = Plan::kept;
};

// Throws Error: unsupported, for a server older than 15. `version` as in server_version_num: 150004.
void check_server_version(int version);

// Throws Error: invalid_argument, for more bytes than a server takes in one message. It would close the connection,
// which looks as if it had been lost.
void check_message_size(std::size_t bytes);

class Connection {
 public:
  // Connects and sets up the session: search path, tenant, time-outs. `clock` hears what time the server has.
  // Throws ServerError: denied, unavailable; Error: unsupported, also for a schema that is newer than this library.
  Connection(const Target& target, const PostgresOptions& options, std::string tenant,
             ServerClock* clock = nullptr, Access access = Access::write);

  // Sends all calls at once and returns their results in order. Outside of BEGIN … COMMIT they are one
  // transaction: either all calls have happened or none.
  // Throws the ServerError of the first call that failed; the connection can be used again unless broken().
  std::vector<Result> run(std::span<const Call> calls);
  Result run(std::string_view sql, Parameters parameters = {}, Plan plan = Plan::kept);

  // Runs several statements without parameters, separated by semicolons; one transaction unless they say
  // otherwise.
  void run_script(std::string_view sql);

  // Runs `COPY … TO STDOUT` and gives each row's bytes to `sink`, for as long as the call lasts. Returns the
  // number of rows. If `sink` throws, the connection is broken afterwards.
  std::int64_t copy_out(std::string_view sql, const std::function<void(std::span<const std::byte>)>& sink);

  // Runs `COPY … FROM STDIN` with what `source` returns until it returns nothing. Bytes have to live until
  // the next call. Returns the number of rows. If `source` throws, nothing is copied.
  std::int64_t copy_in(std::string_view sql, const std::function<std::span<const std::byte>()>& source);

  // The calls that have to stand at the head of each transaction; none when the session keeps its settings.
  const std::vector<Call>& context() const noexcept { return context_; }

  // Whether a pooler in transaction mode stands between us and the server.
  bool pooled() const noexcept { return pooled_; }
  // Whether the server was a standby when the connection was made.
  bool standby() const noexcept { return standby_; }
  int server_version() const noexcept { return version_; }
  // Whether the connection is of no more use: closed, or the server has changed its role.
  bool broken() const noexcept { return unfit_ || link_.broken(); }
  bool in_transaction() const noexcept;

  // How long a run waits for the next answer of the server: statement_timeout and a little more, unless set.
  // Zero is without limit.
  void set_patience(std::optional<std::chrono::milliseconds> patience) noexcept { patience_ = patience; }
  // How long a run waits for the answer to its first call, which then comes before those of the others are made:
  // a sign of life that costs no round trip. Absent: as for the others.
  void set_first_patience(std::optional<std::chrono::milliseconds> patience) noexcept {
    first_patience_ = patience;
  }

  // Ends an open transaction, if any, and forgets what a user has set. False if the connection is no good.
  bool reset() noexcept;
  // Whether the server has said something unasked; then it may be about to close the connection.
  bool has_input() const noexcept { return link_.broken() || link_.has_input(); }
  // Asks the server for a sign of life. False if there is none until then.
  bool alive(std::chrono::milliseconds within) noexcept;
  // Closes the connection; it is broken() then.
  void close() noexcept { link_.close(); }

  PGconn* handle() const noexcept { return link_.handle(); }

 private:
  struct Prepared {
    std::vector<TypeId> types;
    std::string name;
    bool sent = false;  // in this pipeline or before; false again when the server refused it
  };
  // What was sent, in order, and so what will be answered.
  struct Step {
    std::size_t call;
    Prepared* prepared;  // null for the run of a statement
  };
  struct TextHash {
    using is_transparent = void;
    // Of the ends alone: statements are long, and differ there or in length.
    std::size_t operator()(std::string_view text) const {
      constexpr std::size_t part = 64;
      const std::hash<std::string_view> hash;
      if (text.size() <= 2 * part) return hash(text);
      return hash(text.substr(0, part)) ^ (hash(text.substr(text.size() - part)) * 31) ^ text.size();
    }
  };

  void set_up(const std::string& tenant, ServerClock* clock);
  void refuse_newer_schema(const Target& target);
  void check_usable() const;
  Deadline deadline() const;
  std::vector<Result> run_once(std::span<const Call> calls, bool& committed);
  void send(const Call& call, std::size_t index, std::vector<Step>& steps);
  Prepared* prepared(const Call& call);
  void forget_prepared();
  ServerError error_of(const PGresult* result) const;
  void note(const ServerError& error);
  // Sends a statement outside of pipeline mode; finish_simple reads what is left and goes back.
  Result start_simple(std::string_view sql);
  std::int64_t finish_simple();

  const PostgresOptions options_;
  const std::string search_path_;
  const Access access_;
  Link link_;
  std::vector<Call> context_;
  bool pooled_ = false;
  bool standby_ = false;
  bool unfit_ = false;
  int version_ = 0;
  std::optional<std::chrono::milliseconds> patience_;
  std::optional<std::chrono::milliseconds> first_patience_;
  // Statements that the server knows by name, by text and types. Lists, because steps point at elements.
  std::unordered_map<std::string, std::list<Prepared>, TextHash, std::equal_to<>> prepared_;
  std::size_t prepared_count_ = 0;
  std::vector<int> binary_;  // the format of each parameter, for as many as there were at most
  std::int64_t names_ = 0;
};

}  // namespace actionhist::postgres
