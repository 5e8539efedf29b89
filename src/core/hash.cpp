#include "core/hash.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

#include <openssl/evp.h>
#include <unistd.h>

#include <actionhist/error.hpp>

namespace actionhist {
namespace {

using Digest = std::array<unsigned char, EVP_MAX_MD_SIZE>;

void check_digest(int done) {
  if (done != 1) throw Error(ErrorCode::internal, "hash: the digest algorithm is not available in libcrypto");
}

// Looked up once, and never given back: libcrypto would look EVP_sha256() up again for each digest, which takes as long
// as the digest of a short text. Null where it is not available.
const EVP_MD* sha256() {
  static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return algorithm;
}

const EVP_MD* sha1() {
  static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA1", nullptr);
  return algorithm;
}

Digest digest(const EVP_MD* algorithm, std::string_view data) {
  Digest out{};
  check_digest(EVP_Digest(data.data(), data.size(), out.data(), nullptr, algorithm, nullptr));
  return out;
}

void append_hex(std::string& out, std::span<const unsigned char> bytes) {
  constexpr char digits[] = "0123456789abcdef";
  for (const unsigned char byte : bytes) {
    out += digits[byte >> 4];
    out += digits[byte & 15];
  }
}

std::string hex(std::span<const unsigned char> bytes) {
  std::string out;
  out.reserve(bytes.size() * 2);
  append_hex(out, bytes);
  return out;
}

std::string uuid_text(std::span<unsigned char, 16> bytes, int version) {
  bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0f) | (version << 4));
  bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3f) | 0x80);
  std::string text;
  text.reserve(36);
  append_hex(text, bytes.first(4));
  for (const std::size_t at : {4U, 6U, 8U}) {
    text += '-';
    append_hex(text, bytes.subspan(at, 2));
  }
  text += '-';
  append_hex(text, bytes.last(6));
  return text;
}

// Drawn once for this library; changing it would change the id of every resource.
constexpr std::array<unsigned char, 16> namespace_id = {0x6b, 0x0e, 0x1f, 0x5a, 0x93, 0x2c, 0x4d, 0x77,
                                                        0xa1, 0x48, 0x0c, 0xe5, 0x2f, 0x86, 0xd9, 0x31};

constexpr int fractions = 4096;  // of a millisecond, that 12 bits tell apart

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

}  // namespace

std::string sha256_hex(std::string_view data) {
  const Digest out = digest(sha256(), data);
  return hex(std::span(out).first<32>());
}

Sha256::Sha256()
    : context_(EVP_MD_CTX_new(), [](void* context) { EVP_MD_CTX_free(static_cast<EVP_MD_CTX*>(context)); }) {
  check_digest(EVP_DigestInit_ex(static_cast<EVP_MD_CTX*>(context_.get()), sha256(), nullptr));
}

void Sha256::add(std::span<const std::byte> piece) {
  check_digest(EVP_DigestUpdate(static_cast<EVP_MD_CTX*>(context_.get()), piece.data(), piece.size()));
}

std::string Sha256::hex() {
  Digest out{};
  check_digest(EVP_DigestFinal_ex(static_cast<EVP_MD_CTX*>(context_.get()), out.data(), nullptr));
  return actionhist::hex(std::span(out).first<32>());
}

std::string uuid_v7(TimePoint time) {
  std::array<unsigned char, 16> bytes;
  // The system's own, which a fork() cannot repeat.
  if (getentropy(bytes.data(), bytes.size()) != 0) {
    throw Error(ErrorCode::unavailable, "id: the system gives no random bytes");
  }
  const auto whole = std::chrono::floor<std::chrono::milliseconds>(time);
  const auto ms = static_cast<std::uint64_t>(whole.time_since_epoch().count());
  for (int i = 0; i < 6; ++i) bytes[i] = static_cast<unsigned char>(ms >> (40 - 8 * i));
  const auto fraction = static_cast<std::uint64_t>((time - whole).count()) * fractions / 1000;
  bytes[6] = static_cast<unsigned char>(fraction >> 8);
  bytes[7] = static_cast<unsigned char>(fraction);
  return uuid_text(bytes, 7);
}

std::optional<TimePoint> time_inside(std::string_view id) {
  // xxxxxxxx-xxxx-7xxx-…
  if (id.size() != 36 || id[8] != '-' || id[13] != '-' || id[14] != '7' || id[18] != '-' || id[23] != '-') {
    return std::nullopt;
  }
  std::int64_t ms = 0;
  std::int64_t fraction = 0;
  for (std::size_t i = 0; i < 36; ++i) {
    if (i == 8 || i == 13 || i == 18 || i == 23) continue;
    const int value = hex_digit(id[i]);
    if (value < 0) return std::nullopt;
    if (i < 13) ms = ms * 16 + value;
    if (i > 14 && i < 18) fraction = fraction * 16 + value;
  }
  // Beyond this the microseconds would not fit; no such time is ever stored.
  if (ms > std::int64_t{1} << 45) return std::nullopt;
  // Rounded up, what was rounded down comes back.
  const std::int64_t us = std::min<std::int64_t>((fraction * 1000 + fractions - 1) / fractions, 999);
  return TimePoint(std::chrono::milliseconds(ms) + std::chrono::microseconds(us));
}

std::string uuid_v5(std::string_view name) {
  std::string input(namespace_id.begin(), namespace_id.end());
  input += name;
  Digest out = digest(sha1(), input);
  return uuid_text(std::span(out).first<16>(), 5);
}

}  // namespace actionhist
