#include "core/base64.hpp"

#include <algorithm>

#include <openssl/evp.h>

namespace actionhist {

std::string to_base64(std::string_view bytes) {
  // OpenSSL counts in int, and ends the text with NUL.
  constexpr std::size_t piece = 3U << 20;
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4 + 1);
  for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size()))) {
    const std::string_view part = bytes.substr(0, piece);
    const std::size_t begin = text.size();
    text.resize(begin + (part.size() + 2) / 3 * 4 + 1);
    EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data() + begin),
                    reinterpret_cast<const unsigned char*>(part.data()), static_cast<int>(part.size()));
    text.pop_back();
  }
  return text;
}

std::optional<std::string> from_base64(std::string_view text) {
  // OpenSSL passes over white space, which this format does not have.
  const bool spaces = std::ranges::any_of(text, [](char c) { return c <= ' '; });
  if (text.size() % 4 != 0 || text.size() > 1U << 30 || spaces) return std::nullopt;
  std::string out(text.size() / 4 * 3, '\0');
  const int size =
      EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                      reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  if (size < 0) return std::nullopt;
  // It counts the padding as bytes.
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  out.resize(static_cast<std::size_t>(size) - padding);
  return out;
}

}  // namespace actionhist
