#include <actionhist/repository.hpp>

namespace actionhist {

std::string to_string(const Scope& scope) {
  switch (scope.kind) {
    case ScopeKind::resource: return "resource:" + scope.key;
    case ScopeKind::correlation: return "correlation:" + scope.key;
    default: return "session:" + scope.key;
  }
}

}  // namespace actionhist
