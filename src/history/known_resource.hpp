// The resource that somebody means who does not name its cluster or API group. Any thread.
#pragma once

#include <actionhist/repository.hpp>

namespace actionhist {

// The resource as its names say if it was ever seen or acted on; else the only one of this kind, namespace and name whose
// cluster, or API group if the kind is not built in, was left out; as it was given if there is none of them, or without a
// kind or name. Those that are gone count only where none is there.
// Throws Error: invalid_argument when several could be meant.
Resource known_resource(Repository& repository, const Resource& given);

// The same. Throws Error: invalid_argument, naming `resource`, also without a kind or name.
Resource required_resource(Repository& repository, const Resource& given);

// As known_resource(), where those that are gone count as much as the others: their history is still there.
Resource known_or_gone_resource(Repository& repository, const Resource& given);

// As known_resource(), and as it was given when several could be meant: for questions that other facts answer too.
Resource likely_resource(Repository& repository, const Resource& given);

// A resource of which a query may leave out any part, with its kind as it is stored.
// Throws Error: invalid_argument for a kind or name "unknown": it is stored as none, and none is no condition.
Resource asked_resource(const Resource& given);

}  // namespace actionhist
