#include "cli/vector_file.hpp"

#include <cstdint>
#include <cstring>
#include <fstream>
#include <regex>

#include <fmt/format.h>

#include <actionhist/error.hpp>

#include "cli/input.hpp"
#include "core/json_io.hpp"

namespace actionhist::cli {
namespace {

[[noreturn]] void refuse(const std::string& path, std::string_view why) {
  throw Error(ErrorCode::invalid_argument, fmt::format("file: \"{}\" {}", path, why));
}

std::ifstream open_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Error(ErrorCode::not_found, fmt::format("file: \"{}\" cannot be read", path));
  return file;
}

struct Shape {
  std::size_t rows = 0;
  std::size_t columns = 0;
};

// The header of numpy's format, versions 1 to 3: a magic, the length, and a Python dict.
Shape read_shape(std::ifstream& file, const std::string& path) {
  char begin[8] = {};
  file.read(begin, sizeof begin);
  if (!file || std::memcmp(begin, "\x93NUMPY", 6) != 0) refuse(path, "is no .npy file");
  std::uint32_t length = 0;
  file.read(reinterpret_cast<char*>(&length), begin[6] == 1 ? 2 : 4);
  if (!file || length > 1U << 16) refuse(path, "has a header that cannot be read");
  std::string header(length, '\0');
  file.read(header.data(), static_cast<std::streamsize>(length));
  static const std::regex pattern(
      R"(\{'descr': '(<f4)', 'fortran_order': False, 'shape': \((\d{1,12}), (\d{1,6})\), *\}\s*)");
  std::smatch match;
  if (!file || !std::regex_match(header, match, pattern)) {
    refuse(path, "must hold a two-dimensional array of little-endian float32 in C order");
  }
  return {std::stoull(match[2]), std::stoull(match[3])};
}

}  // namespace

VectorFile::VectorFile(const std::string& path, const std::string& ids) {
  if (path.ends_with(".npy")) {
    read_numpy(path, ids);
  } else {
    read_lines(path);
  }
}

void VectorFile::read_numpy(const std::string& path, const std::string& ids) {
  std::ifstream file = open_file(path);
  const Shape shape = read_shape(file, path);
  if (ids.empty()) refuse(path, "has no ids; name a file of them with --ids");
  LineReader names(ids);
  for (std::string id; names.next(id);) {
    if (!id.empty()) vectors_.push_back({std::move(id), {}});
  }
  if (vectors_.size() != shape.rows) {
    refuse(path, fmt::format("has {} rows, \"{}\" has {} ids", shape.rows, ids, vectors_.size()));
  }
  numbers_.resize(shape.rows * shape.columns);
  file.read(reinterpret_cast<char*>(numbers_.data()),
            static_cast<std::streamsize>(numbers_.size() * sizeof(float)));
  if (!file) refuse(path, "ends before its array does");
  for (std::size_t i = 0; i < vectors_.size(); ++i) {
    vectors_[i].vector = std::span(numbers_).subspan(i * shape.columns, shape.columns);
  }
}

void VectorFile::read_lines(const std::string& path) {
  LineReader file(path);
  for (std::string line; file.next(line);) {
    if (line.empty()) continue;
    const std::size_t number = file.line_number();
    JsonDocument document;
    const JsonElement row = document.parse(line, fmt::format("line {}", number));
    std::string_view id;
    simdjson::dom::array numbers;
    if (row["action_id"].get(id) != simdjson::SUCCESS || row["vector"].get(numbers) != simdjson::SUCCESS) {
      refuse(path, fmt::format("line {} must be {{\"action_id\": …, \"vector\": […]}}", number));
    }
    std::vector<float>& vector = rows_.emplace_back();
    for (const JsonElement each : numbers) {
      double value = 0;
      if (each.get(value) != simdjson::SUCCESS)
        refuse(path, fmt::format("line {}: a vector holds numbers", number));
      vector.push_back(static_cast<float>(value));
    }
    vectors_.push_back({std::string(id), {}});
  }
  for (std::size_t i = 0; i < rows_.size(); ++i) vectors_[i].vector = rows_[i];
}

}  // namespace actionhist::cli
