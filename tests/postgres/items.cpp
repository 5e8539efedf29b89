// Both engines get the same random calls about items, and have to answer each as a plain list of them would.
#include <catch2/catch.hpp>

#include <algorithm>
#include <map>
#include <random>

#include "support/effort.hpp"
#include "support/postgres_server.hpp"
#include "support/samples.hpp"

using namespace actionhist;
using namespace actionhist::test;

namespace {

class Differential {
 public:
  Differential()
      : embedded_(open("memory:", {.tenant = "t", .semantic = false, .clock = clock_})),
        server_(open(fresh_database(shared_server()), {.tenant = "t", .semantic = false, .clock = clock_})) {}

  void step() {
    clock_.advance(std::chrono::milliseconds(below(4) * 700));
    switch (below(6)) {
      case 0:
      case 1: return put();
      case 2: return namespaces();
      default: return search();
    }
  }

  int found = 0;

 private:
  int below(int n) { return static_cast<int>(random_() % static_cast<unsigned>(n)); }

  Namespace labels() {
    Namespace labels{below(3) > 0 ? "users" : "docs"};
    for (int i = below(3); i > 0; --i) labels.push_back("u-" + std::to_string(below(4)));
    return labels;
  }

  void put() {
    std::vector<ItemChange> changes(1 + static_cast<std::size_t>(below(4)));
    for (ItemChange& change : changes) {
      change.namespace_ = labels();
      change.key = std::to_string(below(12));
      if (below(5) > 0)
        change.value = Json::object({{"n", below(5)}, {"of", Json::object({{"kind", below(2)}})}});
      if (below(3) == 0) change.ttl = std::chrono::seconds(1 + below(20));
      kept_.erase({change.namespace_, change.key});
      if (change.value.absent()) continue;
      const auto ends = change.ttl ? std::optional(clock_() + *change.ttl) : std::nullopt;
      kept_[{change.namespace_, change.key}] = {change.value, clock_(), ends};
    }
    embedded_.items().put(changes);
    server_.items().put(changes);
  }

  void search() {
    ItemQuery query{.limit = 1 + below(8), .offset = below(3), .renew = false};
    if (below(3) > 0) query.under = labels();
    const int n = below(5), kind = below(2);
    const bool filtered = below(2) == 0;
    if (filtered) query.where = Json::object({{"n", Json::object({{"$gte", n}})}, {"of.kind", kind}});
    std::vector<std::pair<ItemKey, TimePoint>> wanted;
    for (const auto& [key, kept] : kept_) {
      const bool below = query.under.size() <= key.namespace_.size() &&
                         std::equal(query.under.begin(), query.under.end(), key.namespace_.begin());
      const std::string text = kept.value.text();
      const bool passes = text.find(R"("kind":)" + std::to_string(kind)) != text.npos && text[5] - '0' >= n;
      if (below && alive(kept) && (!filtered || passes)) wanted.emplace_back(key, kept.written);
    }
    std::ranges::stable_sort(wanted, std::greater<>(), &std::pair<ItemKey, TimePoint>::second);
    const auto begin = std::min(static_cast<std::size_t>(query.offset), wanted.size());
    const auto end = std::min(begin + static_cast<std::size_t>(query.limit), wanted.size());
    std::vector<ItemKey> keys;
    for (std::size_t i = begin; i < end; ++i) keys.push_back(wanted[i].first);
    const std::vector<Item> ours = embedded_.items().search(query);
    REQUIRE(std::vector<ItemKey>(ours.begin(), ours.end()) == keys);
    REQUIRE(server_.items().search(query) == ours);
    found += static_cast<int>(ours.size());
  }

  void namespaces() {
    NamespaceQuery query;
    if (below(2) == 0) query.prefix = labels();
    std::vector<Namespace> wanted;
    for (const auto& [key, kept] : kept_) {
      const bool below = query.prefix.size() <= key.namespace_.size() &&
                         std::equal(query.prefix.begin(), query.prefix.end(), key.namespace_.begin());
      if (below && alive(kept) && (wanted.empty() || wanted.back() != key.namespace_))
        wanted.push_back(key.namespace_);
    }
    REQUIRE(embedded_.items().namespaces(query) == wanted);
    REQUIRE(server_.items().namespaces(query) == wanted);
  }

  struct Kept {
    Json value;
    TimePoint written{};
    std::optional<TimePoint> ends;
  };
  bool alive(const Kept& kept) const { return !kept.ends || *kept.ends > clock_(); }

  std::mt19937 random_{7};
  FixedClock clock_;
  History embedded_;
  History server_;
  std::map<ItemKey, Kept> kept_;
};

}  // namespace

TEST_CASE("both engines answer random calls about items as a plain list would", "[postgres][differential]") {
  Differential run;
  for (int i = 0; i < effort(600); ++i) run.step();
  CHECK(run.found > effort(600) / 4);
}
