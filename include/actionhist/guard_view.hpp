// What a proposal asks of the storage, and what it is decided on. Plain values, used by one thread at a time.
#pragma once

#include <chrono>
#include <compare>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <actionhist/action.hpp>
#include <actionhist/alert.hpp>
#include <actionhist/detection.hpp>
#include <actionhist/pattern.hpp>
#include <actionhist/recent_trace.hpp>
#include <actionhist/time.hpp>

namespace actionhist {

// What a proposal locks and reads: all recent actions on one resource, of one correlation, or of one
// session.
enum class ScopeKind { resource, correlation, session };

struct Scope {
  ScopeKind kind = ScopeKind::resource;
  std::string key;

  friend auto operator<=>(const Scope&, const Scope&) = default;
};

std::string to_string(const Scope& scope);  // "resource:4f1c…"

struct EarlierAlertQuery;
struct GuardView;

// What a proposal asks of the storage.
struct GuardQuestion {
  std::string action_id;
  std::vector<Scope> scopes;
  TimePoint now{};
  std::chrono::microseconds window{};  // how far back actions are read
  std::chrono::microseconds alerts{};  // how far back alerts are read
  int max_traces = 0;                  // of each scope, as ActionStore::judged says
  // How far back, to know what is usual: alerts that fired before those that are read, if there are any and recent
  // actions too, and the actions of a busy resource.
  std::chrono::microseconds baseline{};
  Alert answered = {};  // by the action: fingerprint, severity and its namespace
  std::chrono::microseconds busy_span{};
  int busy_actions = 0;

  // Whether the scope is a resource with so many actions in the last busy_span. REQUIRES: they are by time.
  bool busy(const Scope& scope, std::span<const RecentTrace> recent) const;
  // Whether earlier alerts count beside what was read already, and what to ask of them then.
  bool asks_earlier(const GuardView& view) const;
  EarlierAlertQuery earlier(const GuardView& view) const;
};

// Rows that several answers may share; they live as long as any of these.
template <class Row>
class SharedRows : public std::span<const Row> {
 public:
  SharedRows() = default;
  explicit SharedRows(std::vector<Row> rows)
      : SharedRows(std::make_shared<const std::vector<Row>>(std::move(rows))) {}
  SharedRows(std::shared_ptr<const void> owner, std::span<const Row> rows)
      : std::span<const Row>(rows), owner_(std::move(owner)) {}

 private:
  explicit SharedRows(const std::shared_ptr<const std::vector<Row>>& rows) : SharedRows(rows, *rows) {}

  std::shared_ptr<const void> owner_;
};

// What to say of alerts that fired in [since, until): of those with these fingerprints how often, and which of these
// namespaces had a critical one.
struct EarlierAlertQuery {
  std::vector<std::string> fingerprints;
  std::vector<std::string> namespaces;
  TimePoint since{};
  TimePoint until{};
};

// The answer: all that the decision on a proposal depends on.
struct GuardView {
  std::optional<Trace> stored;  // the action itself, if its id is taken
  SharedRows<Pattern> patterns;
  std::vector<Detection> in_force;  // of the scopes, at `now`
  SharedRows<Alert> alerts;         // by time
  EarlierAlerts earlier;            // those before them that may count: in the baseline, if there are both
  GuardPolicy policy;               // of the resource among the scopes
  // Of each scope, as ActionStore::judged gives them, 5 min ahead too. Columns on which no decision depends may be
  // left out.
  std::vector<SharedRows<RecentTrace>> recent;
};

}  // namespace actionhist
