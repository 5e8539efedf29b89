// What may be wrong with the file itself.
#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>

#include <sys/mount.h>
#include <sys/wait.h>

#include "sqlite/engine.hpp"
#include "sqlite/migrations.hpp"
#include "support/samples.hpp"

using namespace actionhist;
using namespace actionhist::test;

namespace {

Options quiet() { return {.semantic = false}; }

}  // namespace

TEST_CASE("a path that cannot be a database is refused with the path and the reason", "[files]") {
  TempFolder folder;
  const auto text = [&](const std::string& uri) { return error_text_of([&] { open(uri, quiet()); }); };
  CHECK(text(folder.path().string()).find("is a folder") != std::string::npos);
  CHECK(text(folder.file("no/such/h.db")).find("does not exist") != std::string::npos);
  CHECK(text("").starts_with("uri: is empty"));
  CHECK(text("sqlite:").starts_with("uri: "));
  CHECK(text("mysql://user:secret@host/db").find("secret") == std::string::npos);
  CHECK(error_code_of([&] { open("mysql://host", quiet()); }) == ErrorCode::invalid_argument);
  // What libpq would understand is no name of a file.
  for (const char* server :
       {"host=db user=bob password=secret", "dbname=agents", "sslmode=require password=secret"}) {
    CHECK(error_code_of([&] { open(server, quiet()); }) == ErrorCode::invalid_argument);
    CHECK(text(server).find("secret") == std::string::npos);
    CHECK_FALSE(std::filesystem::exists(server));
  }
  CHECK(error_code_of([&] { open(folder.file("none.db"), {.read_only = true}); }) == ErrorCode::not_found);
}

TEST_CASE("a file that is no database is refused and left as it is", "[files]") {
  TempFolder folder;
  const std::string path = folder.file("notes.txt");
  std::string notes(5000, 'x');
  std::ofstream(path) << notes;
  CHECK(error_code_of([&] { open(path, quiet()); }) == ErrorCode::corrupt);
  std::ifstream file(path);
  CHECK(std::string(std::istreambuf_iterator<char>(file), {}) == notes);
}

TEST_CASE("the database of another program is refused and left as it is", "[files]") {
  TempFolder folder;
  const std::string path = folder.file("shop.db");
  REQUIRE(std::system(("sqlite3 '" + path + "' 'CREATE TABLE orders (id)'").c_str()) == 0);
  const auto bytes = [&] {
    std::ifstream file(path, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  const std::string before = bytes();
  for (const bool read_only : {false, true}) {
    const auto look = [&] { open(path, {.read_only = read_only, .semantic = false}); };
    CHECK(error_code_of(look) == ErrorCode::invalid_argument);
    CHECK(error_text_of(look).find("\"orders\"; give the path") != std::string::npos);
  }
  CHECK(bytes() == before);
}

TEST_CASE("a file stays the same when the host goes to another folder", "[files]") {
  namespace fs = std::filesystem;
  TempFolder folder;
  TempFolder elsewhere;
  const fs::path before = fs::current_path();
  fs::current_path(folder.path());
  sqlite::Engine engine({.path = "h.db"}, "t");
  fs::current_path(elsewhere.path());
  // One read within another takes a connection of its own.
  engine.read([&](sqlite::Connection&) { engine.read([](sqlite::Connection&) {}); });
  fs::current_path(before);
  CHECK(engine.options().path == folder.file("h.db"));
  CHECK(fs::is_empty(elsewhere.path()));
}

TEST_CASE("a file that was replaced while it was open is neither read nor written as if it were the same",
          "[files]") {
  TempFolder folder;
  const std::string path = folder.file("h.db");
  sqlite::Engine engine({.path = path}, "t");
  const auto read = [&] { engine.read([](sqlite::Connection&) {}); };
  engine.read([&](sqlite::Connection&) {
    std::filesystem::rename(path, folder.file("moved.db"));
    CHECK(error_code_of(read) == ErrorCode::unavailable);
    CHECK_FALSE(std::filesystem::exists(path));
    std::ofstream(path).flush();
    CHECK(error_text_of(read).find("was replaced by another file") != std::string::npos);
  });
  CHECK(error_code_of(read) == ErrorCode::unavailable);
  CHECK(error_code_of([&] { engine.write([](sqlite::Connection&) {}); }) == ErrorCode::unavailable);
  std::filesystem::rename(folder.file("moved.db"), path);
  read();
}

TEST_CASE("an index that is newer than its database, as after a restore, misses nothing that is stored then",
          "[files]") {
  TempFolder folder;
  const std::string path = folder.file("h.db"), backup = folder.file("backup.db");
  const auto record = [](History& history, const std::string& what, int count) {
    std::vector<Action> actions;
    for (int i = 0; i < count; ++i) actions.push_back(restart(fmt::format("{}-{}", what, i)));
    history.record(actions);
  };
  for (const std::string what : {"kept", "lost"}) {
    {
      History history = open(path);
      record(history, what, 10);
      REQUIRE(history.wait_indexed(60s));
    }
    if (what == "kept") std::filesystem::copy_file(path, backup);
  }
  for (const char* log : {"-wal", "-shm"}) std::filesystem::remove(path + log);
  std::filesystem::copy_file(backup, path, std::filesystem::copy_options::overwrite_existing);
  {
    History history = open(path, quiet());
    record(history, "new", 15);
  }
  History history = open(path);
  REQUIRE(history.wait_indexed(60s));
  CHECK(history.health().index.rows == 25);
  for (int i = 0; i < 15; ++i) CHECK_FALSE(history.similar({.action_id = fmt::format("new-{}", i)}).empty());
}

TEST_CASE("a read-only file can be read and not written", "[files]") {
  TempFolder folder;
  const std::string path = folder.file("h.db");
  open(path, quiet()).record(restart("a-1"));
  History reader = open(path, {.read_only = true, .semantic = false});
  CHECK(reader.get("a-1"));
  CHECK(error_code_of([&] { reader.record(restart("a-2")); }) == ErrorCode::denied);

  // Rights do not bind root, so a child without them tries.
  std::filesystem::permissions(path, std::filesystem::perms(0444));
  const std::string closed = folder.file("closed/h.db");
  std::filesystem::create_directory(folder.file("closed"));
  std::filesystem::permissions(folder.file("closed"), std::filesystem::perms(0));
  std::filesystem::permissions(folder.path(), std::filesystem::perms(0555));
  const pid_t child = fork();
  if (child == 0) {
    if (getuid() == 0 && setuid(65534) != 0) _exit(2);
    if (error_code_of([&] { open(path, quiet()); }) != ErrorCode::denied) _exit(1);
    // Without the right to look into the folder nothing is known of the file.
    if (chdir("/") != 0) _exit(3);
    _exit(error_code_of([&] { open(closed, quiet()); }) == ErrorCode::denied ? 0 : 4);
  }
  int status = 0;
  waitpid(child, &status, 0);
  CHECK(WEXITSTATUS(status) == 0);
  std::filesystem::permissions(folder.path(), std::filesystem::perms(0755));
  std::filesystem::permissions(folder.file("closed"), std::filesystem::perms(0755));
}

TEST_CASE("a file that nobody writes to is read where nothing can be made beside it", "[files]") {
  TempFolder folder;
  const std::string path = folder.file("100%?#.db");
  const std::string immutable = "sqlite:" + path + "?immutable=1";
  const Options reading{.read_only = true, .semantic = false};
  open(path, quiet()).record(restart("a-1"));
  CHECK(error_code_of([&] { open(immutable, quiet()); }) == ErrorCode::invalid_argument);

  std::filesystem::permissions(path, std::filesystem::perms(0444));
  std::filesystem::permissions(folder.path(), std::filesystem::perms(0555));
  const pid_t child = fork();
  if (child == 0) {
    if (getuid() == 0 && setuid(65534) != 0) _exit(2);
    const std::string text = error_text_of([&] { open(path, reading); });
    if (text.find("immutable=1") == text.npos) _exit(3);
    _exit(open(immutable, reading).get("a-1") ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  CHECK(WEXITSTATUS(status) == 0);
  std::filesystem::permissions(folder.path(), std::filesystem::perms(0755));

  std::ofstream(path + "-wal") << "changes of a writer that died";
  CHECK(error_text_of([&] { open(immutable, reading); }).find("-wal") != std::string::npos);
}

TEST_CASE("on a full disk a write fails clearly, what was stored stays, and room makes it go on", "[files]") {
  TempFolder folder;
  if (mount("none", folder.path().c_str(), "tmpfs", 0, "size=1m") != 0) {
    WARN("skipped: no right to mount a small file system");
    return;
  }
  {
    History history = open(folder.file("h.db"), quiet());
    std::ofstream(folder.file("ballast")) << std::string(300'000, 'x');
    int stored = 0;
    std::string text;
    for (; stored < 1000 && text.empty(); ++stored) {
      Action action = restart("a-" + std::to_string(stored));
      action.model_reasoning = std::string(10'000, 'r');
      text = error_text_of([&] { history.record(action); });
    }
    --stored;
    CHECK(text.find("free space") != std::string::npos);
    CHECK(stored > 3);
    CHECK(history.history({.limit = 1000}).traces.size() == static_cast<std::size_t>(stored));
    std::filesystem::remove(folder.file("ballast"));
    CHECK(history.record(restart("after")).stored);
    CHECK(history.repository().maintenance().verify().empty());
  }
  umount(folder.path().c_str());
}

TEST_CASE("a schema newer than the library is refused", "[files]") {
  TempFolder folder;
  const std::string path = folder.file("h.db");
  open(path, quiet());
  REQUIRE(
      std::system(("sqlite3 '" + path + "' \"INSERT INTO actionhist_migrations VALUES (999, 'future', 0)\"")
                      .c_str()) == 0);
  CHECK(error_text_of([&] { open(path, quiet()); }).find("newer than this library") != std::string::npos);
}

TEST_CASE("what an older schema holds is found by its words after the migration", "[files]") {
  TempFolder folder;
  const std::string path = folder.file("h.db");
  {
    std::ofstream script(folder.file("v3.sql"));
    script
        << "CREATE TABLE actionhist_migrations (version INTEGER PRIMARY KEY, name TEXT, applied_at INTEGER);\n";
    for (const sql::Migration& migration : sqlite::migrations().first(3)) {
      script << migration.sql << "\nINSERT INTO actionhist_migrations VALUES (" << migration.version
             << ", '', 0);\n";
    }
    script << "INSERT INTO resource_action_traces (tenant_id, action_id, action_timestamp, model_reasoning, "
              "action_type, effect, execution_status, created_at, updated_at) VALUES ('default', 'a-1', "
              "1770000000000000, 'the volume is full', 'resize', 'mutating', 'completed', 0, 0);\n";
  }
  REQUIRE(std::system(("sqlite3 '" + path + "' < '" + folder.file("v3.sql") + "'").c_str()) == 0);
  History history = open(path, quiet());
  const std::vector<Hit> hits = history.similar({.text = "volume"});
  REQUIRE(hits.size() == 1);
  CHECK(hits[0].trace.action_id == "a-1");
  CHECK(history.erase("a-1"));
  CHECK(history.similar({.text = "volume"}).empty());
}

TEST_CASE("without the right to migrate an empty file is refused with what to run", "[files]") {
  TempFolder folder;
  const std::string text =
      error_text_of([&] { open(folder.file("h.db"), {.run_migrations = false, .semantic = false}); });
  CHECK(text.find("actionhist migrate") != std::string::npos);
}
