#include "sqlite/engine.hpp"

#include <chrono>
#include <filesystem>
#include <thread>

#include <sys/stat.h>

#include <fmt/format.h>

#include <actionhist/error.hpp>

namespace actionhist::sqlite {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t max_idle_readers = 8;

// SQLite would only say that it cannot open the file.
void check_path(const OpenOptions& options) {
  std::error_code error;
  const fs::path path = options.path;
  const auto there = [&](const fs::path& place) {
    const fs::file_status status = fs::status(place, error);
    if (error == std::errc::permission_denied) {
      throw Error(ErrorCode::denied,
                  fmt::format("database \"{}\": no right to look into its folder", options.path));
    }
    return fs::exists(status);
  };
  if (there(path) && fs::is_directory(path, error)) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("database \"{}\" is a folder; give the path of a file", options.path));
  }
  if (!there(path.parent_path())) {
    throw Error(ErrorCode::invalid_argument, fmt::format("database \"{}\": the folder \"{}\" does not exist",
                                                         options.path, path.parent_path().string()));
  }
  if (options.read_only && !there(path)) {
    throw Error(ErrorCode::not_found, fmt::format("database \"{}\" does not exist", options.path));
  }
  // The log lies beside the file that a link names.
  const auto logged = fs::file_size(fs::weakly_canonical(path, error).string() + "-wal", error);
  if (options.immutable && !error && logged > 0) {
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

// Of several that open a new file at once, SQLite refuses at once those that would wait for each other.
void switch_to_log(Connection& writer, std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  for (;;) {
    try {
      return writer.execute("PRAGMA journal_mode = WAL");
    } catch (const Error& error) {
      if (error.code() != ErrorCode::timeout || std::chrono::steady_clock::now() >= deadline) throw;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

std::string absolute(const std::string& path) {
  std::error_code error;
  const fs::path whole = fs::absolute(path, error);
  if (!error) return whole.string();
  throw Error(ErrorCode::unavailable,
              fmt::format("database \"{}\": the working folder is not known: {}", path, error.message()));
}

// Which file a path names now; nothing if it names none.
std::optional<FileId> file_id(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return std::nullopt;
  return FileId{status.st_dev, status.st_ino};
}

}  // namespace

Engine::Engine(OpenOptions options, std::string tenant)
    : options_(std::move(options)), tenant_(std::move(tenant)) {
  if (!in_memory()) {
    // Readers are opened later, when the host may have gone to another folder.
    options_.path = absolute(options_.path);
    check_path(options_);
  }
  writer_ = std::make_unique<Connection>(options_);
  options_.create = false;
  if (!in_memory()) file_ = file_id(options_.path);
  if (!options_.read_only && sqlite3_db_readonly(writer_->handle(), "main") == 1) {
    throw Error(ErrorCode::denied,
                fmt::format("database \"{}\" is read-only; make the file writable, or open "
                            "it with read_only",
                            options_.path));
  }
  if (in_memory()) return;
  check_owner(*writer_, options_.path);
  if (!options_.read_only) {
    switch_to_log(*writer_, options_.busy_timeout);
    // A commit is on the disk before it is acknowledged.
    writer_->execute("PRAGMA synchronous = FULL");
    // What is erased leaves the file, also where SQLite was not built so.
    writer_->execute("PRAGMA secure_delete = ON");
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
  engine_.require_same_file();
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
  engine.require_same_file();
  own_->execute("BEGIN");
}

void Engine::require_same_file() const {
  if (in_memory() || file_id(options_.path) == file_) return;
  throw Error(ErrorCode::unavailable,
              fmt::format("database \"{}\" was replaced by another file while it was open; open it anew",
                          options_.path));
}

Engine::Reader::~Reader() {
  if (!own_) return;
  // A connection whose transaction does not end is closed instead of kept.
  if (sqlite3_exec(own_->handle(), "COMMIT", nullptr, nullptr, nullptr) != SQLITE_OK) return;
  std::lock_guard lock(engine_.readers_mutex_);
  if (engine_.readers_.size() < max_idle_readers) engine_.readers_.push_back(std::move(own_));
}

}  // namespace actionhist::sqlite
