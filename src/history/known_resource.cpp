#include "history/known_resource.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/refuse.hpp"
#include "history/validate.hpp"

namespace actionhist {
namespace {

// Those that could be meant: one if it is clear, none if nothing like it is known.
std::vector<Resource> meant_by(Repository& repository, const Resource& resource) {
  if (resource.kind.empty() || resource.name.empty()) return {};
  std::vector<Resource> meant = repository.resources().named(resource);
  const auto differs = [&](const Resource& each) { return each.api_group != resource.api_group; };
  // A kind that is built in has the group that it has, the core's empty one too.
  if (is_built_in(resource.kind)) std::erase_if(meant, differs);
  const auto exact = std::ranges::find_if(meant, [&](const Resource& each) {
    return each.cluster == resource.cluster && each.api_group == resource.api_group;
  });
  if (exact != meant.end()) return {*exact};
  return meant;
}

Resource completed(Resource resource, const Resource& meant) {
  resource.cluster = meant.cluster;
  resource.api_group = meant.api_group;
  return resource;
}

}  // namespace

Resource known_resource(Repository& repository, const Resource& given) {
  validate(given);
  Resource resource = normalized(given);
  const std::vector<Resource> meant = meant_by(repository, resource);
  if (meant.size() > 1) {
    refuse("resource",
           fmt::format("{} could be of cluster \"{}\" and API group \"{}\", or of \"{}\" and \"{}\"; name "
                       "the cluster and the API version",
                       to_string(resource), meant[0].cluster, meant[0].api_group, meant[1].cluster,
                       meant[1].api_group));
  }
  return meant.empty() ? resource : completed(std::move(resource), meant.front());
}

Resource likely_resource(Repository& repository, const Resource& given) {
  validate(given);
  Resource resource = normalized(given);
  const std::vector<Resource> meant = meant_by(repository, resource);
  return meant.size() != 1 ? resource : completed(std::move(resource), meant.front());
}

}  // namespace actionhist
