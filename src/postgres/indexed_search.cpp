#include "postgres/indexed_search.hpp"

#include <array>

#include "postgres/indexes.hpp"

namespace actionhist::postgres {
namespace {

constexpr std::string_view newest_with =
    "SELECT found_id, found_at FROM actionhist_indexed($1, $2, $3, $4, $5, $6)";

void read(const Result& result, int most, FoundActions& found) {
  if (result.rows() >= most) found.all = false;
  for (Reader reader(result); reader.next();) {
    reader.read(found.ids.emplace_back()).read(found.times.emplace_back());
  }
}

// The index of a column with JSON documents, empty if there can be none.
std::string_view index_of(std::string_view column) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 4> known{{
      {"alert_labels", "traces_labels"},
      {"action_parameters", "traces_parameters"},
      {"resource_state_before", "traces_state"},
      {"metadata", "traces_metadata"},
  }};
  for (const auto& [name, index] : known) {
    if (name == column) return index;
  }
  return {};
}

}  // namespace

std::optional<FoundActions> find_words(Engine& engine, std::span<const std::string> words, int most) {
  if (!has_index(engine, "traces_words")) return std::nullopt;
  const std::optional<TimePoint> whenever;
  std::vector<Call> calls;
  for (const std::string& word : words) {
    calls.push_back({newest_with, Parameters("words", word, "", whenever, whenever, std::int64_t{most})});
  }
  FoundActions found;
  for (const Result& result : engine.run(std::move(calls))) read(result, most, found);
  return found;
}

std::optional<FoundActions> find_documents(Engine& engine, const sql::Containment& wanted,
                                           std::optional<TimePoint> since, std::optional<TimePoint> until,
                                           int most) {
  const std::string_view index = index_of(wanted.column);
  if (index.empty() || !has_index(engine, index)) return std::nullopt;
  FoundActions found;
  read(engine.run(newest_with,
                  Parameters(wanted.column, wanted.document, wanted.other, since, until, std::int64_t{most})),
       most, found);
  return found;
}

}  // namespace actionhist::postgres
