// What a benchmark says: one row a figure, as an aligned table for people or as JSON Lines for programs.
#pragma once

#include <algorithm>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include <actionhist/json.hpp>

namespace actionhist::benchmark {

// REQUIRES: there are values.
inline double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

class Report {
 public:
  Report(std::string bench, bool as_json) : bench_(std::move(bench)), as_json_(as_json) {}
  ~Report() { print(); }
  Report(const Report&) = delete;
  Report& operator=(const Report&) = delete;

  // `baseline` is the same figure of what we compare with, `ratio` ours against it. A line of JSON is
  // written at once, so that a benchmark that dies keeps what it measured; the table waits for its widths.
  void add(std::string_view name, std::string_view metric, double value, std::string_view unit,
           std::optional<double> baseline = {}, std::optional<double> ratio = {}) {
    if (as_json_) {
      const auto number = [](const std::optional<double>& given) { return given ? Json(*given) : Json(); };
      const Json line = Json::object({{"bench", bench_},
                                      {"case", name},
                                      {"metric", metric},
                                      {"value", value},
                                      {"unit", unit},
                                      {"baseline", number(baseline)},
                                      {"ratio", number(ratio)}});
      std::fprintf(stdout, "%s\n", line.text().c_str());
      std::fflush(stdout);
      return;
    }
    const auto text = [](const std::optional<double>& given) {
      return given ? shown(*given) : std::string();
    };
    rows_.push_back({std::string(name), std::string(metric), shown(value), std::string(unit), text(baseline),
                     ratio ? shown(*ratio) + "x" : std::string()});
  }

  // Prints the table so far and forgets it.
  void print() {
    if (rows_.empty()) return;
    rows_.insert(rows_.begin(), {"case", "metric", "value", "unit", "baseline", "ratio"});
    std::vector<std::size_t> widths(rows_.front().size(), 0);
    for (const auto& row : rows_) {
      for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
    }
    fmt::print("{}\n", bench_);
    for (const auto& row : rows_) {
      std::string line;
      for (std::size_t i = 0; i < row.size(); ++i) {
        const bool number = i == 2 || i >= 4;
        line +=
            number ? fmt::format("  {:>{}}", row[i], widths[i]) : fmt::format("  {:<{}}", row[i], widths[i]);
      }
      line.erase(line.find_last_not_of(' ') + 1);
      fmt::print("{}\n", line);
    }
    rows_.clear();
  }

 private:
  // Three digits after the point for what is small, none for what is large.
  static std::string shown(double value) {
    if (value == static_cast<double>(static_cast<long long>(value))) return fmt::format("{:.0f}", value);
    return value >= 1000 ? fmt::format("{:.0f}", value) : fmt::format("{:.3f}", value);
  }

  std::string bench_;
  bool as_json_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace actionhist::benchmark
