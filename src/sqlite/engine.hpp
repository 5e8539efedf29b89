// The embedded engine: one writing connection, and reading ones beside it. Thread-safe.
// A file is shared with other processes through SQLite's WAL; memory has one connection for everything. In the child of
// a fork() calls throw unsupported and the destructor touches nothing: a connection that two processes use damages the
// file.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <sys/types.h>

#include "core/owner_process.hpp"
#include "sqlite/connection.hpp"

namespace actionhist::sqlite {

struct FileId {
  dev_t device;
  ino_t number;

  friend bool operator==(const FileId&, const FileId&) = default;
};

class Engine {
 public:
  // Throws Error: invalid_argument, denied, unavailable, corrupt.
  Engine(OpenOptions options, std::string tenant);
  ~Engine();

  // Runs `work(connection)` in the transaction that this thread has open, or in one of its own.
  template <class Work>
  auto write(Work&& work) -> decltype(work(std::declval<Connection&>())) {
    process_.require("database");
    if (in_transaction()) return work(*writer_);
    Transaction transaction(*this);
    if constexpr (std::is_void_v<decltype(work(*writer_))>) {
      work(*writer_);
      transaction.commit();
    } else {
      auto result = work(*writer_);
      transaction.commit();
      return result;
    }
  }

  // Runs `work(connection)` on one snapshot; inside a transaction it sees what that has written.
  template <class Work>
  auto read(Work&& work) -> decltype(work(std::declval<Connection&>())) {
    process_.require("database");
    if (in_transaction()) return work(*writer_);
    Reader reader(*this);
    return work(reader.connection());
  }

  bool in_transaction() const noexcept { return owner_.load() == std::this_thread::get_id(); }
  const std::string& tenant() const noexcept { return tenant_; }
  const OpenOptions& options() const noexcept { return options_; }
  bool in_memory() const noexcept { return options_.path == ":memory:"; }

 private:
  // The exclusive right to write, from BEGIN IMMEDIATE to the end. Rolls back unless committed.
  class Transaction {
   public:
    explicit Transaction(Engine& engine);
    ~Transaction();
    void commit();

   private:
    Engine& engine_;
    std::unique_lock<std::recursive_mutex> lock_;
    bool open_ = true;
  };

  // A connection to read with, returned at the end.
  class Reader {
   public:
    explicit Reader(Engine& engine);
    ~Reader();
    Connection& connection() { return own_ ? *own_ : *engine_.writer_; }

   private:
    Engine& engine_;
    std::unique_lock<std::recursive_mutex> lock_;  // of the writer, in memory
    std::unique_ptr<Connection> own_;
  };

  // Throws Error: unavailable when the path names another file by now: what were written to the old one would be lost.
  void require_same_file() const;

  const OwnerProcess process_;
  OpenOptions options_;  // with an absolute path, but for memory
  std::optional<FileId> file_;
  std::string tenant_;
  std::recursive_mutex writer_mutex_;
  std::unique_ptr<Connection> writer_;    // guarded by writer_mutex_
  std::atomic<std::thread::id> owner_{};  // of the open transaction
  std::mutex readers_mutex_;
  std::vector<std::unique_ptr<Connection>> readers_;  // idle; guarded by readers_mutex_
};

}  // namespace actionhist::sqlite
