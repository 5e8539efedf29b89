// What FAISS throws, as an Error.
#pragma once

#include <string>

#include <faiss/impl/FaissException.h>

#include <actionhist/error.hpp>

namespace actionhist {

// What `work` returns. Throws Error: internal, naming `what`, for an exception of FAISS.
template <class Work>
auto with_faiss(const char* what, Work work) {
  try {
    return work();
  } catch (const faiss::FaissException& error) {
    throw Error(ErrorCode::internal, std::string(what) + ": " + error.what());
  }
}

}  // namespace actionhist
