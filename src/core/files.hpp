// Files that are there as a whole or not at all, and mappings of them. Functions may be called from any thread.
// All throw Error: denied without the rights, unavailable for what else the system refuses.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace actionhist {

// A file that is read where the system keeps it, and stays readable when it is removed. Writing to it ends the process.
struct MappedFile {
  std::shared_ptr<std::byte> begin;
  std::size_t size = 0;
  std::span<const std::byte> bytes() const { return {begin.get(), size}; }
};

// Nothing if there is no such file.
std::optional<MappedFile> map_file(const std::filesystem::path& path);

// A file that is written piece by piece beside its place and put there as a whole. Used by one thread.
class NewFile {
 public:
  explicit NewFile(const std::filesystem::path& path);
  // Takes away what was not finished.
  ~NewFile();
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  void write(std::span<const std::byte> piece);
  // Has the disk keep it, and puts it where it belongs in one step.
  void finish();

 private:
  std::filesystem::path path_;
  std::filesystem::path unfinished_;
  int file_;  // -1 once finished
};

// Writes the parts into a new file, has the disk keep it, and puts it where `path` says in one step.
void write_file(const std::filesystem::path& path, std::span<const std::span<const std::byte>> parts);

// Has the disk keep the names in a folder.
void sync_folder(const std::filesystem::path& folder);

// Holds a folder against other processes and other objects of this one.
class FolderLock {
 public:
  // Nothing if another holds it.
  static std::optional<FolderLock> take(const std::filesystem::path& folder);
  FolderLock(FolderLock&& other) noexcept : file_(std::exchange(other.file_, -1)) {}
  FolderLock& operator=(FolderLock&& other) noexcept {
    std::swap(file_, other.file_);
    return *this;
  }
  ~FolderLock();

 private:
  explicit FolderLock(int file) : file_(file) {}
  int file_;
};

}  // namespace actionhist
