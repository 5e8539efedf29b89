#include "core/files.hpp"

#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include <actionhist/error.hpp>

namespace actionhist {
namespace {

[[noreturn]] void fail(std::string_view what, const std::filesystem::path& path) {
  const std::error_code reason(errno, std::generic_category());
  const bool rights = errno == EACCES || errno == EPERM || errno == EROFS;
  throw Error(rights ? ErrorCode::denied : ErrorCode::unavailable,
              fmt::format("files: cannot {} \"{}\": {}", what, path.string(), reason.message()));
}

class Descriptor {
 public:
  explicit Descriptor(int file) : file_(file) {}
  ~Descriptor() {
    if (file_ >= 0) close(file_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return file_; }
  int release() { return std::exchange(file_, -1); }

 private:
  int file_;
};

}  // namespace

std::optional<MappedFile> map_file(const std::filesystem::path& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0 && errno == ENOENT) return std::nullopt;
  if (file.get() < 0) fail("open", path);
  struct stat status {};
  if (fstat(file.get(), &status) != 0) fail("look at", path);
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size == 0) return MappedFile{};
  void* memory = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
  if (memory == MAP_FAILED) fail("map", path);
  return MappedFile{{static_cast<std::byte*>(memory), [size](std::byte* begin) { munmap(begin, size); }},
                    size};
}

NewFile::NewFile(const std::filesystem::path& path)
    : path_(path),
      unfinished_(path.string() + ".tmp"),
      file_(::open(unfinished_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)) {
  if (file_ < 0) fail("create", unfinished_);
}

NewFile::~NewFile() {
  if (file_ < 0) return;
  close(file_);
  unlink(unfinished_.c_str());
}

void NewFile::write(std::span<const std::byte> piece) {
  while (!piece.empty()) {
    const ssize_t written = ::write(file_, piece.data(), piece.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail("write", unfinished_);
    piece = piece.subspan(static_cast<std::size_t>(written));
  }
}

void NewFile::finish() {
  if (fsync(file_) != 0) fail("sync", unfinished_);
  if (rename(unfinished_.c_str(), path_.c_str()) != 0) fail("put in place", path_);
  close(std::exchange(file_, -1));
}

void write_file(const std::filesystem::path& path, std::span<const std::span<const std::byte>> parts) {
  NewFile file(path);
  for (const std::span<const std::byte> part : parts) file.write(part);
  file.finish();
}

void sync_folder(const std::filesystem::path& folder) {
  const Descriptor file(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (file.get() < 0 || fsync(file.get()) != 0) fail("sync", folder);
}

std::optional<FolderLock> FolderLock::take(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / "lock";
  Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (file.get() < 0) fail("open", path);
  if (flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return std::nullopt;
    fail("lock", path);
  }
  return FolderLock(file.release());
}

FolderLock::~FolderLock() {
  if (file_ >= 0) close(file_);
}

}  // namespace actionhist
