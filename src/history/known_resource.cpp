#include "history/known_resource.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/refuse.hpp"
#include "history/validate.hpp"

namespace actionhist {

Resource known_resource(Repository& repository, const Resource& given) {
  validate(given);
  Resource resource = normalized(given);
  if (resource.kind.empty() || resource.name.empty()) return resource;
  if (!resource.cluster.empty() && !resource.api_group.empty()) return resource;
  const std::vector<Resource> meant = repository.resources().named(resource);
  const auto exact = std::ranges::find_if(meant, [&](const Resource& each) {
    return each.cluster == resource.cluster && each.api_group == resource.api_group;
  });
  if (exact != meant.end() || meant.empty()) return resource;
  if (meant.size() > 1) {
    refuse("resource",
           fmt::format("{} could be of cluster \"{}\" and API group \"{}\", or of \"{}\" and \"{}\"; name "
                       "the cluster and the API version",
                       to_string(resource), meant[0].cluster, meant[0].api_group, meant[1].cluster,
                       meant[1].api_group));
  }
  resource.cluster = meant.front().cluster;
  resource.api_group = meant.front().api_group;
  return resource;
}

}  // namespace actionhist
