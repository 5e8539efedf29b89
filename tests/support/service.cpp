#include "support/service.hpp"

#include <algorithm>
#include <csignal>
#include <cstring>
#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <thread>

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

namespace actionhist::test {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view folder_prefix = "ahs-";
// What a few servers need; a container's /dev/shm is often smaller.
constexpr std::uintmax_t enough_room = 3ull << 30;

struct User {
  uid_t uid = 0;
  gid_t gid = 0;
  bool change = false;
};

User find_user(const std::string& name) {
  if (geteuid() != 0 || name.empty()) return {};
  const passwd* entry = getpwnam(name.c_str());
  if (entry == nullptr) throw std::runtime_error("no user " + name + "; run scripts/setup");
  return {entry->pw_uid, entry->pw_gid, true};
}

fs::path parent_folder() {
  struct statvfs room {};
  if (access("/dev/shm", W_OK) == 0 && statvfs("/dev/shm", &room) == 0 &&
      std::uintmax_t{room.f_bavail} * room.f_frsize >= enough_room) {
    return "/dev/shm";
  }
  return "/tmp";
}

// What tests that were killed have left.
void remove_orphans(const fs::path& parent) {
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(parent, ignored)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(folder_prefix)) continue;
    const pid_t owner = std::atoi(name.c_str() + folder_prefix.size());
    if (owner > 0 && kill(owner, 0) != 0 && errno == ESRCH) fs::remove_all(entry.path(), ignored);
  }
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (std::string& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

// Between fork and exec only what is safe while other threads hold locks.
[[noreturn]] void become(const std::vector<char*>& arguments, const std::vector<char*>& environment,
                         const User& user, int output, int death_signal, pid_t parent) {
  setpgid(0, 0);  // Ctrl-C is for the test, which then ends it
  if (user.change && (setgroups(1, &user.gid) != 0 || setgid(user.gid) != 0 || setuid(user.uid) != 0)) {
    _exit(126);
  }
  prctl(PR_SET_PDEATHSIG, death_signal);
  if (getppid() != parent) _exit(126);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  if (chdir("/") != 0) _exit(126);
  dup2(output, STDOUT_FILENO);
  dup2(output, STDERR_FILENO);
  execve(arguments[0], arguments.data(), environment.data());
  _exit(127);
}

pid_t spawn(std::vector<std::string> command, const std::vector<std::string>& more_environment,
            const std::string& user_name, const std::string& log, int death_signal) {
  const User user = find_user(user_name);
  std::vector<std::string> environment;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    // Neither psql's settings nor a language that changes what servers say; no preloaded sanitizer.
    if (text.starts_with("PG") || text.starts_with("LC_") || text.starts_with("LANG") ||
        text.starts_with("LD_PRELOAD=")) {
      continue;
    }
    environment.emplace_back(text);
  }
  environment.emplace_back("LC_ALL=C.UTF-8");
  environment.insert(environment.end(), more_environment.begin(), more_environment.end());
  const std::vector<char*> arguments = pointers(command);
  const std::vector<char*> variables = pointers(environment);
  const int output = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (output < 0) throw std::runtime_error("cannot write " + log);
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child == 0) become(arguments, variables, user, output, death_signal, parent);
  close(output);
  if (child < 0) throw std::runtime_error("fork failed");
  return child;
}

std::string read_file(const std::string& path) {
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

// What follows the name in /proc/PID/stat: "S 1 …", state and parent. Empty for a process that is not there.
std::string process_state(pid_t pid) {
  const std::string stat = read_file("/proc/" + std::to_string(pid) + "/stat");
  const std::size_t name_end = stat.rfind(')');  // a name may hold anything
  return name_end == stat.npos || stat.size() < name_end + 5 ? "" : stat.substr(name_end + 2);
}

// A process that nobody has waited for yet does nothing any more either.
bool gone(pid_t pid) {
  const std::string state = process_state(pid);
  return state.empty() || state.starts_with('Z');
}

// Children, their children and so on.
std::vector<pid_t> descendants_of(pid_t root) {
  std::multimap<pid_t, pid_t> children;  // by parent
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator("/proc", ignored)) {
    const pid_t pid = std::atoi(entry.path().filename().c_str());
    const std::string state = pid > 0 ? process_state(pid) : "";
    if (!state.empty()) children.emplace(std::atoi(state.c_str() + 2), pid);
  }
  std::vector<pid_t> found = {root};
  for (std::size_t i = 0; i < found.size(); ++i) {
    const auto [begin, end] = children.equal_range(found[i]);
    for (auto at = begin; at != end; ++at) found.push_back(at->second);
  }
  found.erase(found.begin());
  return found;
}

int exit_status(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status); }

}  // namespace

ServiceFolder::ServiceFolder(const std::string& user_name, fs::path parent) {
  const User user = find_user(user_name);
  if (parent.empty()) parent = parent_folder();
  remove_orphans(parent);
  std::string name = (parent / (std::string(folder_prefix) + std::to_string(getpid()) + "-XXXXXX")).string();
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp failed in " + parent.string());
  path_ = name;
  // Sockets in it are for everybody.
  fs::permissions(path_, fs::perms(0755));
  if (user.change && chown(name.c_str(), user.uid, user.gid) != 0) throw std::runtime_error("chown failed");
}

ServiceFolder::~ServiceFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

Service::Service(ServiceSetup setup) : setup_(std::move(setup)) {
  pid_ = spawn(setup_.command, setup_.environment, setup_.user, setup_.log, setup_.stop_signal);
}

Service::~Service() { kill_all(); }

bool Service::running() {
  if (pid_ < 0) return false;
  int status = 0;
  if (waitpid(pid_, &status, WNOHANG) != pid_) return true;
  status_ = exit_status(status);
  pid_ = -1;
  return false;
}

void Service::send(int signal) const {
  if (pid_ > 0) kill(pid_, signal);
}

void Service::send_all(int signal) const {
  if (pid_ <= 0) return;
  send(signal);
  for (const pid_t child : descendants_of(pid_)) kill(child, signal);
}

void Service::stop(int signal) {
  if (!running()) return;
  send(signal);
  if (!wait_until([this] { return !running(); }, std::chrono::minutes(2))) {
    send(SIGKILL);
    wait();
  }
}

void Service::kill_all() {
  if (!running()) return;
  // Stopped, so that it starts no more while they are counted.
  send(SIGSTOP);
  const std::vector<pid_t> children = descendants_of(pid_);
  send(SIGKILL);
  for (const pid_t child : children) kill(child, SIGKILL);
  wait();
  wait_until([&] { return std::all_of(children.begin(), children.end(), gone); });
}

int Service::wait() {
  if (pid_ < 0) return status_;
  int status = 0;
  waitpid(pid_, &status, 0);
  status_ = exit_status(status);
  pid_ = -1;
  return status_;
}

std::string Service::output() const { return read_file(setup_.log); }

std::string run_command(const std::vector<std::string>& command, const std::string& user,
                        const std::vector<std::string>& environment) {
  std::string log = (fs::temp_directory_path() / "actionhist-command-XXXXXX").string();
  const int file = mkstemp(log.data());
  if (file < 0) throw std::runtime_error("mkstemp failed");
  close(file);
  int status = 0;
  waitpid(spawn(command, environment, user, log, SIGKILL), &status, 0);
  const std::string output = read_file(log);
  unlink(log.c_str());
  if (exit_status(status) != 0) {
    throw std::runtime_error(command[0] + " ended with " + std::to_string(exit_status(status)) + ": " +
                             output);
  }
  return output;
}

bool wait_until(const std::function<bool()>& done, std::chrono::milliseconds limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!done()) {
    if (std::chrono::steady_clock::now() >= end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return true;
}

int free_port() {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  const bool bound = bind(listener, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                     getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  close(listener);
  if (!bound) throw std::runtime_error("no free port");
  return ntohs(address.sin_port);
}

}  // namespace actionhist::test
