// Reads that the stores and the guard's view share: each a call whose text is static, and how its answer is
// read. Free functions without state.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include <actionhist/repository.hpp>

#include "postgres/connection.hpp"

namespace actionhist::postgres {

// An action by its id, wherever it is. One call or two: it is in the answer to any of them. With `lock` nobody else
// changes it until the transaction ends.
void ask_action(std::vector<Call>& calls, const std::string& tenant, std::string_view action_id,
                bool lock = false);

// The same of several actions, in the order of their ids, in one call.
Call ask_actions(const std::string& tenant, std::span<const std::string> action_ids);

// REQUIRES: the result's columns are those of sql::trace_columns(), perhaps with more behind them.
std::vector<Trace> read_traces(const Result& result);

// The actions of a scope, of all or of one effect, newest first.
Call ask_recent(const std::string& tenant, const Scope& scope, TimePoint since, TimePoint until, int limit,
                std::optional<Effect> effect = {});

// The same with those columns only on which decisions depend, and what was answered, oldest first.
Call ask_judged(const std::string& tenant, const Scope& scope, TimePoint since, TimePoint until, int limit,
                std::optional<Effect> effect = {});
std::vector<RecentTrace> read_judged(const Result& result);

Call ask_policy(const std::string& tenant, std::string_view resource_id);
GuardPolicy read_policy(const Result& result);

Call ask_patterns(const std::string& tenant);
std::vector<Pattern> read_patterns(const Result& result);

// Of all scopes when none is given.
Call ask_in_force(const std::string& tenant, std::span<const Scope> scopes, TimePoint now);
std::vector<Detection> read_detections(const Result& result);

Call ask_alerts(const std::string& tenant, TimePoint since, TimePoint until);
std::vector<Alert> read_alerts(const Result& result);

// Two calls, whose results follow each other.
void ask_earlier_alerts(std::vector<Call>& calls, const std::string& tenant, const EarlierAlertQuery& query);
EarlierAlerts read_earlier_alerts(std::span<const Result> results);

// "resource:ID", … as the tables name scopes.
std::vector<std::string> names_of(std::span<const Scope> scopes);

}  // namespace actionhist::postgres
