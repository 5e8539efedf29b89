// A tokenizer.json with byte-level BPE, as small as one can be.
#pragma once

#include <array>
#include <cstdio>
#include <string>

namespace actionhist::test {

// Its pieces are the 256 bytes, by their order in the vocabulary's alphabet; then "po", "pod" and " pod".
inline std::string byte_level_json() {
  std::string vocabulary;
  int next = 256;
  for (int byte = 0; byte < 256; ++byte) {
    const bool visible = (byte >= '!' && byte <= '~') || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
    std::array<char, 32> entry;
    std::snprintf(entry.data(), entry.size(), R"("\u%04x":%d,)", visible ? byte : next++, byte);
    vocabulary += entry.data();
  }
  return R"({"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false},"model":{"type":"BPE","vocab":{)" +
         vocabulary + R"("po":256,"pod":257,"\u0120pod":258},"merges":[["p","o"],"po d",["\u0120","pod"]]}})";
}

}  // namespace actionhist::test
