#include "embedding/sentence_model.hpp"

#include <algorithm>
#include <cassert>

#include <actionhist/error.hpp>

#include "core/names.hpp"
#include "embedding/unit_vector.hpp"

namespace actionhist {
namespace {

// Enough rows for BLAS to be quick, few enough for the caches.
constexpr std::size_t rows_at_once = 512;
// Words of any language are shorter, and texts beyond the model's tokens need not be read.
constexpr std::size_t characters_a_token = 64;

template <class Read>
void read_json(ModelFolder& folder, const std::string& name, Read read) {
  JsonDocument document;
  read(document.parse(folder.text(name), name));
}

}  // namespace

SentenceModel::SentenceModel(const std::filesystem::path& path, const ModelOptions& options)
    : prefix_(options) {
  ModelFolder folder(path);
  tokenizer_.emplace(folder.text("tokenizer.json"));
  const Safetensors tensors(folder.bytes("model.safetensors"));
  read_json(folder, "config.json",
            [&](JsonElement json) { encoder_.emplace(ModelJson(json, "config.json"), tensors); });
  if (tokenizer_->size() > encoder_->vocabulary()) {
    refuse("tokenizer.json", fmt::format("has {} tokens, model.safetensors has vectors for {}",
                                         tokenizer_->size(), encoder_->vocabulary()));
  }
  max_tokens_ = encoder_->positions();
  if (folder.has("sentence_bert_config.json")) {
    read_json(folder, "sentence_bert_config.json", [&](JsonElement json) {
      const ModelJson config(json, "sentence_bert_config.json");
      const auto longest = config.get<std::int64_t>("max_seq_length", static_cast<std::int64_t>(max_tokens_));
      if (longest < 1) refuse(config.place("max_seq_length"), "must be at least 1");
      max_tokens_ = std::min(max_tokens_, static_cast<std::size_t>(longest));
      if (config.get("do_lower_case", false)) refuse(config.place("do_lower_case"), "is not offered");
    });
  }
  const std::size_t around = tokenizer_->before().size() + tokenizer_->after().size();
  if (max_tokens_ <= around) refuse("model", "leaves no room for a text between its special tokens");
  read_modules(folder);
  read_prompts(folder);
  space_id_ = fmt::format("sentence/{}/{}", encoder_->width(), folder.identity("1\n" + prefix_.text()));
}

// Without modules.json sentence-transformers take the mean.
void SentenceModel::read_modules(ModelFolder& folder) {
  if (!folder.has("modules.json")) return;
  read_json(folder, "modules.json", [&](JsonElement json) {
    simdjson::dom::array modules;
    if (json.get(modules) != simdjson::SUCCESS) refuse("modules.json", "is no list");
    for (const JsonElement item : modules) {
      const ModelJson module(item, "modules.json");
      const auto type = module.get<std::string_view>("type");
      const auto name = type.substr(type.rfind('.') + 1);
      if (name == "Pooling") {
        read_pooling(folder, fmt::format("{}/config.json", module.get<std::string_view>("path")));
      } else if (name == "Normalize") {
        normalize_ = true;
      } else if (name != "Transformer") {
        refuse(module.place("type"), fmt::format("\"{}\" is not offered", excerpt(type)));
      }
    }
  });
}

// Named as sentence-transformers' encode_query() and encode_document() look for them.
void SentenceModel::read_prompts(ModelFolder& folder) {
  const std::string name = "config_sentence_transformers.json";
  if (!folder.has(name)) return;
  read_json(folder, name, [&](JsonElement json) {
    const ModelJson config(json, name);
    const auto prompts = config.optional_object("prompts");
    if (!prompts) return;
    const auto first_of = [&](std::initializer_list<std::string_view> keys) {
      for (const std::string_view key : keys) {
        if (!key.empty() && prompts->member(key)) return prompts->get<std::string_view>(key);
      }
      return std::string_view();
    };
    const auto usual = config.get<std::string_view>("default_prompt_name", "");
    prefix_.offer(first_of({"query", usual}), first_of({"document", "passage", "corpus", usual}));
  });
}

void SentenceModel::read_pooling(ModelFolder& folder, const std::string& name) {
  read_json(folder, name, [&](JsonElement json) {
    const ModelJson config(json, name);
    // Newer files name the way, older ones have a flag for each.
    std::vector<std::string> ways;
    if (config.member("pooling_mode")) ways.emplace_back(config.get<std::string_view>("pooling_mode"));
    for (const auto& [key, value] : config.members()) {
      bool on = false;
      if (key.starts_with("pooling_mode_") && value.get(on) == simdjson::SUCCESS && on)
        ways.emplace_back(key);
    }
    if (!config.get("include_prompt", true)) refuse(config.place("include_prompt"), "must be true");
    if (ways.size() != 1) refuse(name, fmt::format("has {} ways of pooling; one is offered", ways.size()));
    const std::string& way = ways.front();
    if (way == "cls" || way == "pooling_mode_cls_token") {
      pooling_ = Pooling::first;
    } else if (way != "mean" && way != "pooling_mode_mean_tokens") {
      refuse(name, fmt::format("{} is not offered; mean and cls are", excerpt(way)));
    }
  });
}

void SentenceModel::embed(std::span<const std::string_view> texts, EmbeddingRole role,
                          std::span<float> out) const {
  assert(out.size() == texts.size() * dimension());
  std::fill(out.begin(), out.end(), 0.0F);
  const auto before = tokenizer_->before();
  const auto after = tokenizer_->after();
  const std::size_t room = max_tokens_ - before.size() - after.size();
  std::vector<std::uint32_t> ids;
  std::vector<std::size_t> lengths;
  std::vector<std::size_t> whose;  // of `texts`, for each of `lengths`
  const auto flush = [&] {
    const std::vector<float> rows = encoder_->encode(ids, lengths);
    std::size_t first = 0;
    for (std::size_t i = 0; i < lengths.size(); ++i) {
      pool(std::span(rows).subspan(first * dimension(), lengths[i] * dimension()),
           out.subspan(whose[i] * dimension(), dimension()));
      first += lengths[i];
    }
    ids.clear();
    lengths.clear();
    whose.clear();
  };
  std::vector<std::uint32_t> pieces;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    pieces.clear();
    const std::string_view text = first_characters(texts[i], max_tokens_ * characters_a_token);
    tokenizer_->encode(prefix_.before(text, role), room, pieces);
    if (pieces.empty()) continue;
    lengths.push_back(before.size() + pieces.size() + after.size());
    whose.push_back(i);
    ids.insert(ids.end(), before.begin(), before.end());
    ids.insert(ids.end(), pieces.begin(), pieces.end());
    ids.insert(ids.end(), after.begin(), after.end());
    if (ids.size() >= rows_at_once) flush();
  }
  if (!ids.empty()) flush();
}

void SentenceModel::pool(std::span<const float> rows, std::span<float> out) const {
  const std::size_t width = dimension();
  const std::size_t count = pooling_ == Pooling::first ? 1 : rows.size() / width;
  for (std::size_t row = 0; row < count; ++row) {
    for (std::size_t i = 0; i < width; ++i) out[i] += rows[row * width + i];
  }
  if (normalize_) {
    normalize(out);
    return;
  }
  const double scale = 1 / static_cast<double>(count);
  for (float& x : out) x = static_cast<float>(x * scale);
}

}  // namespace actionhist
