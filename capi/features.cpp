// What actionhist_has_feature knows: the list of exports, and the few names beside it.
#include <algorithm>
#include <string_view>

#include "actionhist.h"

namespace {

constexpr std::string_view features[] = {
    "memory", "sqlite", "postgresql", "host-model", "submit",
#include "exports.inc"
};

}  // namespace

int32_t actionhist_has_feature(const char* name) {
  return name != nullptr && std::ranges::find(features, std::string_view(name)) != std::end(features) ? 1 : 0;
}
