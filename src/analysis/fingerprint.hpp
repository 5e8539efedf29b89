// One text for values that mean the same, and its hash: `0.5` and `500m`, `2Gi` and 2147483648, with or
// without a request id. Functions may be called from any thread.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <actionhist/action.hpp>

namespace actionhist {

// The number that a Kubernetes quantity stands for: "500m" is .5, "2Gi" is 2^31, "1.5" is 1.5.
// Empty for other text.
std::optional<double> quantity(std::string_view text);

// Keys that differ between two calls that mean the same: times of writing, ids of requests, dry_run.
std::span<const std::string_view> volatile_keys();

// The canonical text of `json` with its quantities as numbers and without the members whose key is dropped,
// at any depth. Keys are compared in lower case without `_` and `-`. Empty if `json` is absent.
std::string normal_form(const Json& json, std::span<const std::string_view> dropped = volatile_keys());

// The same, without the members for which `drop(key)` is true.
std::string normal_form(const Json& json, const std::function<bool(std::string_view key)>& drop);

// The SHA-256 of the normal form. Empty if `json` is absent.
std::string spec_hash(const Json& json, std::span<const std::string_view> dropped = volatile_keys());

// "resource|action type|hash of parameters": two actions with one key are the same call.
std::string canonical_key(const Trace& trace);

}  // namespace actionhist
