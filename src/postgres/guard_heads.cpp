#include "postgres/guard_heads.hpp"

#include <algorithm>

namespace actionhist::postgres {

namespace {

constexpr std::string_view of_resource = "resource:";

std::size_t place_of(const std::vector<std::string>& keys, std::string_view key) {
  return static_cast<std::size_t>(std::ranges::lower_bound(keys, key) - keys.begin());
}

bool known_at(const std::vector<std::string>& keys, std::size_t place, std::string_view key) {
  return place < keys.size() && keys[place] == key;
}

}  // namespace

std::optional<std::int64_t> Versions::of(std::string_view key) const {
  const std::size_t place = place_of(keys, key);
  return known_at(keys, place, key) ? std::optional(versions[place]) : std::nullopt;
}

void Versions::insert(std::string key, std::int64_t version, std::int64_t moved) {
  const auto place = static_cast<std::ptrdiff_t>(place_of(keys, key));
  keys.insert(keys.begin() + place, std::move(key));
  versions.insert(versions.begin() + place, version);
  moves.insert(moves.begin() + place, moved);
}

bool Versions::lead_to(const Versions& next) const {
  for (std::size_t i = 0; i < next.keys.size(); ++i) {
    const std::size_t place = place_of(keys, next.keys[i]);
    if (known_at(keys, place, next.keys[i]) && next.versions[i] != versions[place] + moves[place])
      return false;
  }
  return true;
}

void Versions::add(const Versions& next) {
  for (std::size_t i = 0; i < next.keys.size(); ++i) {
    const std::size_t place = place_of(keys, next.keys[i]);
    if (known_at(keys, place, next.keys[i])) {
      moves[place] += next.moves[i];
    } else {
      insert(next.keys[i], next.versions[i], next.moves[i]);
    }
  }
}

std::int64_t GuardedHeads::version(std::string_view scope) const {
  const auto known =
      scope.starts_with(of_resource) ? histories.of(scope.substr(of_resource.size())) : scopes.of(scope);
  return known.value_or(0);
}

void GuardedHeads::add(const Scope& scope, std::int64_t version) {
  if (scope.kind == ScopeKind::resource) {
    histories.insert(scope.key, version);
  } else {
    scopes.insert(to_string(scope), version);
  }
}

bool GuardedHeads::add(const GuardedHeads& next) {
  if (next.watch != watch || next.server != server) return false;
  if (!histories.lead_to(next.histories) || !scopes.lead_to(next.scopes)) return false;
  GuardedHeads sum = *this;
  sum.histories.add(next.histories);
  sum.scopes.add(next.scopes);
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
  std::ranges::sort(scopes);
  std::vector<std::string> heads;
  for (std::string& scope : scopes) {
    if (!scope.starts_with(of_resource)) {
      heads.push_back(std::move(scope));
      continue;
    }
    calls.push_back(
        {"INSERT INTO action_histories AS h (tenant_id, resource_id, created_at, updated_at, version) "
         "VALUES ($1, $2, now(), now(), 1) ON CONFLICT (tenant_id, resource_id) DO UPDATE SET "
         "version = h.version + 1",
         Parameters(tenant, std::string_view(scope).substr(of_resource.size()))});
  }
  if (!heads.empty()) calls.push_back(move_heads(tenant, heads));
}

Call move_watch(const std::string& tenant) { return move_heads(tenant, {"watch"}); }

}  // namespace actionhist::postgres
