#include "cli/input.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <iostream>

#include <fmt/format.h>

#include <actionhist/error.hpp>

namespace actionhist::cli {
namespace {

constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";

[[noreturn]] void cannot_open(const std::string& path, int error) {
  if (error == ENOENT) throw Error(ErrorCode::not_found, fmt::format("file \"{}\" does not exist", path));
  const bool rights = error == EACCES || error == EPERM;
  throw Error(rights ? ErrorCode::denied : ErrorCode::invalid_argument,
              fmt::format("file \"{}\" cannot be read: {}", path, std::strerror(error)));
}

}  // namespace

LineReader::LineReader(const std::string& path) : path_(path), stream_(&std::cin) {
  if (path == "-") return;
  std::error_code ignored;
  // Opening a folder to read succeeds on Linux.
  if (std::filesystem::is_directory(path, ignored)) cannot_open(path, EISDIR);
  errno = 0;
  file_.open(path, std::ios::binary);
  if (!file_) cannot_open(path, errno != 0 ? errno : EIO);
  stream_ = &file_;
  if (std::filesystem::is_regular_file(path, ignored)) size_ = std::filesystem::file_size(path, ignored);
}

bool LineReader::next(std::string& line) {
  if (!std::getline(*stream_, line)) {
    if (!stream_->bad()) return false;
    throw Error(ErrorCode::unavailable, fmt::format("file \"{}\" broke off after line {}", path_, number_));
  }
  bytes_ += line.size() + 1;
  ++number_;
  if (number_ == 1 && line.starts_with(byte_order_mark)) line.erase(0, byte_order_mark.size());
  if (line.ends_with('\r')) line.pop_back();
  return true;
}

std::string read_input(const std::string& path) {
  LineReader reader(path);
  std::string text;
  for (std::string line; reader.next(line);) {
    text += line;
    text += '\n';
  }
  return text;
}

}  // namespace actionhist::cli
