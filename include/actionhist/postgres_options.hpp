// Settings of the PostgreSQL engine. Plain values; a URI that sets the same (connect_timeout,
// tcp_user_timeout, keepalives_idle) wins.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace actionhist {

// What stands between us and the server. A pooler in transaction mode (PgBouncer) gives each transaction
// another server connection, so nothing may be kept on one.
enum class Pooler {
  detect,       // found out when connecting
  none,         // connections lead to the server itself
  transaction,  // a pooler in transaction mode
};

// Indexes beyond the lean ones that every schema has, each paid for by every write. docs/postgresql.md lists them.
enum class IndexSet {
  lean,       // none
  search,     // words, for similar() while the semantic index cannot answer; values inside JSON columns
  analytics,  // filters on action type, alert, model, status, namespace, effectiveness and duration
};

struct PostgresOptions {
  std::string schema = "actionhist";  // letters, digits and _, at most 63
  int pool_max = 20;
  int pool_min = 2;                                     // kept open while idle; pool_max if that is less
  std::chrono::milliseconds idle_timeout{30'000};       // beyond pool_min, an idle connection is closed
  std::chrono::milliseconds connect_timeout{2'000};     // for each address of each host
  std::chrono::milliseconds acquire_timeout{60'000};    // waiting for a free connection
  std::chrono::milliseconds statement_timeout{30'000};  // 0: none
  std::chrono::milliseconds lock_timeout{5'000};        // 0: none
  std::chrono::milliseconds idle_in_transaction_timeout{10'000};
  std::chrono::milliseconds max_life{1'800'000};  // then a connection is replaced
  std::chrono::milliseconds retry_for{15'000};    // after the first 40001, 40P01, lost connection, failover
  std::chrono::milliseconds tcp_user_timeout{5'000};
  std::chrono::seconds keepalives_idle{10};
  Pooler pooler = Pooler::detect;
  // history(), detect(), context(), summaries() and the text search ask a standby among the URI's hosts that is at
  // most max_staleness behind, and the primary while there is none. What was just written may be missing from them.
  bool read_standbys = false;
  std::chrono::milliseconds max_staleness{5'000};  // of a standby that answers reads
  // What a migration sees to: these sets are there afterwards, and no others. Empty: all stay as they are.
  std::vector<IndexSet> indexes = {};
};

// What a pool of connections has done and does.
struct PoolStats {
  int open = 0;     // busy, idle and being connected
  int busy = 0;     // lent out
  int waiting = 0;  // callers
  std::int64_t acquired = 0;
  std::int64_t created = 0;
  std::int64_t closed = 0;
  std::int64_t failed = 0;    // connections that could not be made
  std::int64_t timeouts = 0;  // callers that waited acquire_timeout
  std::chrono::microseconds total_wait{0};
  std::chrono::microseconds longest_wait{0};
};

std::string_view to_string(IndexSet set) noexcept;  // "search"
IndexSet parse_index_set(std::string_view text, std::string_view field = "indexes");

// Throws Error: invalid_argument, naming the field.
void validate(const PostgresOptions& options);

// Options from a JSON object in the names above; durations are whole milliseconds, with "_ms" behind the name:
// {"schema": "actionhist", "pool_max": 20, "statement_timeout_ms": 30000, "pooler": "transaction"}.
// Throws Error: invalid_argument, naming the field.
PostgresOptions parse_postgres_options(std::string_view json);

}  // namespace actionhist
