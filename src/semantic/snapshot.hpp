// A table of rows as files in a folder: `manifest`, which names all others with their checksums and is replaced
// in one step; a file of the table; one of the graph; and one for each full chunk of vectors, which never changes
// and serves every later snapshot. Whoever is killed while writing leaves the snapshot before.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <actionhist/semantic_index.hpp>

#include "core/files.hpp"
#include "semantic/row_table.hpp"

namespace actionhist {

struct Snapshot {
  // A part of a file whose checksum is not yet compared: the vectors in full, which are read last and least.
  struct Unverified {
    std::string file;
    std::shared_ptr<std::byte> owner;
    std::span<const std::byte> bytes;
    std::string checksum;
  };

  IndexOptions options;
  Json note;
  std::unique_ptr<RowTable> table;
  std::vector<Unverified> unverified;
};

// What was saved, ready to be written.
class SnapshotWriter {
 public:
  // Reads the table, which nobody may change meanwhile, and copies what will change later.
  SnapshotWriter(const RowTable& table, Json note);

  // Writes it; then removes files that the new manifest does not name. Returns the mapped chunks in order, for
  // the table to read from. Throws Error: unavailable; what was there before stays valid then.
  std::vector<std::shared_ptr<std::byte>> write(const std::filesystem::path& folder);

  // What is written.
  const Vectors& vectors() const { return vectors_; }

 private:
  IndexOptions options_;
  Json note_;
  Vectors vectors_;
  std::shared_ptr<const Graph> graph_;
  BinaryWriter table_;
};

// Nothing if there is none. Throws Error: corrupt, naming the file; unavailable.
std::optional<Snapshot> read_snapshot(const std::filesystem::path& folder);

// False if the bytes are not those that were written.
bool verify(const Snapshot::Unverified& part);

}  // namespace actionhist
