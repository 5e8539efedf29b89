// What a host gives to open, with its callbacks as functions that keep the host's data alive.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <actionhist/history.hpp>

#include "actionhist.h"

namespace actionhist::capi {

// Tells the host the name of an operation, what is done and what is left. Throws Error: cancelled when the host ends
// the operation.
using Progress = std::function<void(const std::string& operation, std::int64_t done, std::int64_t left)>;

struct HostOptions {
  Options options;
  std::function<void(std::string_view verdict)> refused;  // may be empty
  Progress progress;                                      // may be empty
  int submit_threads = 2;
};

// Takes what `given` owns, even when it throws, unless its size is wrong. NULL gives the defaults.
// Throws Error: invalid_argument, naming the setting; unsupported for a struct of a later version.
HostOptions read_options(const actionhist_options* given);

// Same for a model. REQUIRES: `given` is not NULL.
std::shared_ptr<const EmbeddingModel> host_model(const actionhist_model* given);

// Calls `destroy(user_data)` when the last copy goes.
using UserData = std::shared_ptr<void>;
UserData own(void* user_data, void (*destroy)(void*));

// Throws Error unless a struct of `size` bytes is one that this library can read: at least its first version,
// and nothing but zeros beyond what is known here.
void require_size(const void* given, std::size_t size, std::size_t first, std::size_t known,
                  std::string_view name);

}  // namespace actionhist::capi
