// A resource as part of a larger JSON object.
#pragma once

#include <actionhist/resource.hpp>

#include "core/json_fields.hpp"

namespace actionhist {

// A resource as its own object (`resource_reference` or `resource`), or its parts beside the other fields.
// Throws Error: invalid_argument, naming the field.
Resource read_resource(FieldReader& reader);

}  // namespace actionhist
