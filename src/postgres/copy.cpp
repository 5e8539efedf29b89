// COPY, which moves rows several times as fast as statements do. It has a protocol of its own.
#include <limits>

#include "postgres/connection.hpp"

#include <actionhist/error.hpp>

namespace actionhist::postgres {
namespace {

// What may wait in memory for a server that reads slowly.
constexpr std::size_t max_buffered = 256 * 1024;

}  // namespace

std::int64_t Connection::copy_out(std::string_view sql,
                                  const std::function<void(std::span<const std::byte>)>& sink) {
  {
    const Result start = start_simple(sql);
    if (PQresultStatus(start.handle()) != PGRES_COPY_OUT) {
      finish_simple();
      throw Error(ErrorCode::internal, "database: copy_out needs COPY … TO STDOUT");
    }
  }
  try {
    while (const auto piece = link_.next_copy_data(deadline())) {
      const std::unique_ptr<char, decltype(&PQfreemem)> owned(piece->first, PQfreemem);
      sink(std::as_bytes(std::span(piece->first, static_cast<std::size_t>(piece->second))));
    }
  } catch (...) {
    // The server sends on whether anybody listens.
    link_.close();
    throw;
  }
  return finish_simple();
}

std::int64_t Connection::copy_in(std::string_view sql,
                                 const std::function<std::span<const std::byte>()>& source) {
  {
    const Result start = start_simple(sql);
    if (PQresultStatus(start.handle()) != PGRES_COPY_IN) {
      finish_simple();
      throw Error(ErrorCode::internal, "database: copy_in needs COPY … FROM STDIN");
    }
  }
  std::exception_ptr fault;
  std::size_t buffered = 0;
  try {
    for (;;) {
      std::span<const std::byte> bytes;
      try {
        bytes = source();
      } catch (...) {
        fault = std::current_exception();
        break;
      }
      if (bytes.empty()) break;
      while (!bytes.empty()) {
        const auto piece = bytes.first(std::min(bytes.size(), max_buffered));
        link_.put_copy_data(reinterpret_cast<const char*>(piece.data()), static_cast<int>(piece.size()),
                            deadline());
        bytes = bytes.subspan(piece.size());
        buffered += piece.size();
        if (buffered >= max_buffered) {
          link_.flush(deadline());
          buffered = 0;
        }
      }
    }
    link_.end_copy(fault ? "the client gave up" : nullptr, deadline());
    link_.flush(deadline());
  } catch (...) {
    link_.close();
    throw;
  }
  if (!fault) return finish_simple();
  try {
    finish_simple();
  } catch (const ServerError&) {  // that the client gave up
  }
  std::rethrow_exception(fault);
}

}  // namespace actionhist::postgres
