#include "cli/output.hpp"

#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include <actionhist/error.hpp>

namespace actionhist::cli {

namespace fs = std::filesystem;

Output::Output(const std::string& path) : path_(path) {
  if (path == "-") return;
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  const bool there = fs::is_regular_file(status);
  if (there || (!fs::exists(status) && !fs::is_symlink(path, error)))
    write_beside(there, status.permissions());
  if (file_ == nullptr) file_ = std::fopen(path_.c_str(), "wb");
  if (file_ == nullptr) fail(errno);
}

void Output::write_beside(bool there, fs::perms permissions) {
  std::error_code error;
  // A link stays one: the file that it names is replaced.
  const std::string place = there ? fs::canonical(path_, error).string() : path_;
  if (error) return;
  std::string unfinished = fmt::format("{}.{}.tmp", place, getpid());
  const auto mode = static_cast<mode_t>(there ? permissions & fs::perms::mask : fs::perms(0666));
  const auto create = [&] {
    return ::open(unfinished.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  };
  int file = create();
  // Of a process that was killed and had this number too.
  if (file < 0 && errno == EEXIST && ::unlink(unfinished.c_str()) == 0) file = create();
  // In a folder that may not be written to, the file itself still may.
  if (file < 0 && there && (errno == EACCES || errno == EPERM || errno == EROFS)) return;
  path_ = place;
  unfinished_ = std::move(unfinished);
  if (file < 0) fail(errno);
  if (there) static_cast<void>(fchmod(file, mode));
  file_ = fdopen(file, "wb");
}

Output::~Output() {
  if (file_ != nullptr) std::fclose(file_);
  if (!unfinished_.empty()) std::remove(unfinished_.c_str());
}

void Output::write(std::string_view text) {
  std::FILE* stream = file_ != nullptr ? file_ : stdout;
  if (std::fwrite(text.data(), 1, text.size(), stream) != text.size()) fail(errno);
}

void Output::close() {
  if (file_ == nullptr) return;
  if (std::fflush(file_) != 0) fail(errno);
  // What cannot be synced, such as a pipe, is written when it is closed.
  if (!unfinished_.empty() && fsync(fileno(file_)) != 0) fail(errno);
  if (std::fclose(std::exchange(file_, nullptr)) != 0) fail(errno);
  if (unfinished_.empty()) return;
  if (std::rename(unfinished_.c_str(), path_.c_str()) != 0) {
    // A file that is mounted by itself has its place for good.
    if (errno != EBUSY && errno != EXDEV) fail(errno);
    std::error_code error;
    fs::copy_file(unfinished_, path_, fs::copy_options::overwrite_existing, error);
    if (error) fail(error.value());
    std::remove(unfinished_.c_str());
  }
  unfinished_.clear();
}

void Output::fail(int error) const {
  ErrorCode code = ErrorCode::unavailable;
  if (error == EACCES || error == EPERM || error == EROFS) code = ErrorCode::denied;
  if (error == ENOENT || error == ENOTDIR || error == EISDIR) code = ErrorCode::invalid_argument;
  throw Error(code, fmt::format("file \"{}\" cannot be written: {}",
                                unfinished_.empty() ? path_ : unfinished_, std::strerror(error)));
}

}  // namespace actionhist::cli
