// Runs the fuzz target on mutated seeds, the same ones each time. Usage: driver [ROUNDS]
#include <charconv>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>

#include "support/byte_level.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

constexpr std::string_view seeds[] = {
    R"({"action_id":"a-1","action_timestamp":"2026-04-27T00:46:06.5+02:00","action_type":"scale","model_confidence":0.5,"action_parameters":{"replicas":5,"a.b":[1,2,{"c":null}]},"resource_reference":{"kind":"pods","namespace":"x","name":"y"},"execution_status":"completed","root_cause":"password=hunter2"})",
    R"({"$or":[{"alert_severity":{"$in":["critical","high"]}},{"action_parameters.replicas":{"$gt":3,"$lte":1e2}},{"$not":{"metadata.x":{"$exists":false}}}]})",
    R"({"timestamp":{"$gte":"2026-03-10T11:00:00Z"},"kind":{"$ne":null}})",
    R"({"pattern_id":"p","pattern_type":"scale-oscillation","threshold_config":{"min_confidence":0.5},"time_window_minutes":120})",
    R"({"alert_name":"HighLoad","starts_at":"2026-03-10T11:00:00Z","labels":{"a":"b"}})",
    R"({"health":1,"alert":0.5,"method":"manual","notes":"KubeAPIDown 高負荷 zu_viel-Last"})",
    R"({"status":"failed","execution_error":"postgresql://u:p@h/db","effectiveness_score":0.25})",
    R"({"action_id":"a-1","outcome":{"status":"completed"},"correction":true})",
    R"({"resource":{"kind":"Pod","name":"y"},"since":"2026-03-10T11:00:00Z","limit":3,"where":{"kind":"Pod"}})",
    R"({"text":"crash loop","limit":2,"threshold":0.5,"fresh":false})",
    R"({"items":[{"namespace":["a","b"],"key":"k","value":{"text":"x"},"ttl_seconds":1.5,"texts":["t"]},{"namespace":["a"],"key":"v","value":{},"vectors":[[1,0]],"space_id":"s"}]})",
    R"({"keys":[{"namespace":["a","b"],"key":"k"}],"renew":true})",
    R"({"thread_id":"t","checkpoint_ns":"","checkpoint_id":"1","format":"raw","state":"AHN0YXRl","metadata":{"step":1}})",
    R"({"thread_id":"t","checkpoint_id":"1","writes":[{"task_id":"a","place":-1,"channel":"c","value":"eA=="}]})",
    R"({"rows":[{"id":"a","text":"pod crash","fields":{"kind":"Pod"},"version":7},{"id":"b"}]})",
    R"({"space_id":"hashed-lexical/1024/1","force":true})",
    R"({"space_id":"imported/2","ids":["a-1","a-2"]})",
    R"({"dimension":2,"metric":"l2","precision":"byte","sealed_rows":3})",
    R"({"month":"2024-03","folder":"/nowhere"})",
    R"([{"action_id":"a-2","action_timestamp":"2026-04-27T00:46:06Z","action_type":"scale"}])",
    R"({"tenant":"t","redact":["a+"],"submit_threads":1,"on_unavailable":"allow","semantic":false})",
    R"({"normalizer":{"type":"BertNormalizer","lowercase":true},"pre_tokenizer":{"type":"BertPreTokenizer"},"post_processor":{"type":"BertProcessing","cls":["c",0],"sep":["s",1]},"added_tokens":[{"id":9,"content":"[X]","special":true}],"model":{"type":"WordPiece","vocab":{"[UNK]":0,"pod":1,"##s":2,",":3}}})",
    R"({"normalizer":{"type":"Sequence","normalizers":[{"type":"Replace","pattern":{"Regex":"\\s+"},"content":" "},{"type":"Strip"}]},"pre_tokenizer":{"type":"Metaspace","replacement":"_","split":true},"model":{"type":"Unigram","unk_id":0,"vocab":[["<unk>",0],["_P",-1.5],["od",-2],["_",-3]]}})",
    R"({"normalizer":{"type":"Precompiled","precompiled_charsmap":"EAAAAACAAAAhCQAAAAAAAAAAAIA/AA=="},"pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"WhitespaceSplit"},{"type":"Metaspace"}]},"added_tokens":[{"id":0,"content":"<s>","special":true}],"model":{"unk_id":1,"vocab":[["<s>",0],["<unk>",0],["\u2581P",-1.5],["od",-2],["?",-3]]}})",
    std::string_view(
        "K\0\0\0\0\0\0\0{\"embeddings\":{\"dtype\":\"F16\",\"shape\":[1,2],\"data_offsets\":[0,4]}}          \0\1\2\3",
        87),
    R"({"data":[{"index":1,"embedding":[3,4e-1]},{"index":0,"embedding":"AACAPwAAAEA="}]})",
    R"({"error":{"code":"rate_limit_exceeded","message":"too large"}})",
    "2026-04-27T00:46:06Z",
    "[[[[-0.0,1e308,9007199254740993,\"\\ud83d\\ude00\"]]]]"};

std::string mutated(std::mt19937& random) {
  constexpr std::string_view alphabet = "{}[]\":,.$0123456789eE+-truefalsn\\u/ \n\xc3\xa9\xff\x00ZT";
  static const std::string byte_level = actionhist::test::byte_level_json();
  const auto which = random() % (std::size(seeds) + 1);
  std::string text(which < std::size(seeds) ? seeds[which] : byte_level);
  for (auto changes = random() % 6; changes > 0 && !text.empty(); --changes) {
    const auto at = random() % text.size();
    switch (random() % 4) {
      case 0: text[at] = alphabet[random() % alphabet.size()]; break;
      case 1: text.erase(at, random() % 8); break;
      case 2: text.insert(at, 1, alphabet[random() % alphabet.size()]); break;
      default: text.insert(at, text.substr(random() % text.size(), random() % 16));
    }
  }
  return text;
}

}  // namespace

int main(int argc, char** argv) {
  int rounds = 20'000;
  if (argc > 1) std::from_chars(argv[1], argv[1] + std::string_view(argv[1]).size(), rounds);
  std::mt19937 random(1);
  for (int i = 0; i < rounds; ++i) {
    const std::string text = mutated(random);
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
  }
}
