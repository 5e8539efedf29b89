// The resource that somebody means who does not name its cluster or API group. Any thread.
#pragma once

#include <actionhist/repository.hpp>

namespace actionhist {

// The resource as its names say if it was ever seen or acted on; else the only one of this kind, namespace and name whose
// cluster and API group were left out; as it was given if there is none of them, or without a kind or name.
// Throws Error: invalid_argument when several could be meant.
Resource known_resource(Repository& repository, const Resource& given);

}  // namespace actionhist
