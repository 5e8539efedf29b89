// Where a History keeps the files of its index.
#pragma once

#include <filesystem>
#include <string>

#include <actionhist/history.hpp>

namespace actionhist {

// As Options::index_folder says; else PATH.index/TENANT beside a file, and for a server a folder of its location
// and tenant in the user's cache. Empty if there is no such place.
std::filesystem::path index_folder(const EngineInfo& engine, const std::string& tenant,
                                   const Options& options);

}  // namespace actionhist
