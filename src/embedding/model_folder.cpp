#include "embedding/model_folder.hpp"

#include <fmt/format.h>

#include <actionhist/error.hpp>

#include "core/hash.hpp"

namespace actionhist {
namespace {

std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

ModelFolder::ModelFolder(std::filesystem::path path) : path_(std::move(path)) {
  std::error_code error;
  if (!std::filesystem::is_directory(path_, error)) {
    throw Error(ErrorCode::not_found, fmt::format("model: there is no folder \"{}\"", path_.string()));
  }
}

bool ModelFolder::has(const std::string& name) const {
  std::error_code error;
  return std::filesystem::is_regular_file(path_ / name, error);
}

std::span<const std::byte> ModelFolder::bytes(const std::string& name) {
  const auto known = files_.find(name);
  if (known != files_.end()) return known->second.bytes();
  auto file = map_file(path_ / name);
  if (!file) {
    throw Error(ErrorCode::not_found, fmt::format("model: \"{}\" has no file {}", path_.string(), name));
  }
  return files_.emplace(name, std::move(*file)).first->second.bytes();
}

std::string_view ModelFolder::text(const std::string& name) { return as_text(bytes(name)); }

std::string ModelFolder::identity(std::string_view settings) const {
  std::string all(settings);
  for (const auto& [name, file] : files_)
    all += fmt::format("\n{} {}", name, sha256_hex(as_text(file.bytes())));
  return sha256_hex(all).substr(0, 16);
}

}  // namespace actionhist
