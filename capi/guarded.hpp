// The edge between exceptions and statuses, and the two values that cross it.
#pragma once

#include <cstdint>
#include <exception>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <string_view>

#include <actionhist/error.hpp>

#include "actionhist.h"
#include "core/refuse.hpp"

struct actionhist_error {
  actionhist_status code;
  std::string message;
};

struct actionhist_text {
  std::string text;
};

namespace actionhist::capi {

static_assert(ACTIONHIST_INTERNAL == static_cast<actionhist_status>(ErrorCode::internal));

// Sets `*error`, if it is wanted.
void set_error(actionhist_error** error, actionhist_status code, const char* message) noexcept;

// Runs `work`; no exception leaves.
template <class Work>
actionhist_status guarded(actionhist_error** error, Work&& work) noexcept {
  if (error != nullptr) *error = nullptr;
  actionhist_status code = ACTIONHIST_INTERNAL;
  try {
    work();
    return ACTIONHIST_OK;
  } catch (const Error& caught) {
    code = static_cast<actionhist_status>(caught.code());
    set_error(error, code, caught.what());
  } catch (const std::bad_alloc&) {
    code = ACTIONHIST_UNAVAILABLE;
    set_error(error, code, "out of memory");
  } catch (const std::exception& caught) {
    set_error(error, code, caught.what());
  } catch (...) {
    set_error(error, code, "an exception of unknown type");
  }
  return code;
}

// Runs `work` and hands over the text that it returns, if it is wanted.
template <class Work>
actionhist_status answering(actionhist_text** answer, actionhist_error** error, Work&& work) noexcept {
  if (answer != nullptr) *answer = nullptr;
  return guarded(error, [&] {
    // Made first, so that nothing is stored that could not be answered.
    auto text = std::make_unique<actionhist_text>();
    text->text = work();
    if (answer != nullptr) *answer = text.release();
  });
}

// REQUIRES: `data` points to `length` bytes, or both are zero.
inline std::string_view text_of(const char* data, std::size_t length, std::string_view field) {
  if (data == nullptr && length > 0) refuse(field, "is NULL but has a length");
  return data == nullptr ? std::string_view{} : std::string_view(data, length);
}

inline std::string_view text_of(const actionhist_string& string, std::string_view field) {
  return text_of(string.data, string.length, field);
}

// Rows of floats. REQUIRES: `vectors` points to count × dimension floats, or is NULL.
inline std::span<const float> matrix(const float* vectors, std::size_t count, std::size_t dimension) {
  constexpr std::size_t max_dimension = 65'536;
  if (count == 0) return {};
  if (vectors == nullptr || dimension == 0) refuse("vectors", "are NULL or empty");
  if (dimension > max_dimension) refuse("vectors", "have more than 65536 dimensions");
  if (count > SIZE_MAX / sizeof(float) / max_dimension) refuse("vectors", "are too many");
  return {vectors, count * dimension};
}

}  // namespace actionhist::capi
