// The version of the library that the program was compiled with; version() is the one it runs with.
#pragma once

#define ACTIONHIST_VERSION_MAJOR 0
#define ACTIONHIST_VERSION_MINOR 1
#define ACTIONHIST_VERSION_PATCH 0
#define ACTIONHIST_VERSION "0.1.0"

namespace actionhist {

const char* version() noexcept;

}  // namespace actionhist
