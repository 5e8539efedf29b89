// The file that an archived month lies in: rows as COPY writes them, compressed by zstd, and a manifest beside it.
// Each object is used by one thread; memory stays at a few megabytes whatever the file's size.
#pragma once

#include <optional>
#include <vector>

#include <actionhist/postgres_months.hpp>

#include "core/files.hpp"
#include "core/hash.hpp"

namespace actionhist::postgres {

class ArchiveWriter {
 public:
  // The file is there once it is finished. Throws Error: unavailable, as add() and finish() do.
  explicit ArchiveWriter(const std::filesystem::path& file);

  void add(std::span<const std::byte> row);
  void finish();

  std::int64_t rows() const noexcept { return rows_; }
  std::int64_t bytes() const noexcept { return bytes_; }  // of the file
  std::string sha256() { return hash_.hex(); }            // of the rows; asked for once

 private:
  void compress(std::span<const std::byte> rows, bool last);

  NewFile file_;
  std::unique_ptr<void, void (*)(void*)> context_;
  std::vector<std::byte> out_;
  Sha256 hash_;
  std::int64_t rows_ = 0;
  std::int64_t bytes_ = 0;
};

class ArchiveReader {
 public:
  // Throws Error: not_found, unavailable.
  explicit ArchiveReader(const std::filesystem::path& file);

  // The next piece of the rows, valid until the next call; empty at the end. Throws Error: corrupt.
  std::span<const std::byte> next();

  // Throws Error: corrupt unless what was read is what `archive` says. REQUIRES: next() was empty.
  void check(const MonthArchive& archive);

  std::int64_t rows() const noexcept { return rows_; }

 private:
  [[noreturn]] void fail(std::string_view why) const;

  std::filesystem::path path_;
  MappedFile file_;
  std::span<const std::byte> left_;
  bool between_frames_ = false;
  std::unique_ptr<void, void (*)(void*)> context_;
  std::vector<std::byte> out_;
  Sha256 hash_;
  std::int64_t rows_ = 0;
};

// Where the manifest of a month lies, and the file beside it.
std::filesystem::path manifest_path(const std::filesystem::path& folder, Month month);
std::string archive_name(Month month);

// Nothing if there is none. Throws Error: corrupt for one that cannot be read.
std::optional<MonthArchive> read_manifest(const std::filesystem::path& folder, Month month);
void write_manifest(const std::filesystem::path& folder, const MonthArchive& archive);

}  // namespace actionhist::postgres
