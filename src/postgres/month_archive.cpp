#include "postgres/month_archive.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <zstd.h>

#include <actionhist/error.hpp>

#include "core/refuse.hpp"

namespace actionhist::postgres {
namespace {

void free_compressor(void* context) { ZSTD_freeCCtx(static_cast<ZSTD_CCtx*>(context)); }
void free_decompressor(void* context) { ZSTD_freeDCtx(static_cast<ZSTD_DCtx*>(context)); }

}  // namespace

ArchiveWriter::ArchiveWriter(const std::filesystem::path& file)
    : file_(file), context_(ZSTD_createCCtx(), &free_compressor), out_(ZSTD_CStreamOutSize()) {
  // So that `zstd -t` knows of damage too.
  ZSTD_CCtx_setParameter(static_cast<ZSTD_CCtx*>(context_.get()), ZSTD_c_checksumFlag, 1);
}

void ArchiveWriter::compress(std::span<const std::byte> rows, bool last) {
  ZSTD_inBuffer in{rows.data(), rows.size(), 0};
  for (bool more = true; more;) {
    ZSTD_outBuffer out{out_.data(), out_.size(), 0};
    const std::size_t left = ZSTD_compressStream2(static_cast<ZSTD_CCtx*>(context_.get()), &out, &in,
                                                  last ? ZSTD_e_end : ZSTD_e_continue);
    if (ZSTD_isError(left)) {
      throw Error(ErrorCode::internal, fmt::format("archive: zstd: {}", ZSTD_getErrorName(left)));
    }
    file_.write(std::span(out_).first(out.pos));
    bytes_ += static_cast<std::int64_t>(out.pos);
    more = last ? left != 0 : in.pos < in.size;
  }
}

void ArchiveWriter::add(std::span<const std::byte> row) {
  hash_.add(row);
  ++rows_;
  compress(row, false);
}

void ArchiveWriter::finish() {
  compress({}, true);
  file_.finish();
}

ArchiveReader::ArchiveReader(const std::filesystem::path& file)
    : path_(file), context_(ZSTD_createDCtx(), &free_decompressor), out_(ZSTD_DStreamOutSize()) {
  auto mapped = map_file(file);
  if (!mapped) throw Error(ErrorCode::not_found, fmt::format("archive: there is no \"{}\"", path_.string()));
  file_ = std::move(*mapped);
  left_ = file_.bytes();
}

void ArchiveReader::fail(std::string_view why) const {
  throw Error(ErrorCode::corrupt, fmt::format("archive: \"{}\" {}", path_.string(), why));
}

std::span<const std::byte> ArchiveReader::next() {
  ZSTD_outBuffer out{out_.data(), out_.size(), 0};
  while (out.pos == 0) {
    if (left_.empty() && between_frames_) return {};
    ZSTD_inBuffer in{left_.data(), left_.size(), 0};
    const std::size_t wanted = ZSTD_decompressStream(static_cast<ZSTD_DCtx*>(context_.get()), &out, &in);
    if (ZSTD_isError(wanted)) fail(fmt::format("is damaged: {}", ZSTD_getErrorName(wanted)));
    if (in.pos == 0 && out.pos == 0) fail("is damaged: it ends early");
    left_ = left_.subspan(in.pos);
    between_frames_ = wanted == 0;
  }
  const auto piece = std::span(std::as_const(out_)).first(out.pos);
  hash_.add(piece);
  // COPY writes a line feed inside of a value as two other characters.
  rows_ += std::ranges::count(piece, std::byte{'\n'});
  return piece;
}

void ArchiveReader::check(const MonthArchive& archive) {
  if (rows_ != archive.actions || hash_.hex() != archive.sha256) {
    fail("does not hold what its manifest says: take another copy of both");
  }
}

std::filesystem::path manifest_path(const std::filesystem::path& folder, Month month) {
  return folder / fmt::format("traces-{}.json", format_month(month));
}

std::string archive_name(Month month) { return fmt::format("traces-{}.copy.zst", format_month(month)); }

std::optional<MonthArchive> read_manifest(const std::filesystem::path& folder, Month month) {
  const std::filesystem::path path = manifest_path(folder, month);
  const auto file = map_file(path);
  if (!file) return std::nullopt;
  const auto bytes = file->bytes();
  try {
    MonthArchive archive = parse_month_archive({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    if (archive.month != month) refuse("month", "is another than the name's");
    return archive;
  } catch (const Error& error) {
    if (error.code() != ErrorCode::invalid_argument) throw;
    throw Error(ErrorCode::corrupt, fmt::format("archive: manifest \"{}\": {}", path.string(), error.what()));
  }
}

void write_manifest(const std::filesystem::path& folder, const MonthArchive& archive) {
  const std::string text = to_json(archive) + "\n";
  const std::span<const std::byte> parts[] = {std::as_bytes(std::span(text))};
  write_file(manifest_path(folder, archive.month), parts);
  sync_folder(folder);
}

}  // namespace actionhist::postgres
