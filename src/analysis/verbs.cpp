#include "analysis/verbs.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "core/ascii.hpp"

namespace actionhist {
namespace {

template <std::size_t size>
constexpr bool sorted(const std::array<std::string_view, size>& table) {
  return std::is_sorted(table.begin(), table.end());
}

template <std::size_t size>
bool holds(const std::array<std::string_view, size>& table, std::string_view word) {
  return std::binary_search(table.begin(), table.end(), word);
}

// Products and protocols that stand before the verb.
constexpr auto products = std::to_array<std::string_view>(
    {"argo", "argocd", "aws",       "az",   "azure",      "docker", "functions", "gcloud",     "gcp",
     "git",  "github", "grafana",   "helm", "holmes",     "k8s",    "kubectl",   "kubernetes", "loki",
     "mcp",  "oc",     "openshift", "prom", "prometheus", "server", "terraform", "tool",       "tools"});

// Verbs that only carry another: "execute_prometheus_instant_query" queries.
constexpr auto carriers = std::to_array<std::string_view>(
    {"call", "do", "exec", "execute", "invoke", "make", "perform", "run", "use"});

// Words of investigation. Some are nouns that name a report: events, logs, requests.
constexpr auto read_words = std::to_array<std::string_view>(
    {"analyse",  "analyze", "browse",    "calculate", "cat",        "check",       "compare",  "count",
     "describe", "details", "diagnose",  "diff",      "dump",       "estimate",    "evaluate", "events",
     "exists",   "explain", "fetch",     "find",      "get",        "glob",        "grep",     "head",
     "health",   "history", "info",      "inspect",   "inspection", "investigate", "list",     "log",
     "logs",     "lookup",  "ls",        "metrics",   "monitor",    "observe",     "ping",     "plan",
     "preview",  "print",   "probe",     "ps",        "query",      "read",        "report",   "requests",
     "retrieve", "rg",      "scan",      "scroll",    "search",     "show",        "sleep",    "stat",
     "stats",    "status",  "summarize", "summary",   "tail",       "think",       "thought",  "todo",
     "todos",    "top",     "validate",  "verify",    "version",    "view",        "wait",     "watch"});

// Verbs that win over a word of investigation elsewhere in the name, or after "and": find_and_replace.
constexpr auto write_words = std::to_array<std::string_view>(
    {"add",        "adjust",  "allow",     "annotate", "apply",     "approve",  "assign",  "attach",
     "bash",       "block",   "book",      "bounce",   "cancel",    "change",   "clean",   "cleanup",
     "clear",      "close",   "commit",    "copy",     "cordon",    "create",   "debug",   "decrease",
     "delete",     "deploy",  "destroy",   "detach",   "disable",   "drain",    "edit",    "enable",
     "escalate",   "evict",   "expand",    "fix",      "flush",     "grant",    "grow",    "increase",
     "insert",     "install", "kill",      "label",    "merge",     "migrate",  "modify",  "move",
     "notify",     "patch",   "pause",     "post",     "provision", "purge",    "push",    "put",
     "quarantine", "reboot",  "recreate",  "reduce",   "refresh",   "relax",    "remove",  "rename",
     "replace",    "reset",   "resize",    "restart",  "restore",   "resume",   "revert",  "revoke",
     "rollback",   "rotate",  "scale",     "send",     "set",       "shrink",   "start",   "stop",
     "submit",     "suspend", "sync",      "taint",    "terminate", "transfer", "trigger", "tune",
     "uncordon",   "undo",    "uninstall", "update",   "upgrade",   "write"});

constexpr auto ups =
    std::to_array<std::string_view>({"enlarge", "expand", "grow", "increase", "raise", "upscale", "upsize"});
constexpr auto downs =
    std::to_array<std::string_view>({"decrease", "downscale", "downsize", "lower", "reduce", "shrink"});
constexpr auto scale_verbs = std::to_array<std::string_view>(
    {"autoscale", "downscale", "rescale", "scale", "scaled", "scaling", "upscale"});
// Of a group: making or taking one of them is scaling the group.
constexpr auto makes = std::to_array<std::string_view>({"add", "create", "launch", "provision"});
constexpr auto takes = std::to_array<std::string_view>({"delete", "deprovision", "remove", "terminate"});
constexpr auto members = std::to_array<std::string_view>(
    {"capacity", "instance", "instances", "node", "nodes", "replica", "replicas", "worker", "workers"});
constexpr auto units =
    std::to_array<std::string_view>({"capacity", "instance", "instances", "node", "nodegroup", "nodepool",
                                     "nodes", "pod", "pods", "replica", "replicas", "worker", "workers"});
constexpr auto amounts =
    std::to_array<std::string_view>({"bandwidth", "cpu", "heap", "iops", "limit", "limits", "mem", "memory",
                                     "quota", "request", "requests", "resource", "resources"});
constexpr auto stores = std::to_array<std::string_view>({"disk", "pvc", "storage", "volume"});

constexpr auto replicas = std::to_array<std::string_view>({"capacity", "replica", "replicas"});
constexpr auto changes =
    std::to_array<std::string_view>({"adjust", "change", "patch", "set", "tune", "update"});

constexpr auto disruptions =
    std::to_array<std::string_view>({"bounce", "delete", "destroy", "drain", "evict", "eviction", "kill",
                                     "reboot", "recreate", "resize", "restart", "stop", "terminate"});

// What waits for something, and what tells how far something has come.
constexpr auto polls =
    std::to_array<std::string_view>({"await", "health", "healthcheck", "heartbeat", "ping", "poll", "probe",
                                     "progress", "sleep", "wait", "watch"});
constexpr auto polled =
    std::to_array<std::string_view>({"build", "deployment", "execution", "job", "operation", "pipeline",
                                     "rollout", "run", "sync", "task", "workflow"});

static_assert(sorted(polls) && sorted(polled));
static_assert(sorted(products) && sorted(carriers) && sorted(read_words) && sorted(write_words));
static_assert(sorted(makes) && sorted(takes) && sorted(members));
static_assert(sorted(ups) && sorted(downs) && sorted(scale_verbs) && sorted(units) && sorted(amounts));
static_assert(sorted(stores) && sorted(replicas) && sorted(changes) && sorted(disruptions));

// Other verbs of one family.
constexpr auto families = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"bounce", "restart"},   {"cordon", "cordon"},     {"delete", "delete"},   {"deploy", "deploy"},
    {"destroy", "delete"},   {"drain", "drain"},       {"evict", "evict"},     {"eviction", "evict"},
    {"install", "deploy"},   {"kill", "delete"},       {"migrate", "migrate"}, {"reboot", "restart"},
    {"recreate", "restart"}, {"restart", "restart"},   {"revert", "rollback"}, {"rollback", "rollback"},
    {"terminate", "delete"}, {"uncordon", "uncordon"}, {"undo", "rollback"},   {"upgrade", "deploy"},
});

constexpr auto operations =
    std::to_array<std::string_view>({"cordon", "drain", "evict", "migrate", "resources", "restart",
                                     "rollback", "scale", "storage", "uncordon"});
static_assert(sorted(operations));

bool lower(char c) { return c >= 'a' && c <= 'z'; }
bool alnum(char c) {
  return is_ascii_upper(c) || lower(c) || (c >= '0' && c <= '9') || static_cast<signed char>(c) < 0;
}

// The words of a name in lower case: kubectl-delete, KubectlDelete and kubectl.delete give the same two.
class Words {
 public:
  explicit Words(std::string_view name) {
    text_.reserve(name.size());
    ends_.reserve(8);
    for (std::size_t i = 0; i < name.size(); ++i) {
      const char c = name[i];
      if (!alnum(c)) {
        end_word();
        continue;
      }
      // A word begins at the capital of aB, and at the last capital of ABc.
      const bool after_lower = i > 0 && !is_ascii_upper(name[i - 1]);
      const bool before_lower = i + 1 < name.size() && lower(name[i + 1]);
      if (is_ascii_upper(c) && (after_lower || before_lower)) end_word();
      text_ += ascii_lower(c);
    }
    end_word();
    words_.reserve(ends_.size());
    std::size_t begin = 0;
    for (const std::size_t end : ends_) {
      words_.push_back(std::string_view(text_).substr(begin, end - begin));
      begin = end;
    }
    // The agent's own word for a call says nothing about it: FileReadAction.
    if (words_.size() > 1 && words_.back() == "action") words_.pop_back();
  }
  Words(const Words&) = delete;
  Words& operator=(const Words&) = delete;

  std::size_t size() const { return words_.size(); }
  std::string_view operator[](std::size_t i) const { return i < words_.size() ? words_[i] : ""; }
  auto begin() const { return words_.begin(); }
  auto end() const { return words_.end(); }

  template <std::size_t size>
  bool any(const std::array<std::string_view, size>& table, std::size_t from = 0) const {
    for (std::size_t i = from; i < words_.size(); ++i) {
      if (holds(table, words_[i])) return true;
    }
    return false;
  }

  bool has(std::string_view word) const { return std::ranges::find(words_, word) != words_.end(); }

  // The first word that is no product's name, unless all are.
  std::size_t verb(std::size_t from = 0) const {
    std::size_t i = from;
    while (i + 1 < words_.size() && holds(products, words_[i])) ++i;
    return i;
  }

 private:
  void end_word() {
    if (text_.size() > (ends_.empty() ? 0 : ends_.back())) ends_.push_back(text_.size());
  }

  std::string text_;
  std::vector<std::size_t> ends_;
  std::vector<std::string_view> words_;
};

int direction_of(const Words& words) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string_view word = words[i];
    if (holds(ups, word)) return 1;
    if (holds(downs, word)) return -1;
    if (holds(makes, word) && words.any(members, i + 1)) return 1;
    if (holds(takes, word) && words.any(members, i + 1)) return -1;
    if (!holds(scale_verbs, word) && word != "resize" && word != "size") continue;
    // "in" and "out" mean a direction only right after the verb: scale_in, not scale_deployment_in_prod.
    if (words[i + 1] == "out") return 1;
    if (words[i + 1] == "in") return -1;
    for (std::size_t j = i + 1; j < words.size(); ++j) {
      if (words[j] == "up") return 1;
      if (words[j] == "down") return -1;
    }
  }
  return 0;
}

bool read_only(const Words& words) {
  std::size_t first = words.verb();
  if (holds(carriers, words[first])) {
    first = words.verb(first + 1);
    return words.any(read_words, first) && !words.any(write_words, first);
  }
  // Notes that an agent keeps for itself change nothing, however they are written.
  if (words[first] == "todo" || words[first] == "todos") return true;
  if (holds(read_words, words[first])) {
    for (std::size_t i = first + 1; i < words.size(); ++i) {
      const bool joined = words[i] == "and" || words[i] == "or" || words[i] == "then";
      if (joined && holds(write_words, words[i + 1])) return false;
    }
    return true;
  }
  return words.any(read_words, first) && !words.any(write_words, first) && !words.any(carriers, first);
}

}  // namespace

Effect effect_of(std::string_view action_type) {
  return read_only(Words(action_type)) ? Effect::read_only : Effect::mutating;
}

int direction_of(std::string_view action_type) { return direction_of(Words(action_type)); }

bool polling(std::string_view action_type) {
  const Words words(action_type);
  return words.any(polls) || (words.has("status") && words.any(polled));
}

bool disruptive(std::string_view action_type) { return Words(action_type).any(disruptions); }

std::string plain_type(std::string_view action_type) {
  std::string text;
  for (const std::string_view word : Words(action_type)) {
    if (!text.empty()) text += '_';
    text += word;
  }
  return text;
}

std::string family(std::string_view action_type) {
  const Words words(action_type);
  const bool resized = direction_of(words) != 0 || words.any(scale_verbs) || words.has("resize");
  const bool changed = resized || words.any(changes);
  if (words.any(replicas) && changed) return "scale";
  if (!words.any(units) && changed) {
    if (words.any(stores)) return "storage";
    if (words.any(amounts)) return "resources";
  }
  if (resized) return words.has("resize") && !words.any(units) ? "resources" : "scale";
  for (const std::string_view word : words) {
    const auto found =
        std::ranges::find(families, word, &std::pair<std::string_view, std::string_view>::first);
    if (found != families.end()) return std::string(found->second);
  }
  return plain_type(action_type);
}

bool operational(std::string_view family) { return holds(operations, family); }

}  // namespace actionhist
