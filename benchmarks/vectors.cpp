// The vector index against others in one run, one thread: queries a second at a recall of the ten nearest,
// build time, memory, and the same under filters that are independent of the vectors or follow their clusters.
// Usage: vectors [--rows N] [--dimension N] [--queries N] [--m N] [--ef-construction N] [--no-filters]
//                [--no-faiss] [--json]; --peers as the first of all: against those of PyPI, vectors.py
#include <algorithm>
#include <chrono>
#include <cmath>
#include <iostream>
#include <map>
#include <optional>
#include <set>

#include <fmt/format.h>

#include <actionhist/semantic_index.hpp>

#include "report.hpp"
#include "vector_peers.hpp"
#include "vector_sets.hpp"

namespace {

using namespace actionhist;
using namespace actionhist::benchmark;
using Clock = std::chrono::steady_clock;
using Truth = std::vector<std::vector<std::uint32_t>>;
using Passes = std::function<bool(std::uint32_t)>;

constexpr std::size_t nearest_wanted = 10;

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

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

class Ours final : public VectorPeer {
 public:
  Ours(const Settings& settings, std::vector<FilterCase> filters)
      : filters_(std::move(filters)),
        index_({.dimension = settings.dimension,
                .m = static_cast<int>(settings.m),
                .ef_construction = static_cast<int>(settings.ef_construction)}) {}
  const char* name() const override { return "ours"; }

  void build(const VectorSet& rows) override {
    std::vector<IndexRow> batch;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      std::string fields;
      for (const FilterCase& one : filters_) {
        if (one.passes(static_cast<std::uint32_t>(i)))
          fields += (fields.empty() ? "\"" : ",\"") + one.field + "\":true";
      }
      batch.push_back({std::to_string(i), {}, {rows.at(i), rows.dimension}, Json::parse("{" + fields + "}")});
    }
    const auto begin = Clock::now();
    index_.put(batch);
    put_seconds = seconds_since(begin);
    index_.optimize();
    build_seconds = seconds_since(begin);
    dimension_ = rows.dimension;
  }
  void set_width(std::size_t ef) override { width_ = ef; }
  void set_filter(const std::string& field) {
    where_ = field.empty() ? Json() : Json::object({{field, true}});
  }
  std::vector<std::uint32_t> search(const float* query, std::size_t count, const Passes&) override {
    IndexQuery wanted;
    wanted.vector = {query, dimension_};
    wanted.limit = static_cast<int>(count);
    wanted.ef_search = static_cast<int>(width_);
    wanted.where = where_;
    std::vector<std::uint32_t> out;
    for (const IndexHit& hit : index_.search(wanted))
      out.push_back(static_cast<std::uint32_t>(std::strtoul(hit.id.c_str(), nullptr, 10)));
    return out;
  }
  SearchPlan plan(const float* query) {
    IndexQuery wanted;
    wanted.vector = {query, dimension_};
    wanted.where = where_;
    return index_.explain(wanted);
  }
  std::size_t bytes() const override { return index_.stats().bytes; }
  int calibrated_width() const { return index_.stats().ef_search; }

  double put_seconds = 0;
  double build_seconds = 0;

 private:
  std::vector<FilterCase> filters_;
  SemanticIndex index_;
  std::size_t dimension_ = 0;
  std::size_t width_ = 0;
  Json where_;
};

struct Point {
  double recall = 0;
  double rate = 0;  // queries a second
  std::size_t fewest = 0;
};

Point measure(VectorPeer& peer, const VectorSet& queries, const Truth& truth, const Passes& passes,
              std::size_t limit = 1'000'000) {
  Point point;
  point.fewest = nearest_wanted;
  double found = 0;
  double owed = 0;
  const std::size_t count = std::min(limit, queries.size());
  const auto begin = Clock::now();
  std::vector<std::vector<std::uint32_t>> answers;
  for (std::size_t q = 0; q < count; ++q)
    answers.push_back(peer.search(queries.at(q), nearest_wanted, passes));
  point.rate = static_cast<double>(count) / seconds_since(begin);
  for (std::size_t q = 0; q < count; ++q) {
    const std::set<std::uint32_t> got(answers[q].begin(), answers[q].end());
    for (const std::uint32_t row : truth[q]) found += static_cast<double>(got.count(row));
    owed += static_cast<double>(truth[q].size());
    if (truth[q].size() == nearest_wanted) point.fewest = std::min(point.fewest, answers[q].size());
  }
  point.recall = owed > 0 ? found / owed : 1;
  return point;
}

constexpr std::size_t widths[] = {10,  14,  18,  24,  32,  40,  52,  64,  80,  100,
                                  128, 160, 200, 256, 320, 400, 512, 640, 800, 1024};

// The narrowest width that reaches the recall, and the median rate of rounds there.
std::optional<std::size_t> width_for(VectorPeer& peer, const VectorSet& queries, const Truth& truth,
                                     const Passes& passes, double recall, std::size_t limit) {
  for (const std::size_t width : widths) {
    peer.set_width(width);
    if (measure(peer, queries, truth, passes, limit).recall >= recall) return width;
  }
  return std::nullopt;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void unfiltered(Report& report, Ours& ours, const std::vector<std::unique_ptr<VectorPeer>>& peers,
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

void filtered(Report& report, Ours& ours, const std::vector<std::unique_ptr<VectorPeer>>& peers,
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

  Ours ours(settings, cases);
  ours.build(sets.rows);
  report.add("put, without the graph", "time", ours.put_seconds, "s");
  std::vector<std::unique_ptr<VectorPeer>> peers;
  peers.push_back(hnswlib_peer(settings.m, settings.ef_construction));
  if (settings.faiss) peers.push_back(packaged_faiss_peer(settings.m, settings.ef_construction));
  for (const auto& peer : peers) {
    const auto begin = Clock::now();
    peer->build(sets.rows);
    const double seconds = seconds_since(begin);
    report.add(fmt::format("build against {}", peer->name()), "time", ours.build_seconds, "s", seconds,
               ours.build_seconds / seconds);
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
  report.add(fmt::format("as calibrated (ef {}, {:.4f})", ours.calibrated_width(), calibrated.recall),
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
