// Where a command writes much: stdout, or a file that is there as a whole or as it was before.
#pragma once

#include <cstdio>
#include <filesystem>
#include <string>
#include <string_view>

namespace actionhist::cli {

class Output {
 public:
  // "-" is stdout. A file is written beside its place; what is no file of its own, such as a pipe, or lies in a folder
  // that may not be written to, in its place.
  // Throws Error: denied, invalid_argument, unavailable.
  explicit Output(const std::string& path);
  // Takes away what was not closed.
  ~Output();
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  // Throws Error: unavailable.
  void write(std::string_view text);

  // Puts the file in its place. Until then nothing is sure to be written. Throws Error: unavailable, denied.
  void close();

 private:
  // Opens a file beside the place, unless there is none to be had.
  void write_beside(bool there, std::filesystem::perms permissions);
  [[noreturn]] void fail(int error) const;

  std::string path_;
  std::string unfinished_;     // empty where the place itself is written
  std::FILE* file_ = nullptr;  // null for stdout, and once closed
};

}  // namespace actionhist::cli
