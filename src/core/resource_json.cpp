#include "core/resource_json.hpp"

#include "core/trace_fields.hpp"

namespace actionhist {
namespace {

Resource read_resource(JsonElement element, std::string_view name) {
  if (!element.is_object()) {
    refuse(name,
           R"(must be a JSON object such as {"kind": "Deployment", "namespace": "prod", "name": "web"})");
  }
  Resource resource;
  FieldReader reader(element, name, std::string(name) + ".");
  reader("cluster", resource.cluster);
  reader("api_group", resource.api_group);
  reader("api_version", resource.api_version);
  reader("kind", resource.kind);
  reader("namespace", resource.namespace_);
  reader("name", resource.name);
  reader("uid", resource.uid);
  reader("resource_uid", resource.uid);
  reader.expect_done();
  return resource;
}

}  // namespace

Resource read_resource(FieldReader& reader) {
  Resource resource;
  for (const std::string_view name : {"resource_reference", "resource"}) {
    if (const auto element = reader.take(name)) resource = read_resource(*element, name);
  }
  visit_resource(resource, reader);
  reader.alias("kind", "resource_kind", resource.kind);
  reader.alias("namespace", "resource_namespace", resource.namespace_);
  reader.alias("name", "resource_name", resource.name);
  return resource;
}

}  // namespace actionhist
