#include "sqlite/engine.hpp"

#include <filesystem>

#include <fmt/format.h>

#include <actionhist/error.hpp>

namespace actionhist::sqlite {
namespace {

constexpr std::size_t max_idle_readers = 8;

// SQLite would only say that it cannot open the file.
void check_path(const OpenOptions& options) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  const fs::path path = options.path;
  if (fs::is_directory(path, ignored)) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("database \"{}\" is a folder; give the path of a file", options.path));
  }
  if (path.has_parent_path() && !fs::exists(path.parent_path(), ignored)) {
    throw Error(ErrorCode::invalid_argument, fmt::format("database \"{}\": the folder \"{}\" does not exist",
                                                         options.path, path.parent_path().string()));
  }
  if (options.read_only && !fs::exists(path, ignored)) {
    throw Error(ErrorCode::not_found, fmt::format("database \"{}\" does not exist", options.path));
  }
  std::error_code no_log;
  const auto logged = fs::file_size(options.path + "-wal", no_log);
  if (options.immutable && !no_log && logged > 0) {
    throw Error(
        ErrorCode::invalid_argument,
        fmt::format("database \"{}\" is not immutable: \"{}-wal\" holds changes of a writer; open it once to "
                    "be written, which takes them in",
                    options.path, options.path));
  }
}

// Tables of ours in the file of another program could have the names of its own. Reads the header too, so that a file
// that is no database is refused here.
void check_owner(Connection& connection, const std::string& path) {
  Query first(connection, "SELECT name FROM sqlite_master ORDER BY name <> 'actionhist_migrations' LIMIT 1");
  if (!first.step()) return;
  const auto name = first.get<std::string>();
  if (name == "actionhist_migrations") return;
  throw Error(ErrorCode::invalid_argument,
              fmt::format("database \"{}\" belongs to another program: it holds \"{}\"; give the path of an "
                          "actionhist database or of a new file",
                          path, name));
}

}  // namespace

Engine::Engine(OpenOptions options, std::string tenant)
    : options_(std::move(options)), tenant_(std::move(tenant)) {
  if (!in_memory()) check_path(options_);
  writer_ = std::make_unique<Connection>(options_);
  if (!options_.read_only && sqlite3_db_readonly(writer_->handle(), "main") == 1) {
    throw Error(ErrorCode::denied,
                fmt::format("database \"{}\" is read-only; make the file writable, or open "
                            "it with read_only",
                            options_.path));
  }
  if (in_memory()) return;
  check_owner(*writer_, options_.path);
  if (!options_.read_only) {
    writer_->execute("PRAGMA journal_mode = WAL");
    // A commit is on the disk before it is acknowledged.
    writer_->execute("PRAGMA synchronous = FULL");
    // Texts and vectors fill the log fast; SQLite's 1,000 pages would mean a checkpoint every few hundred
    // actions.
    writer_->execute("PRAGMA wal_autocheckpoint = 8000");
  }
}

Engine::~Engine() {
  if (!process_.inherited()) return;
  static_cast<void>(writer_.release());
  // Not looked into: a thread of the parent may have been at it.
  static_cast<void>(new std::vector(std::move(readers_)));
}

Engine::Transaction::Transaction(Engine& engine) : engine_(engine), lock_(engine.writer_mutex_) {
  engine_.writer_->execute("BEGIN IMMEDIATE");
  engine_.owner_ = std::this_thread::get_id();
}

Engine::Transaction::~Transaction() {
  if (!open_ || engine_.process_.inherited()) return;
  engine_.owner_ = std::thread::id{};
  // SQLite rolls back by itself after some errors; then there is nothing left to do.
  if (sqlite3_get_autocommit(engine_.writer_->handle()) == 0) {
    sqlite3_exec(engine_.writer_->handle(), "ROLLBACK", nullptr, nullptr, nullptr);
  }
}

void Engine::Transaction::commit() {
  engine_.process_.require("database");
  engine_.writer_->execute("COMMIT");
  engine_.owner_ = std::thread::id{};
  open_ = false;
}

Engine::Reader::Reader(Engine& engine) : engine_(engine) {
  if (engine.in_memory()) {
    lock_ = std::unique_lock(engine.writer_mutex_);
    return;
  }
  {
    std::lock_guard lock(engine.readers_mutex_);
    if (!engine.readers_.empty()) {
      own_ = std::move(engine.readers_.back());
      engine.readers_.pop_back();
    }
  }
  if (!own_) own_ = std::make_unique<Connection>(engine.options_);
  own_->execute("BEGIN");
}

Engine::Reader::~Reader() {
  if (!own_) return;
  // A connection whose transaction does not end is closed instead of kept.
  if (sqlite3_exec(own_->handle(), "COMMIT", nullptr, nullptr, nullptr) != SQLITE_OK) return;
  std::lock_guard lock(engine_.readers_mutex_);
  if (engine_.readers_.size() < max_idle_readers) engine_.readers_.push_back(std::move(own_));
}

}  // namespace actionhist::sqlite
