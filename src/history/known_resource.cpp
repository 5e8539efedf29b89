#include "history/known_resource.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/refuse.hpp"
#include "history/validate.hpp"

namespace actionhist {
namespace {

// Those that could be meant: one if it is clear, none if nothing like it is known.
std::vector<Resource> meant_by(Repository& repository, const Resource& resource, bool gone) {
  if (resource.kind.empty() || resource.name.empty()) return {};
  std::vector<Resource> meant = repository.resources().named(resource, gone);
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

Resource the_only_one(Repository& repository, const Resource& given, bool gone) {
  validate(given);
  Resource resource = normalized(given);
  const std::vector<Resource> meant = meant_by(repository, resource, gone);
  if (meant.size() > 1) {
    refuse("resource",
           fmt::format("{} could be of cluster \"{}\" and API group \"{}\", or of \"{}\" and \"{}\"; name "
                       "the cluster and the API version",
                       to_string(resource), meant[0].cluster, meant[0].api_group, meant[1].cluster,
                       meant[1].api_group));
  }
  return meant.empty() ? resource : completed(std::move(resource), meant.front());
}

}  // namespace

Resource known_resource(Repository& repository, const Resource& given) {
  return the_only_one(repository, given, false);
}

Resource required_resource(Repository& repository, const Resource& given) {
  Resource resource = known_resource(repository, given);
  if (resource.kind.empty() || resource.name.empty()) refuse("resource", "kind and name are required");
  return resource;
}

Resource known_or_gone_resource(Repository& repository, const Resource& given) {
  return the_only_one(repository, given, true);
}

Resource likely_resource(Repository& repository, const Resource& given) {
  validate(given);
  Resource resource = normalized(given);
  const std::vector<Resource> meant = meant_by(repository, resource, false);
  return meant.size() != 1 ? resource : completed(std::move(resource), meant.front());
}

Resource asked_resource(const Resource& given) {
  const Resource known = normalized(given);
  const auto refuse_unknown = [](std::string_view field, const std::string& text, const std::string& stored) {
    if (text.empty() || !stored.empty()) return;
    refuse(field,
           fmt::format("\"{}\" is stored as none; ask for that with where: {{\"{}\": null}}", text, field));
  };
  refuse_unknown("kind", given.kind, known.kind);
  refuse_unknown("name", given.name, known.name);
  Resource asked = known;
  // A group that is not named may be any.
  if (given.kind.find('.') == std::string::npos) asked.api_group = given.api_group;
  return asked;
}

}  // namespace actionhist
