// PostgreSQL servers under Patroni, which makes a standby the primary when the primary is gone, with etcd as
// its memory. Replication is synchronous. Used by one thread at a time.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "support/service.hpp"

namespace actionhist::test {

class PatroniCluster {
 public:
  // Waits until there are a primary and a synchronous standby. Throws std::runtime_error if that takes minutes.
  explicit PatroniCluster(int nodes = 2);
  PatroniCluster(const PatroniCluster&) = delete;
  PatroniCluster& operator=(const PatroniCluster&) = delete;

  // All nodes, as the superuser.
  std::string uri(std::string_view database = "postgres") const;
  // Runs statements on the primary and returns the first column of the last one's first row.
  std::string run_sql(std::string_view sql) const;

  // The node that takes writes now, if one does.
  std::optional<int> primary() const;
  // Ends a node with all its processes, as a power failure would.
  void kill_node(int node);
  void start_node(int node);
  std::string log() const;

 private:
  std::string node_uri(int node) const;
  void write_configuration(int node) const;

  ServiceFolder folder_;
  int etcd_port_;
  std::vector<int> ports_;
  std::vector<int> rest_ports_;
  std::unique_ptr<Service> etcd_;
  std::vector<std::unique_ptr<Service>> nodes_;
};

}  // namespace actionhist::test
