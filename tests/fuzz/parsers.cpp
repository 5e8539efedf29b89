// Feeds arbitrary bytes to everything that parses: each must read them or throw Error, and nothing else.
// Built for libFuzzer with clang and -fsanitize=fuzzer; otherwise driver.cpp mutates the seeds.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include <actionhist/actionhist.hpp>

#include "core/filter.hpp"
#include "core/trace_fields.hpp"
#include "embedding/character_map.hpp"
#include "embedding/embeddings_protocol.hpp"
#include "embedding/safetensors.hpp"
#include "embedding/subword_tokenizer.hpp"
#include "embedding/tokens.hpp"
#include "history/redaction.hpp"
#include "http/retry.hpp"
#include "sql/filter_sql.hpp"
#include "support/byte_level.hpp"

namespace {

using namespace actionhist;

template <class Parse>
void expect_value_or_error(Parse&& parse, ErrorCode code = ErrorCode::invalid_argument) {
  try {
    parse();
  } catch (const Error& error) {
    if (error.code() != code) std::abort();
  }
}

void expect(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Redactor redactor({});
  static const SubwordTokenizer byte_level(test::byte_level_json());
  const std::string_view text(reinterpret_cast<const char*>(data), size);

  expect_value_or_error([&] {
    const Json json = Json::parse(text);
    expect(Json::parse(json.text()) == json);
    Json redacted = json;
    redactor.redact(redacted, "json");
    const Json resolved = resolve_where(json);
    expect(resolve_where(resolved) == resolved);
    sql::condition(json);
  });
  expect_value_or_error([&] { format_time(parse_time(text)); });
  expect_value_or_error([&] {
    Trace trace;
    static_cast<Action&>(trace) = parse_action(text);
    expect(parse_action(to_json(trace)) == static_cast<const Action&>(trace));
  });
  expect_value_or_error([&] { parse_outcome(text); });
  expect_value_or_error([&] { parse_alert(text); });
  expect_value_or_error([&] { parse_pattern(text); });
  expect_value_or_error([&] { parse_assessment(text); });
  expect_value_or_error([&] {
    const SubwordTokenizer subwords(text);
    std::vector<std::uint32_t> ids;
    subwords.encode("Pods crash, 高負荷 zu_viel-Last\xff", 8, ids);
    expect(ids.size() <= 8);
    for (const std::uint32_t id : ids) expect(id < subwords.size());
  });
  std::vector<std::uint32_t> bytes;
  byte_level.encode(text, 2 * size, bytes);
  expect(bytes.size() <= 2 * size && (size == 0 || !bytes.empty()));
  if (const auto map = CharacterMap::read(text)) {
    std::string mapped = "Pods! 高負荷 e\u0301!";
    map->apply(mapped);
    expect(simdjson::validate_utf8(mapped));
  }
  expect_value_or_error([&] {
    const Safetensors tensors({reinterpret_cast<const std::byte*>(text.data()), text.size()});
    if (const Tensor* tensor = tensors.find("embeddings")) expect(tensor->floats().size() == tensor->count());
  });

  expect_value_or_error([&] { expect(read_embeddings(text, 2).size() == 2); }, ErrorCode::unavailable);
  HttpReply reply;
  reply.status = 500;
  reply.body = reply.retry_after = text;
  expect(refusal_of(reply).message.size() < 100);
  expect(retry_delay(reply, 1, 0.5, 0).count() > 0);

  Tokenizer tokenizer(text);
  Token token;
  std::size_t tokens = 0;
  while (tokenizer.next(token)) ++tokens;
  expect(tokens <= 3 * size + 1);
  return 0;
}
