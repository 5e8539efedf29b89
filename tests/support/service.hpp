// A child process of a test: a server that is started, waited for and ended. It ends with the test, however
// that ends, and with the thread that has started it.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace actionhist::test {

// A folder that another user can reach, in memory where there is room, with a short path for sockets.
class ServiceFolder {
 public:
  // Owned by `user` when the test runs as root. Below `parent`, if that is given.
  explicit ServiceFolder(const std::string& user, std::filesystem::path parent = {});
  ~ServiceFolder();
  ServiceFolder(const ServiceFolder&) = delete;
  ServiceFolder& operator=(const ServiceFolder&) = delete;

  std::string file(std::string_view name) const { return (path_ / name).string(); }
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

struct ServiceSetup {
  std::vector<std::string> command;      // the first is an absolute path
  std::string user;                      // whom the command runs as when the test is root
  std::string log;                       // the file that gets its output
  int stop_signal = 15;                  // what ends it politely, and what it gets when the test dies
  std::vector<std::string> environment;  // NAME=value, beside ours
};

class Service {
 public:
  explicit Service(ServiceSetup setup);
  // Kills it and all that comes from it.
  ~Service();
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  bool running();
  pid_t pid() const { return pid_; }
  void send(int signal) const;
  // To it and to all processes that come from it.
  void send_all(int signal) const;
  // Sends `signal` and waits for the end; after two minutes it is killed.
  void stop(int signal);
  // Ends it and all processes that come from it, with SIGKILL.
  void kill_all();
  // Waits for its end and returns the exit status, 128 + n after signal n.
  int wait();
  std::string output() const;

 private:
  ServiceSetup setup_;
  pid_t pid_ = -1;
  int status_ = 0;
};

// Runs a command to its end. Throws std::runtime_error with its output if it fails.
std::string run_command(const std::vector<std::string>& command, const std::string& user,
                        const std::vector<std::string>& environment = {});

// Asks `done` again and again, for a minute unless told otherwise. False if it never came true.
bool wait_until(const std::function<bool()>& done,
                std::chrono::milliseconds limit = std::chrono::milliseconds(60'000));

// A TCP port of the loopback that was free a moment ago.
int free_port();

}  // namespace actionhist::test
