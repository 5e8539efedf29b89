// What an index costs as it grows, on vectors that were held back from it: for each size the build, the memory, the
// recall as calibrated and the queries a second, the start from its files, and searches while rows are added.
// Usage: growth [--sizes N,N,...] [--dimension N] [--queries N] [--seconds N] [--added N] [--sealed-rows N] [--beside]
// [--folder DIR] [--json].
// Each size is an index of its own, saved in DIR. Searches go on for so many seconds alone and then as many while
// `added` rows a second are added. --beside leaves out all but the build and these searches.
#include <algorithm>
#include <atomic>
#include <filesystem>
#include <thread>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "our_index.hpp"
#include "program.hpp"
#include "report.hpp"
#include "support/samples.hpp"
#include "vector_recall.hpp"

namespace {

using namespace actionhist;
using namespace actionhist::benchmark;

// Rows that each search scans beside the graph, at 1,000 added a second.
constexpr double most_waiting_wanted = 4096;

struct Settings {
  std::vector<std::size_t> sizes = {10'000, 100'000};
  std::size_t dimension = 384;
  std::size_t queries = 1000;
  std::size_t seconds = 5;
  std::size_t added = 1000;  // rows a second
  std::size_t sealed_rows = IndexOptions().sealed_rows;
  bool beside = false;
  std::string folder;
  bool json = false;
};

// The median of a few rounds.
Point measured(OurIndex& ours, const VectorSets& sets, const Truth& truth) {
  Point point;
  std::vector<double> rates;
  for (int round = 0; round < 5; ++round) {
    point = measure(ours, sets.queries, truth);
    rates.push_back(point.rate);
  }
  point.rate = median(rates);
  return point;
}

double percentile(std::vector<double> values, double part) {
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(part * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

// How long each search takes, one after the other for so many seconds.
std::vector<double> latencies(OurIndex& ours, const VectorSet& queries, double seconds) {
  std::vector<double> out;
  const auto begin = Steady::now();
  for (std::size_t i = 0; seconds_since(begin) < seconds; ++i) {
    const auto asked = Steady::now();
    ours.search(queries.at(i % queries.size()), nearest_wanted, {});
    out.push_back(seconds_since(asked));
  }
  return out;
}

// Adds the rows behind the first `size` one by one at an even pace.
class Adding {
 public:
  Adding(OurIndex& ours, const VectorSet& rows, std::size_t size, std::size_t a_second)
      : thread_([this, &ours, &rows, size, a_second] {
          const auto begin = Steady::now();
          for (std::size_t i = size; i < rows.size() && !stop_; ++i) {
            const std::chrono::duration<double> due(static_cast<double>(i - size) /
                                                    static_cast<double>(a_second));
            std::this_thread::sleep_until(begin + std::chrono::duration_cast<Steady::duration>(due));
            ours.put(rows, i, i + 1);
            ++added_;
            const IndexStats stats = ours.index.stats();
            most_waiting_ = std::max(most_waiting_, stats.vectors - stats.linked);
          }
          seconds_ = seconds_since(begin);
        }) {}
  void end() {
    stop_ = true;
    thread_.join();
  }
  std::size_t added() const { return added_; }
  double seconds() const { return seconds_; }
  std::size_t most_waiting() const { return most_waiting_; }

 private:
  std::atomic<bool> stop_{false};
  // Written by the thread, read after it has ended.
  std::size_t added_ = 0;
  std::size_t most_waiting_ = 0;
  double seconds_ = 0;
  std::thread thread_;
};

void searched_while_adding(Report& report, OurIndex& ours, const VectorSets& sets, const Settings& settings,
                           std::size_t size) {
  const auto seconds = static_cast<double>(settings.seconds);
  const std::vector<double> alone = latencies(ours, sets.queries, seconds);
  Adding adding(ours, sets.rows, size, settings.added);
  const std::vector<double> beside = latencies(ours, sets.queries, seconds);
  adding.end();
  for (const double part : {0.5, 0.99}) {
    const double idle = percentile(alone, part);
    const double busy = percentile(beside, part);
    report.add(fmt::format("{}: p{:g} while rows are added against alone", size, part * 100), "time",
               busy * 1e6, "us", idle * 1e6, busy / idle);
  }
  report.add(fmt::format("{}: added", size), "rows", static_cast<double>(adding.added()) / adding.seconds(),
             "1/s");
  const auto waiting = static_cast<double>(adding.most_waiting());
  report.add(fmt::format("{}: most that waited for the graph against the aim", size), "rows", waiting, "",
             most_waiting_wanted, waiting / most_waiting_wanted);
}

void run(const Settings& settings) {
  Report report(fmt::format("growth: {} dimensions", settings.dimension), settings.json);
  const test::TempFolder temporary;
  const std::string place = settings.folder.empty() ? temporary.path().string() : settings.folder;
  double first_rate = 0;
  for (const std::size_t size : settings.sizes) {
    VectorSets sets =
        clustered_vectors(size + settings.seconds * settings.added, settings.queries, settings.dimension);
    OurIndex ours({.dimension = settings.dimension, .sealed_rows = settings.sealed_rows});
    const auto began = Steady::now();
    ours.put(sets.rows, 0, size);
    ours.index.optimize();
    report.add(fmt::format("{}: build", size), "time", seconds_since(began), "s");
    if (settings.beside) {
      searched_while_adding(report, ours, sets, settings, size);
      report.print();
      continue;
    }
    const Truth truth =
        exact_neighbours(sets, nearest_wanted, [size](std::uint32_t row) { return row < size; });
    const std::string folder = fmt::format("{}/{}", place, size);

    const auto all = static_cast<double>(ours.bytes());
    const auto in_full = static_cast<double>(size * settings.dimension * sizeof(float));
    report.add(fmt::format("{}: memory", size), "size", all / 1e6, "MB");
    report.add(fmt::format("{}: but for the vectors in full", size), "size", (all - in_full) / 1e6, "MB",
               all / 1e6, 1 - in_full / all);

    ours.set_width(0);
    const Point calibrated = measured(ours, sets, truth);
    report.add(fmt::format("{}: as calibrated (ef {}, {:.4f})", size, ours.index.stats().ef_search,
                           calibrated.recall),
               "queries", calibrated.rate, "1/s");
    for (const double recall : {0.95, 0.99}) {
      const auto width = width_for(ours, sets.queries, truth, {}, recall);
      if (!width) continue;
      const double rate = measured(ours, sets, truth).rate;
      if (recall == 0.99 && first_rate == 0) first_rate = rate;
      if (recall == 0.99) {
        report.add(fmt::format("{}: recall {} (ef {}) against {} rows", size, recall, *width,
                               settings.sizes.front()),
                   "queries", rate, "1/s", first_rate, rate / first_rate);
      } else {
        report.add(fmt::format("{}: recall {} (ef {})", size, recall, *width), "queries", rate, "1/s");
      }
    }
    ours.set_width(0);

    ours.index.save(folder);
    const auto mapped = measured(ours, sets, truth);
    report.add(fmt::format("{}: as calibrated, from files against memory", size), "queries", mapped.rate,
               "1/s", calibrated.rate, mapped.rate / calibrated.rate);
    const auto opening = Steady::now();
    { const SemanticIndex opened = SemanticIndex::open(folder); }
    report.add(fmt::format("{}: open from a warm cache", size), "time", seconds_since(opening), "s");
    searched_while_adding(report, ours, sets, settings, size);
    report.print();
    std::filesystem::remove_all(folder);
  }
}

}  // namespace

int main(int argc, char** argv) {
  Settings settings;
  CLI::App app("What an index costs as it grows.", "growth");
  app.add_option("--sizes", settings.sizes, "rows of each index")->delimiter(',');
  app.add_option("--dimension", settings.dimension);
  app.add_option("--queries", settings.queries);
  app.add_option("--seconds", settings.seconds, "of searches alone, and while rows are added");
  app.add_option("--added", settings.added, "rows a second");
  app.add_option("--sealed-rows", settings.sealed_rows, "as the option of the index");
  app.add_flag("--beside", settings.beside, "only the searches while rows are added");
  app.add_option("--folder", settings.folder, "for the files; a temporary one if not given")
      ->check(CLI::ExistingDirectory);
  app.add_flag("--json", settings.json, "one JSON object a line");
  return benchmark::program(app, argc, argv, [&] { run(settings); });
}
