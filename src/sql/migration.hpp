// One step of a schema.
#pragma once

#include <string_view>

namespace actionhist::sql {

struct Migration {
  int version;
  std::string_view name;
  std::string_view sql;
};

}  // namespace actionhist::sql
