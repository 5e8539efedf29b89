#include <actionhist/action.hpp>

#include <algorithm>

#include "core/names.hpp"

namespace actionhist {
namespace {

constexpr NameTable<Status, 7> status_names{{
    {Status::pending, "pending"},
    {Status::executing, "executing"},
    {Status::completed, "completed"},
    {Status::failed, "failed"},
    {Status::rolled_back, "rolled-back"},
    {Status::cancelled, "cancelled"},
    {Status::escalated, "escalated"},
}};

constexpr NameTable<Effect, 2> effect_names{{
    {Effect::mutating, "mutating"},
    {Effect::read_only, "read_only"},
}};

constexpr std::array<std::pair<Status, Status>, 12> legal_changes{{
    {Status::pending, Status::executing},
    {Status::pending, Status::completed},
    {Status::pending, Status::failed},
    {Status::pending, Status::rolled_back},
    {Status::pending, Status::cancelled},
    {Status::pending, Status::escalated},
    {Status::executing, Status::completed},
    {Status::executing, Status::failed},
    {Status::executing, Status::rolled_back},
    {Status::executing, Status::cancelled},
    {Status::executing, Status::escalated},
    {Status::completed, Status::rolled_back},
}};

}  // namespace

std::string_view to_string(Status status) noexcept { return name_of(status_names, status); }
std::string_view to_string(Effect effect) noexcept { return name_of(effect_names, effect); }

Status parse_status(std::string_view text, std::string_view field) {
  return value_of(status_names, text, field);
}

Effect parse_effect(std::string_view text, std::string_view field) {
  return value_of(effect_names, text, field);
}

bool terminal(Status status) noexcept { return status != Status::pending && status != Status::executing; }

bool may_become(Status from, Status to, bool correction) noexcept {
  if (correction && terminal(from) && terminal(to)) return true;
  return std::ranges::find(legal_changes, std::pair{from, to}) != legal_changes.end();
}

Resource guarded_resource(const Action& action) {
  const auto slash = action.owner.find('/');
  if (slash == std::string::npos) return action.resource;
  Resource owner;
  owner.cluster = action.resource.cluster;
  owner.namespace_ = action.resource.namespace_;
  owner.kind = action.owner.substr(0, slash);
  owner.name = action.owner.substr(slash + 1);
  owner = normalized(std::move(owner));
  // An owner that is not known does not take the place of what is.
  return owner.kind.empty() || owner.name.empty() ? action.resource : owner;
}

}  // namespace actionhist
