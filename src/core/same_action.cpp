#include "core/same_action.hpp"

#include <tuple>

#include <fmt/format.h>

#include <actionhist/error.hpp>

namespace actionhist {
namespace {

[[noreturn]] void refuse_field(std::string_view field, const Action& given, std::string_view what) {
  throw Error(ErrorCode::conflict,
              fmt::format("{}: \"{}\" is stored with {}; another action needs an id of its own", field,
                          given.action_id, what));
}

// A uid and a version may be learnt later; these say which resource it is.
auto names_of(const Resource& resource) {
  return std::tie(resource.cluster, resource.api_group, resource.kind, resource.namespace_, resource.name);
}

}  // namespace

void refuse_another_action(const Action& given, const Action& stored) {
  if (given.action_type != stored.action_type) {
    refuse_field("action_type", given, fmt::format("{}, not {}", stored.action_type, given.action_type));
  }
  if (names_of(given.resource) != names_of(stored.resource)) {
    refuse_field("resource", given,
                 fmt::format("{}, not {}", to_string(stored.resource), to_string(given.resource)));
  }
  if (given.action_parameters != stored.action_parameters) refuse_field("action_parameters", given, "others");
}

}  // namespace actionhist
