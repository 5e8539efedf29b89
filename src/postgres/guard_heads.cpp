#include "postgres/guard_heads.hpp"

#include <algorithm>

namespace actionhist::postgres {

std::size_t GuardedHeads::place_of(std::string_view scope) const {
  return static_cast<std::size_t>(std::ranges::find(scopes, scope) - scopes.begin());
}

std::int64_t GuardedHeads::version(std::string_view scope) const {
  const std::size_t place = place_of(scope);
  return place == scopes.size() ? history.value_or(0) : versions[place];
}

void GuardedHeads::add(const Scope& scope, std::int64_t version) {
  if (scope.kind == ScopeKind::resource) {
    history = version;
    return;
  }
  insert(to_string(scope), version);
}

void GuardedHeads::insert(std::string scope, std::int64_t version) {
  const auto place = std::ranges::lower_bound(scopes, scope) - scopes.begin();
  scopes.insert(scopes.begin() + place, std::move(scope));
  versions.insert(versions.begin() + place, version);
  moves.insert(moves.begin() + place, 1);
}

bool GuardedHeads::add(const GuardedHeads& next, std::int64_t actions) {
  if (next.watch != watch || next.server != server || next.history.has_value() != history.has_value() ||
      (history && *next.history != *history + actions)) {
    return false;
  }
  GuardedHeads sum = *this;
  for (std::size_t i = 0; i < next.scopes.size(); ++i) {
    const std::size_t known = place_of(next.scopes[i]);
    if (known < scopes.size()) {
      if (next.versions[i] != versions[known] + moves[known]) return false;
      ++sum.moves[sum.place_of(next.scopes[i])];
      continue;
    }
    sum.insert(next.scopes[i], next.versions[i]);
  }
  *this = std::move(sum);
  return true;
}

std::vector<std::string> head_scopes(const Action& action) {
  std::vector<std::string> scopes;
  if (!action.correlation_id.empty())
    scopes.push_back(to_string(Scope{ScopeKind::correlation, action.correlation_id}));
  if (!action.session_id.empty()) scopes.push_back(to_string(Scope{ScopeKind::session, action.session_id}));
  return scopes;
}

std::vector<std::string> scopes_of(const Trace& trace) {
  std::vector<std::string> scopes = head_scopes(trace);
  if (!trace.resource_id.empty()) scopes.push_back(to_string(Scope{ScopeKind::resource, trace.resource_id}));
  return scopes;
}

Call move_heads(const std::string& tenant, const std::vector<std::string>& scopes) {
  return {
      "INSERT INTO guard_heads AS h (tenant_id, scope, version) SELECT $1, scope, 1 FROM unnest($2::text[]) AS "
      "moved(scope) ON CONFLICT (tenant_id, scope) DO UPDATE SET version = h.version + 1",
      Parameters(tenant, scopes)};
}

void add_lock(std::vector<Call>& calls, const std::string& tenant, std::vector<std::string> scopes) {
  constexpr std::string_view resource = "resource:";
  std::ranges::sort(scopes);
  std::vector<std::string> heads;
  for (std::string& scope : scopes) {
    if (!scope.starts_with(resource)) {
      heads.push_back(std::move(scope));
      continue;
    }
    calls.push_back(
        {"INSERT INTO action_histories AS h (tenant_id, resource_id, created_at, updated_at, version) "
         "VALUES ($1, $2, now(), now(), 1) ON CONFLICT (tenant_id, resource_id) DO UPDATE SET "
         "version = h.version + 1",
         Parameters(tenant, std::string_view(scope).substr(resource.size()))});
  }
  if (!heads.empty()) calls.push_back(move_heads(tenant, heads));
}

Call move_watch(const std::string& tenant) { return move_heads(tenant, {"watch"}); }

}  // namespace actionhist::postgres
