// A primary that is lost under load: Patroni makes the synchronous standby the primary, and agents go on.
#include <catch2/catch.hpp>

#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "support/acknowledged.hpp"
#include "support/patroni_cluster.hpp"
#include "support/samples.hpp"

using namespace actionhist;
using namespace actionhist::test;

namespace {

// Empty if Patroni does not get its servers up here, whatever the reason: that is no fault of ours.
std::unique_ptr<PatroniCluster> make_cluster() {
  for (int attempt = 0; attempt < 2; ++attempt) {
    try {
      return std::make_unique<PatroniCluster>();
    } catch (const std::runtime_error& error) {
      WARN(error.what());
    }
  }
  return nullptr;
}

}  // namespace

TEST_CASE(
    "a failover loses nothing that was acknowledged, stores nothing twice, and agents go on by themselves",
    "[failover]") {
  const std::unique_ptr<PatroniCluster> cluster = make_cluster();
  if (!cluster) {
    WARN("there is no cluster: not tested here");
    return;
  }
  Options options{.tenant = "t", .semantic = false};
  options.postgres.retry_for = 120s;
  History history = open(cluster->uri(), options);

  std::mutex mutex;
  std::set<std::string> acknowledged;
  std::atomic<bool> done{false};
  std::vector<std::string> errors;
  const auto count = [&] {
    std::lock_guard lock(mutex);
    return acknowledged.size();
  };
  std::vector<std::thread> agents;
  for (int agent = 0; agent < 4; ++agent) {
    agents.emplace_back([&, agent] {
      for (int i = 0; !done; ++i) {
        const std::string id = std::to_string(agent) + "-" + std::to_string(i);
        try {
          history.record(restart(id, system_now()));
          std::lock_guard lock(mutex);
          acknowledged.insert(id);
        } catch (const Error& error) {
          std::lock_guard lock(mutex);
          errors.push_back(error.what());
        }
      }
    });
  }
  REQUIRE(wait_until([&] { return count() > 200; }));
  const std::optional<int> lost = cluster->primary();
  REQUIRE(lost);
  cluster->kill_node(*lost);
  const std::size_t before = count();
  const bool resumed = wait_until([&] { return count() > before + 200; }, 3min);
  done = true;
  for (std::thread& agent : agents) agent.join();
  REQUIRE(resumed);
  CHECK(cluster->primary() != lost);
  // Retries inside the library outlast a failover: no agent has seen an error.
  CHECK(errors == std::vector<std::string>());

  check_all_there(history, acknowledged);
}
