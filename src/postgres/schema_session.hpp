// A connection that changes the schema while agents write on: without time-outs, because building takes its time,
// and with short waits for locks, because whoever comes after us waits behind us. Used by one thread at a time.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "postgres/connection.hpp"

namespace actionhist::postgres {

class SchemaSession {
 public:
  // `work` names what is done ("indexes"), in messages and for the lock.
  // Throws Error: unsupported through a pooler in transaction mode, and as Connection does.
  SchemaSession(const Target& target, PostgresOptions options, std::string tenant, std::string_view work);

  Connection& connection() noexcept { return connection_; }
  const std::string& schema() const noexcept { return schema_; }

  // Whether this session alone does this work in the schema now, until it ends.
  bool try_lock();

  // Runs statements without parameters as one transaction that waits at most 300 ms for each lock, again and again
  // for ten minutes. Throws Error: timeout after that.
  void briefly(const std::string& statements);

  // Asks again and again for ten minutes. Throws Error: timeout after that.
  void persist(const std::function<bool()>& attempt);

 private:
  const std::string schema_;
  const std::string work_;
  Connection connection_;
};

}  // namespace actionhist::postgres
