// What was read from a name, kept for the names that came lately: reading one costs more than all else that is
// done with it, and an agent uses few. Belongs to one thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

namespace actionhist {

template <class Value>
class NameMemory {
 public:
  // What `read(name)` returned last time, or returns now.
  template <class Read>
  std::shared_ptr<const Value> find(std::string_view name, Read read) {
    if (const auto found = known_.find(name); found != known_.end()) return found->second;
    // Names may come from anywhere, so there may be any number of them.
    if (known_.size() == most) known_.clear();
    return known_.emplace(name, std::make_shared<const Value>(read(name))).first->second;
  }

 private:
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };

  static constexpr std::size_t most = 4096;
  std::unordered_map<std::string, std::shared_ptr<const Value>, Hash, std::equal_to<>> known_;
};

}  // namespace actionhist
