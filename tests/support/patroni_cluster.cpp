#include "support/patroni_cluster.hpp"

#include <csignal>
#include <fstream>
#include <stdexcept>

#include <fmt/format.h>
#include <libpq-fe.h>

namespace actionhist::test {
namespace {

const std::string service_user = "postgres";
constexpr std::string_view password = "patroni-password";
constexpr std::chrono::minutes patience{3};

// Patroni lets its PostgreSQL go to live on without it. This ends both together: orphans come to the process
// that calls itself their reaper, which ends when the test does.
constexpr std::string_view keeper = R"python(
import ctypes, os, signal, subprocess, sys

def children():
    found = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            stat = open(f"/proc/{name}/stat").read()
        except OSError:
            continue
        found.setdefault(int(stat[stat.rindex(")") + 4:].split()[0]), []).append(int(name))
    return found

def end(*_):
    by_parent, line = children(), [os.getpid()]
    for pid in line:
        line.extend(by_parent.get(pid, []))
    for pid in line[1:]:
        try:
            os.kill(pid, signal.SIGKILL)
        except OSError:
            pass
    os._exit(0)

ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER
signal.signal(signal.SIGTERM, end)
command = subprocess.Popen(sys.argv[1:])
while os.wait()[0] != command.pid:
    pass
end()
)python";

std::string quoted_member(std::string_view name, const std::string& value) {
  return fmt::format("{}: '{}'\n", name, value);
}

}  // namespace

PatroniCluster::PatroniCluster(int nodes) : folder_(service_user), etcd_port_(free_port()) {
  const auto etcd_url = [](int port) { return fmt::format("http://127.0.0.1:{}", port); };
  const int peer_port = free_port();
  etcd_ = std::make_unique<Service>(
      ServiceSetup{.command = {"/usr/bin/etcd", "--data-dir", folder_.file("etcd"), "--listen-client-urls",
                               etcd_url(etcd_port_), "--advertise-client-urls", etcd_url(etcd_port_),
                               "--listen-peer-urls", etcd_url(peer_port), "--initial-advertise-peer-urls",
                               etcd_url(peer_port), "--initial-cluster", "default=" + etcd_url(peer_port)},
                   .user = service_user,
                   .log = folder_.file("etcd.log"),
                   .stop_signal = SIGKILL});
  nodes_.resize(static_cast<std::size_t>(nodes));
  for (int node = 0; node < nodes; ++node) {
    ports_.push_back(free_port());
    rest_ports_.push_back(free_port());
    write_configuration(node);
    start_node(node);
  }
  const bool ready = wait_until(
      [&] {
        if (!primary()) return false;
        try {
          return run_sql("SELECT count(*) FROM pg_stat_replication WHERE sync_state IN ('sync', 'quorum')") !=
                 "0";
        } catch (const std::runtime_error&) {
          return false;
        }
      },
      patience);
  if (!ready) throw std::runtime_error("the cluster does not come up: " + log());
}

void PatroniCluster::write_configuration(int node) const {
  const auto at = static_cast<std::size_t>(node);
  const std::string name = fmt::format("node{}", node);
  std::string text;
  text += quoted_member("scope", "test") + quoted_member("name", name);
  text += fmt::format("restapi:\n  listen: '127.0.0.1:{0}'\n  connect_address: '127.0.0.1:{0}'\n",
                      rest_ports_[at]);
  text += fmt::format("etcd3:\n  host: '127.0.0.1:{}'\n", etcd_port_);
  // As quick as Patroni can be and still be patient with a busy machine.
  text +=
      "bootstrap:\n  dcs:\n    ttl: 20\n    loop_wait: 1\n    retry_timeout: 8\n    synchronous_mode: true\n"
      "    postgresql:\n      use_pg_rewind: true\n      parameters:\n        wal_log_hints: 'on'\n"
      "        max_connections: 100\n"
      "  initdb:\n    - encoding: UTF8\n    - locale: C.UTF-8\n    - no-sync\n";
  text += fmt::format(
      "postgresql:\n  listen: '127.0.0.1:{0}'\n  connect_address: '127.0.0.1:{0}'\n  data_dir: '{1}'\n"
      "  bin_dir: /usr/lib/postgresql/15/bin\n  pgpass: '{2}'\n"
      "  pg_hba:\n    - local all all trust\n    - host all all 127.0.0.1/32 scram-sha-256\n"
      "    - host replication all 127.0.0.1/32 scram-sha-256\n"
      "  parameters:\n    unix_socket_directories: '{3}'\n    shared_buffers: 32MB\n"
      "    dynamic_shared_memory_type: mmap\n"
      "  authentication:\n    superuser: {{username: postgres, password: '{4}'}}\n"
      "    replication: {{username: replicator, password: '{4}'}}\n"
      "    rewind: {{username: rewinder, password: '{4}'}}\n",
      ports_[at], folder_.file(name), folder_.file(name + ".pgpass"), folder_.path(), password);
  std::ofstream out(folder_.file(name + ".yml"));
  out << text;
  if (!out.flush()) throw std::runtime_error("cannot write the configuration of " + name);
}

void PatroniCluster::start_node(int node) {
  const std::string name = fmt::format("node{}", node);
  nodes_[static_cast<std::size_t>(node)] =
      std::make_unique<Service>(ServiceSetup{.command = {"/usr/bin/python3", "-c", std::string(keeper),
                                                         "/usr/bin/patroni", folder_.file(name + ".yml")},
                                             .user = service_user,
                                             .log = folder_.file(name + ".log"),
                                             .stop_signal = SIGTERM});
}

void PatroniCluster::kill_node(int node) { nodes_[static_cast<std::size_t>(node)]->kill_all(); }

std::string PatroniCluster::node_uri(int node) const {
  return fmt::format("postgresql://postgres:{}@127.0.0.1:{}/postgres?connect_timeout=2", password,
                     ports_[static_cast<std::size_t>(node)]);
}

std::string PatroniCluster::uri(std::string_view database) const {
  std::string hosts;
  for (const int port : ports_) hosts += fmt::format("{}127.0.0.1:{}", hosts.empty() ? "" : ",", port);
  return fmt::format("postgresql://postgres:{}@{}/{}", password, hosts, database);
}

std::optional<int> PatroniCluster::primary() const {
  for (int node = 0; node < static_cast<int>(nodes_.size()); ++node) {
    const std::unique_ptr<PGconn, decltype(&PQfinish)> connection(
        PQconnectdb((node_uri(node) + "&target_session_attrs=read-write").c_str()), PQfinish);
    if (PQstatus(connection.get()) == CONNECTION_OK) return node;
  }
  return std::nullopt;
}

std::string PatroniCluster::run_sql(std::string_view sql) const {
  const std::unique_ptr<PGconn, decltype(&PQfinish)> connection(
      PQconnectdb((uri() + "?target_session_attrs=read-write&connect_timeout=5").c_str()), PQfinish);
  const std::unique_ptr<PGresult, decltype(&PQclear)> result(
      PQexec(connection.get(), std::string(sql).c_str()), PQclear);
  const ExecStatusType status = PQresultStatus(result.get());
  if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
    throw std::runtime_error(PQerrorMessage(connection.get()));
  }
  return PQntuples(result.get()) > 0 ? PQgetvalue(result.get(), 0, 0) : "";
}

std::string PatroniCluster::log() const {
  std::string text = etcd_->output();
  for (const auto& node : nodes_) text += node->output();
  return text;
}

}  // namespace actionhist::test
