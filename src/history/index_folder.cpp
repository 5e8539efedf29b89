#include "history/index_folder.hpp"

#include <cstdlib>
#include <string>

#include <fmt/format.h>

#include "core/hash.hpp"

namespace actionhist {
namespace {

// A tenant may be called anything, a folder may not.
std::string folder_name(const std::string& tenant) {
  std::string name;
  for (const char c : tenant) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || (c == '.' && !name.empty());
    if (plain) {
      name += c;
    } else {
      name += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return name.size() <= 100 ? name : name.substr(0, 60) + "-" + sha256_hex(tenant).substr(0, 32);
}

std::filesystem::path cache_folder() {
  const char* cache = std::getenv("XDG_CACHE_HOME");
  if (cache != nullptr && *cache == '/') return cache;
  const char* home = std::getenv("HOME");
  if (home != nullptr && *home == '/') return std::filesystem::path(home) / ".cache";
  return {};
}

}  // namespace

std::filesystem::path index_folder(const EngineInfo& engine, const std::string& tenant,
                                   const Options& options) {
  if (options.index_folder) return *options.index_folder;
  if (!engine.durable) return {};
  const std::string name = folder_name(tenant);
  if (engine.engine == "sqlite") return std::filesystem::path(engine.location + ".index") / name;
  const std::filesystem::path cache = cache_folder();
  if (cache.empty()) return {};
  const std::string place = sha256_hex(engine.location + "\n" + options.postgres.schema).substr(0, 16);
  return cache / "actionhist" / place / name;
}

}  // namespace actionhist
