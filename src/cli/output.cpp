#include "cli/output.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include <fmt/format.h>

#include <actionhist/error.hpp>

namespace actionhist::cli {

namespace fs = std::filesystem;

Output::Output(const std::string& path) : path_(path) {
  if (path == "-") return;
  std::error_code ignored;
  const fs::file_status status = fs::status(path, ignored);
  const bool there = fs::is_regular_file(status);
  // A link stays one: the file that it names is replaced.
  if (there) path_ = fs::canonical(path, ignored).string();
  if (there || !fs::exists(status)) unfinished_ = path_ + ".tmp";
  file_ = std::fopen(unfinished_.empty() ? path_.c_str() : unfinished_.c_str(), "wb");
  if (file_ == nullptr) fail(errno);
  if (there) fs::permissions(unfinished_, status.permissions(), ignored);
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
  if (file_ != nullptr && std::fclose(std::exchange(file_, nullptr)) != 0) fail(errno);
  if (unfinished_.empty()) return;
  if (std::rename(unfinished_.c_str(), path_.c_str()) != 0) fail(errno);
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
