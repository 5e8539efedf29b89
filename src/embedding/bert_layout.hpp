// What the families of models with BERT's layers call their parts, and where they differ. Plain data; any thread.
#pragma once

#include <array>
#include <string_view>

#include "embedding/model_json.hpp"

namespace actionhist {

struct BertLayout {
  // In config.json.
  std::string_view model_type;
  std::string_view width = "hidden_size";
  std::string_view heads = "num_attention_heads";
  std::string_view layers = "num_hidden_layers";
  std::string_view inner = "intermediate_size";
  std::string_view activation = "hidden_act";

  // In model.safetensors. Those after `layer` stand behind it and the layer's number.
  std::string_view prefix;  // which some files have before all names
  std::string_view layer = "encoder.layer";
  std::array<std::string_view, 3> query_key_value = {"attention.self.query", "attention.self.key",
                                                     "attention.self.value"};
  std::string_view attended = "attention.output.dense";
  std::string_view after_attention = "attention.output.LayerNorm";
  std::string_view inner_layer = "intermediate.dense";
  std::string_view outer_layer = "output.dense";
  std::string_view after_outer = "output.LayerNorm";

  bool token_types = true;
  // Texts begin at the position behind that of the padding token, not at 0.
  bool positions_after_padding = false;
  // Each head adds to a score what it has learnt for the distance between the two tokens.
  bool relative_positions = false;
};

// Throws Error: invalid_argument, naming the families that there are, for a "model_type" of another.
const BertLayout& bert_layout(const ModelJson& config);

}  // namespace actionhist
