// The folder of a published model. Its files are mapped, so that processes share them; they must not be changed
// in place while a model is open (a download tool puts new ones in place by rename).
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "core/files.hpp"

namespace actionhist {

class ModelFolder {
 public:
  // Throws Error: not_found if there is no such folder.
  explicit ModelFolder(std::filesystem::path path);

  bool has(const std::string& name) const;
  // The bytes of a file; they live as long as the folder. Throws Error: not_found, unavailable.
  std::string_view text(const std::string& name);
  std::span<const std::byte> bytes(const std::string& name);

  // 16 hexadecimal digits over the names and contents of all files that were read, and `settings`.
  std::string identity(std::string_view settings) const;

 private:
  std::filesystem::path path_;
  std::map<std::string, MappedFile> files_;
};

}  // namespace actionhist
