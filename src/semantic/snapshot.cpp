#include "semantic/snapshot.hpp"

#include <algorithm>
#include <cstring>
#include <map>
#include <new>
#include <set>

#include <fmt/format.h>

#include <actionhist/error.hpp>

#include "core/json_io.hpp"
#include "embedding/content_hash.hpp"
#include "semantic/index_options.hpp"

namespace actionhist {
namespace {

constexpr std::int64_t format = 6;
constexpr std::string_view manifest_name = "manifest";

// A file of a snapshot. Of a chunk the codes and signs come first and are checked when it is opened.
struct File {
  std::string name;
  std::size_t bytes = 0;
  std::size_t first_bytes = 0;
  std::string first;  // checksum
  std::string rest;   // checksum, of what follows
};

[[noreturn]] void corrupt(std::string_view name, std::string_view why) {
  throw Error(ErrorCode::corrupt, fmt::format("index: file \"{}\" {}", name, why));
}

std::string checksum(std::span<const std::byte> bytes) {
  const ContentHash hash = content_hash(bytes.data(), bytes.size());
  return fmt::format("{:016x}{:016x}", hash.high, hash.low);
}

File described(std::string name, std::span<const std::byte> bytes, std::size_t first_bytes) {
  return {std::move(name), bytes.size(), first_bytes, checksum(bytes.first(first_bytes)),
          checksum(bytes.subspan(first_bytes))};
}

struct Manifest {
  IndexOptions options;
  Json note;
  File table;
  std::optional<File> graph;
  std::vector<File> chunks;
};

Json to_json(const File& file) {
  return Json::object({{"name", file.name},
                       {"bytes", static_cast<std::int64_t>(file.bytes)},
                       {"first_bytes", static_cast<std::int64_t>(file.first_bytes)},
                       {"first", file.first},
                       {"rest", file.rest}});
}

File file_from(JsonElement element) {
  File file;
  file.name = std::string_view(element["name"]);
  file.bytes = std::uint64_t(element["bytes"]);
  file.first_bytes = std::uint64_t(element["first_bytes"]);
  file.first = std::string_view(element["first"]);
  file.rest = std::string_view(element["rest"]);
  if (file.name.find('/') != file.name.npos || file.first_bytes > file.bytes)
    corrupt(manifest_name, "names a file that cannot be");
  return file;
}

// One line of JSON, and its checksum on the next.
std::string to_text(const Manifest& manifest) {
  JsonWriter writer;
  writer.begin_object();
  writer.key("format").value(format);
  const IndexOptions& options = manifest.options;
  writer.key("dimension").value(static_cast<std::int64_t>(options.dimension));
  writer.key("metric").value(static_cast<std::int64_t>(options.metric));
  writer.key("precision").value(static_cast<std::int64_t>(options.precision));
  writer.key("m").value(static_cast<std::int64_t>(options.m));
  writer.key("ef_construction").value(static_cast<std::int64_t>(options.ef_construction));
  writer.key("ef_search").value(static_cast<std::int64_t>(options.ef_search));
  writer.key("sealed_rows").value(static_cast<std::int64_t>(options.sealed_rows));
  if (!options.parts.empty()) {
    writer.key("parts").begin_array();
    for (const std::size_t part : options.parts) writer.value(static_cast<std::int64_t>(part));
    writer.end_array();
  }
  if (!manifest.note.absent()) writer.key("note").value(manifest.note);
  writer.key("table").value(to_json(manifest.table));
  if (manifest.graph) writer.key("graph").value(to_json(*manifest.graph));
  writer.key("chunks").begin_array();
  for (const File& file : manifest.chunks) writer.value(to_json(file));
  writer.end_array().end_object();
  std::string line = writer.take();
  const std::string sum = checksum(std::as_bytes(std::span(line)));
  return line + "\n" + sum + "\n";
}

// In memory of its own, so that what is compared is what is read, whoever writes to the file meanwhile.
MappedFile copied(const MappedFile& file) {
  constexpr std::align_val_t alignment{64};
  const std::shared_ptr<std::byte> memory(static_cast<std::byte*>(::operator new(file.size, alignment)),
                                          [](std::byte* begin) { ::operator delete(begin, alignment); });
  if (file.size > 0) std::memcpy(memory.get(), file.begin.get(), file.size);
  return {memory, file.size};
}

std::optional<Manifest> read_manifest(const std::filesystem::path& folder) {
  const auto file = map_file(folder / manifest_name);
  if (!file) return std::nullopt;
  const MappedFile own = copied(*file);
  const std::string_view text(reinterpret_cast<const char*>(own.begin.get()), own.size);
  const std::size_t end = text.find('\n');
  if (end == text.npos || text.substr(end + 1) != checksum(own.bytes().first(end)) + "\n")
    corrupt(manifest_name, "is damaged");
  try {
    JsonDocument document;
    const JsonElement root = document.parse(text.substr(0, end), "manifest");
    if (std::int64_t(root["format"]) != format) corrupt(manifest_name, "is of another version");
    Manifest manifest;
    manifest.options.dimension = std::uint64_t(root["dimension"]);
    manifest.options.metric = static_cast<Metric>(std::int64_t(root["metric"]));
    manifest.options.precision = static_cast<Precision>(std::int64_t(root["precision"]));
    manifest.options.m = static_cast<int>(std::int64_t(root["m"]));
    manifest.options.ef_construction = static_cast<int>(std::int64_t(root["ef_construction"]));
    manifest.options.ef_search = static_cast<int>(std::int64_t(root["ef_search"]));
    manifest.options.sealed_rows = std::uint64_t(root["sealed_rows"]);
    simdjson::dom::array parts;
    if (root["parts"].get(parts) == simdjson::SUCCESS) {
      for (JsonElement part : parts) manifest.options.parts.push_back(std::uint64_t(part));
    }
    JsonElement note;
    if (root["note"].get(note) == simdjson::SUCCESS)
      manifest.note = Json::parse(std::string(simdjson::minify(note)), "note");
    manifest.table = file_from(root["table"]);
    JsonElement graph;
    if (root["graph"].get(graph) == simdjson::SUCCESS) manifest.graph = file_from(graph);
    for (JsonElement chunk : simdjson::dom::array(root["chunks"]))
      manifest.chunks.push_back(file_from(chunk));
    checked(manifest.options);
    return manifest;
  } catch (const simdjson::simdjson_error&) {
    corrupt(manifest_name, "lacks a part");
  } catch (const Error& error) {
    // What Json and options refuse is no fault of the caller.
    if (error.code() != ErrorCode::invalid_argument) throw;
    corrupt(manifest_name, error.what());
  }
}

// A file as the manifest describes it, its first bytes compared.
MappedFile opened(const std::filesystem::path& folder, const File& file, bool copy = false) {
  const auto mapped = map_file(folder / file.name);
  if (!mapped) corrupt(file.name, "is missing");
  if (mapped->size != file.bytes) corrupt(file.name, "is truncated");
  const MappedFile out = copy ? copied(*mapped) : *mapped;
  if (checksum(out.bytes().first(file.first_bytes)) != file.first) corrupt(file.name, "is damaged");
  return out;
}

}  // namespace

SnapshotWriter::SnapshotWriter(const RowTable& table, Json note)
    : options_(table.options()),
      note_(std::move(note)),
      vectors_(table.vectors().vectors()),
      graph_(table.vectors().graph()) {
  table.write(table_);
}

std::vector<std::shared_ptr<std::byte>> SnapshotWriter::write(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) {
    throw Error(ErrorCode::unavailable,
                fmt::format("index: cannot create \"{}\": {}", folder.string(), error.message()));
  }
  std::map<std::string, File> known;  // of the snapshot before, by name
  try {
    if (const auto before = read_manifest(folder)) {
      for (const File& file : before->chunks) known[file.name] = file;
      if (before->graph) known[before->graph->name] = *before->graph;
      known[before->table.name] = before->table;
    }
  } catch (const Error&) {
    // A damaged snapshot has nothing that could be kept.
  }

  Manifest manifest;
  manifest.options = options_;
  manifest.note = note_;
  std::vector<std::shared_ptr<std::byte>> mapped;
  const std::size_t full = vectors_.size() / ChunkLayout::slots;
  for (std::size_t i = 0; i < full; ++i) {
    const std::string name = fmt::format("vectors-{:016x}", vectors_.chunk_id(i));
    if (!known.contains(name)) {
      const auto bytes = vectors_.chunk_bytes(i);
      known[name] = described(name, bytes, vectors_.layout().originals);
      write_file(folder / name, {&bytes, 1});
    }
    manifest.chunks.push_back(known[name]);
    const auto file = map_file(folder / name);
    mapped.push_back(file ? file->begin : nullptr);
  }
  if (graph_) {
    const std::string name = fmt::format("graph-{:016x}", graph_->id());
    if (!known.contains(name)) {
      BinaryWriter out;
      graph_->write(out);
      const auto bytes = out.bytes();
      known[name] = described(name, bytes, bytes.size());
      write_file(folder / name, {&bytes, 1});
    }
    manifest.graph = known[name];
  }
  const auto bytes = table_.bytes();
  // By its content, so that a table is never replaced under a manifest that names it.
  manifest.table = described("table-" + checksum(bytes), bytes, bytes.size());
  if (!known.contains(manifest.table.name)) write_file(folder / manifest.table.name, {&bytes, 1});
  sync_folder(folder);
  const std::string text = to_text(manifest);
  const auto text_bytes = std::as_bytes(std::span(text));
  write_file(folder / manifest_name, {&text_bytes, 1});
  sync_folder(folder);

  std::set<std::string> named = {std::string(manifest_name), "lock", manifest.table.name};
  if (manifest.graph) named.insert(manifest.graph->name);
  for (const File& file : manifest.chunks) named.insert(file.name);
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    const bool ours = name.starts_with("vectors-") || name.starts_with("graph-") ||
                      name.starts_with("table-") || name.ends_with(".tmp");
    if (ours && !named.contains(name)) std::filesystem::remove(entry.path(), error);
  }
  return mapped;
}

std::optional<Snapshot> read_snapshot(const std::filesystem::path& folder) {
  const auto manifest = read_manifest(folder);
  if (!manifest) return std::nullopt;
  Snapshot snapshot;
  snapshot.options = manifest->options;
  snapshot.note = manifest->note;
  const MappedFile table = opened(folder, manifest->table, true);
  std::shared_ptr<const Graph> graph;
  if (manifest->graph) {
    const MappedFile file = opened(folder, *manifest->graph);
    BinaryReader in(file.bytes());
    graph = Graph::read(in, file.begin);
  }
  const ChunkLayout layout(manifest->options.dimension, manifest->options.precision);
  std::vector<std::shared_ptr<std::byte>> chunks;
  for (const File& file : manifest->chunks) {
    if (file.bytes != layout.bytes) corrupt(file.name, "has another size than its vectors");
    const MappedFile mapped = opened(folder, file);
    chunks.push_back(mapped.begin);
    snapshot.unverified.push_back(
        {file.name, mapped.begin, mapped.bytes().subspan(file.first_bytes), file.rest});
  }
  snapshot.table = std::make_unique<RowTable>(manifest->options);
  BinaryReader in(table.bytes());
  snapshot.table->read(in, std::move(chunks), std::move(graph));
  return snapshot;
}

bool verify(const Snapshot::Unverified& part) { return checksum(part.bytes) == part.checksum; }

}  // namespace actionhist
