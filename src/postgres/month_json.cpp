// Months and their manifests as text.
#include <charconv>

#include <fmt/format.h>

#include <actionhist/postgres_months.hpp>

#include "core/json_fields.hpp"

namespace actionhist {
namespace {

constexpr std::int64_t manifest_format = 1;

// The manifest's members beside format and month.
template <class Archive, class Visit>
void visit_manifest(Archive& archive, Visit&& visit) {
  visit("file", archive.file);
  visit("actions", archive.actions);
  visit("bytes", archive.bytes);
  visit("sha256", archive.sha256);
  visit("departure", archive.departure);
  visit("schema", archive.schema);
  visit("schema_version", archive.schema_version);
  visit("actionhist_version", archive.actionhist_version);
  visit("archived_at", archive.archived_at);
  visit("columns", archive.columns);
}

}  // namespace

Month parse_month(std::string_view text, std::string_view field) {
  int year = 0;
  unsigned month = 0;
  const char* const begin = text.data();
  const bool shaped = text.size() == 7 && text[4] == '-' &&
                      std::from_chars(begin, begin + 4, year).ptr == begin + 4 &&
                      std::from_chars(begin + 5, begin + 7, month).ptr == begin + 7;
  const Month value = std::chrono::year(year) / std::chrono::month(month);
  if (!shaped || !value.ok() || year < 2000 || year >= 2200) {
    refuse(field, "must be a month from 2000-01 to 2199-12, as in 2026-03");
  }
  return value;
}

std::string format_month(Month month) {
  return fmt::format("{:04}-{:02}", static_cast<int>(month.year()), static_cast<unsigned>(month.month()));
}

std::string_view to_string(MonthState state) noexcept {
  switch (state) {
    case MonthState::present: return "present";
    case MonthState::detaching: return "detaching";
    case MonthState::detached: return "detached";
    case MonthState::archived: return "archived";
    case MonthState::restoring: return "restoring";
  }
  return "unknown";
}

std::string to_json(const MonthInfo& info) {
  JsonWriter writer;
  writer.begin_object().member("month", format_month(info.month)).member("state", to_string(info.state));
  writer.member("actions", info.actions).member("bytes", info.bytes);
  if (!info.archive.empty()) writer.member("archive", info.archive);
  return writer.end_object().take();
}

std::string to_json(const MonthArchive& archive) {
  JsonWriter writer;
  writer.begin_object().member("format", manifest_format).member("month", format_month(archive.month));
  visit_manifest(archive, FieldWriter(writer));
  return writer.end_object().take();
}

MonthArchive parse_month_archive(std::string_view json) {
  JsonDocument document;
  FieldReader read(document.parse(json, "manifest"), "manifest");
  std::int64_t format = 0;
  read("format", format);
  if (format > manifest_format) {
    throw Error(ErrorCode::unsupported, "format: the archive is of a newer library; update this one");
  }
  std::string month;
  read("month", month);
  MonthArchive archive;
  archive.month = parse_month(month);
  visit_manifest(archive, read);
  if (archive.columns.empty()) refuse("columns", "are missing");
  // Beside its manifest and nowhere else.
  if (archive.file.empty() || archive.file.find('/') != archive.file.npos) refuse("file", "must be a name");
  return archive;
}

}  // namespace actionhist
