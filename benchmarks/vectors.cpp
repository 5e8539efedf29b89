// The vector index against others in one run, one thread: queries a second at a recall of the ten nearest,
// build time, memory, and the same under filters that are independent of the vectors or follow their clusters.
// Usage: vectors [--rows N] [--dimension N] [--queries N] [--m N] [--ef-construction N] [--no-filters]
//                [--no-faiss] [--json]; --peers as the first of all: against those of PyPI, vectors.py
#include <algorithm>
#include <iostream>
#include <map>
#include <memory>

#include <fmt/format.h>

#include <actionhist/semantic_index.hpp>

#include "our_index.hpp"
#include "report.hpp"
#include "vector_peers.hpp"
#include "vector_recall.hpp"
#include "vector_sets.hpp"

namespace {

using namespace actionhist;
using namespace actionhist::benchmark;

struct Settings {
  std::size_t rows = 100'000;
  std::size_t dimension = 384;
  std::size_t queries = 1000;
  std::size_t m = 16;
  std::size_t ef_construction = 64;
  bool filters = true;
  bool faiss = true;
  bool json = false;
};

// A filter of the benchmark: a field, the value it must have, and which rows have it.
struct FilterCase {
  std::string name;
  std::string field;
  Passes passes;
};

void unfiltered(Report& report, OurIndex& ours, const std::vector<std::unique_ptr<VectorPeer>>& peers,
                const VectorSets& sets, const Truth& truth) {
  for (const double recall : {0.95, 0.99, 0.999}) {
    struct Entry {
      VectorPeer* peer;
      std::size_t width;
      std::vector<double> rates;
      double recall;
    };
    std::vector<Entry> entries;
    const auto enter = [&](VectorPeer& peer) {
      if (const auto width = width_for(peer, sets.queries, truth, {}, recall, sets.queries.size()))
        entries.push_back({&peer, *width, {}, 0});
    };
    enter(ours);
    for (const auto& peer : peers) enter(*peer);
    for (int round = 0; round < 5; ++round) {
      for (Entry& entry : entries) {
        entry.peer->set_width(entry.width);
        const Point point = measure(*entry.peer, sets.queries, truth, {});
        entry.rates.push_back(point.rate);
        entry.recall = point.recall;
      }
    }
    if (entries.empty() || entries[0].peer != &ours) continue;
    const double our_rate = median(entries[0].rates);
    report.add(fmt::format("recall {} (ef {}, {:.4f})", recall, entries[0].width, entries[0].recall),
               "queries", our_rate, "1/s");
    for (std::size_t i = 1; i < entries.size(); ++i) {
      const double rate = median(entries[i].rates);
      report.add(fmt::format("recall {} against {} (ef {}, {:.4f})", recall, entries[i].peer->name(),
                             entries[i].width, entries[i].recall),
                 "queries", our_rate, "1/s", rate, our_rate / rate);
    }
  }
}

void filtered(Report& report, OurIndex& ours, const std::vector<std::unique_ptr<VectorPeer>>& peers,
              const VectorSets& sets, const std::vector<FilterCase>& cases) {
  constexpr std::size_t few = 200;  // queries of a slow peer
  for (const FilterCase& one : cases) {
    const Truth truth = exact_neighbours(sets, nearest_wanted, one.passes);
    ours.set_filter(one.field);
    ours.set_width(0);
    std::map<std::string, int> routes;
    for (std::size_t q = 0; q < few; ++q) ++routes[ours.plan(sets.queries.at(q)).route];
    const auto most = std::max_element(routes.begin(), routes.end(),
                                       [](const auto& a, const auto& b) { return a.second < b.second; });
    std::vector<double> rates;
    Point point;
    for (int round = 0; round < 5; ++round) {
      point = measure(ours, sets.queries, truth, {});
      rates.push_back(point.rate);
    }
    const double rate = median(rates);
    report.add(fmt::format("{}, {} ({:.4f}, at least {})", one.name, most->first, point.recall, point.fewest),
               "queries", rate, "1/s");
    for (const auto& peer : peers) {
      if (const auto width = width_for(*peer, sets.queries, truth, one.passes, 0.99, few)) {
        peer->set_width(*width);
        const Point theirs = measure(*peer, sets.queries, truth, one.passes, few);
        report.add(
            fmt::format("{} against {} (ef {}, {:.4f})", one.name, peer->name(), *width, theirs.recall),
            "queries", rate, "1/s", theirs.rate, rate / theirs.rate);
      } else {
        report.add(fmt::format("{} against {}: never reaches .99", one.name, peer->name()), "queries", rate,
                   "1/s");
      }
    }
    report.print();
  }
  ours.set_filter("");
}

std::vector<FilterCase> filter_cases(const VectorSets& sets) {
  std::vector<FilterCase> cases;
  for (const double share : {0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.001}) {
    cases.push_back({fmt::format("{:g} % independent", share * 100), fmt::format("i{:g}", share * 1000),
                     [share](std::uint32_t row) {
                       const std::uint64_t mixed = (row + 1) * 0x9e37'79b9'7f4a'7c15ULL;
                       return static_cast<double>(mixed >> 40) < share * 0x1p24;
                     }});
  }
  for (const double share : {0.5, 0.1, 0.02}) {
    // Whole clusters pass, so that most queries lie far from every match.
    cases.push_back({fmt::format("{:g} % by cluster", share * 100), fmt::format("c{:g}", share * 1000),
                     [share, &sets](std::uint32_t row) {
                       const std::uint64_t mixed = (sets.rows.centre[row] + 7) * 0x9e37'79b9'7f4a'7c15ULL;
                       return static_cast<double>(mixed >> 40) < share * 0x1p24;
                     }});
  }
  return cases;
}

void run(const Settings& settings) {
  Report report(fmt::format("vectors: {} × {}", settings.rows, settings.dimension), settings.json);
  const VectorSets sets = clustered_vectors(settings.rows, settings.queries, settings.dimension);
  const Truth truth = exact_neighbours(sets, nearest_wanted, [](std::uint32_t) { return true; });
  std::vector<FilterCase> cases;
  if (settings.filters) cases = filter_cases(sets);

  OurIndex ours({.dimension = settings.dimension,
                 .m = static_cast<int>(settings.m),
                 .ef_construction = static_cast<int>(settings.ef_construction)},
                [&cases](std::uint32_t row) {
                  std::string fields;
                  for (const FilterCase& one : cases) {
                    if (one.passes(row)) fields += (fields.empty() ? "\"" : ",\"") + one.field + "\":true";
                  }
                  return Json::parse("{" + fields + "}");
                });
  const auto started = Steady::now();
  ours.put(sets.rows, 0, sets.rows.size());
  report.add("put, without the graph", "time", seconds_since(started), "s");
  ours.index.optimize();
  const double build_seconds = seconds_since(started);
  std::vector<std::unique_ptr<VectorPeer>> peers;
  peers.push_back(hnswlib_peer(settings.m, settings.ef_construction));
  if (settings.faiss) peers.push_back(packaged_faiss_peer(settings.m, settings.ef_construction));
  for (const auto& peer : peers) {
    const auto begin = Steady::now();
    peer->build(sets.rows);
    const double seconds = seconds_since(begin);
    report.add(fmt::format("build against {}", peer->name()), "time", build_seconds, "s", seconds,
               build_seconds / seconds);
    report.add(fmt::format("memory against {}", peer->name()), "size",
               static_cast<double>(ours.bytes()) / 1e6, "MB", static_cast<double>(peer->bytes()) / 1e6,
               static_cast<double>(ours.bytes()) / static_cast<double>(peer->bytes()));
    // Those are read from files after save(), and so seldom that the system may let them go.
    const auto held = static_cast<double>(ours.bytes() - sets.rows.values.size() * sizeof(float));
    report.add(fmt::format("memory but for the vectors in full against {}", peer->name()), "size", held / 1e6,
               "MB", static_cast<double>(peer->bytes()) / 1e6, held / static_cast<double>(peer->bytes()));
  }
  ours.set_width(0);
  const Point calibrated = measure(ours, sets.queries, truth, {});
  report.add(fmt::format("as calibrated (ef {}, {:.4f})", ours.index.stats().ef_search, calibrated.recall),
             "queries", calibrated.rate, "1/s");
  unfiltered(report, ours, peers, sets, truth);
  report.print();
  if (settings.filters) filtered(report, ours, peers, sets, cases);
}

}  // namespace

int main(int argc, char** argv) {
  Settings settings;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    const auto number = [&](std::size_t& target) {
      if (i + 1 < argc) target = std::strtoul(argv[++i], nullptr, 10);
    };
    if (argument == "--rows") {
      number(settings.rows);
    } else if (argument == "--dimension") {
      number(settings.dimension);
    } else if (argument == "--queries") {
      number(settings.queries);
    } else if (argument == "--m") {
      number(settings.m);
    } else if (argument == "--ef-construction") {
      number(settings.ef_construction);
    } else if (argument == "--no-filters") {
      settings.filters = false;
    } else if (argument == "--no-faiss") {
      settings.faiss = false;
    } else if (argument == "--json") {
      settings.json = true;
    } else {
      std::cerr << "usage: vectors [--rows N] [--dimension N] [--queries N] [--m N] [--ef-construction N] "
                   "[--no-filters] [--no-faiss] [--json]\n";
      return 2;
    }
  }
  try {
    run(settings);
  } catch (const std::exception& error) {
    std::cerr << "vectors: " << error.what() << '\n';
    return 1;
  }
}
