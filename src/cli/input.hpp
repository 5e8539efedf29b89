// Input from a file or, for the path "-", from stdin.
#pragma once

#include <cstdint>
#include <fstream>
#include <istream>
#include <optional>
#include <string>

namespace actionhist::cli {

// Reads line by line, whatever ends the lines, and forgets a byte order mark.
class LineReader {
 public:
  // Throws Error: not_found, invalid_argument (a folder), denied.
  explicit LineReader(const std::string& path);

  // The next line without its end. False at the end of the input.
  // Throws Error: unavailable when the input breaks off.
  bool next(std::string& line);

  // Of the last line, from 1.
  std::size_t line_number() const noexcept { return number_; }

  std::uintmax_t bytes_read() const noexcept { return bytes_; }
  std::optional<std::uintmax_t> bytes_in_all() const noexcept { return size_; }  // known for files

 private:
  std::string path_;
  std::ifstream file_;
  std::istream* stream_;
  std::size_t number_ = 0;
  std::uintmax_t bytes_ = 0;
  std::optional<std::uintmax_t> size_;
};

// The whole input. Throws as LineReader.
std::string read_input(const std::string& path);

}  // namespace actionhist::cli
