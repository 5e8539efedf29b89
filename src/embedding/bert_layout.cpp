#include "embedding/bert_layout.hpp"

namespace actionhist {
namespace {

const std::array<BertLayout, 5> layouts = {{
    {.model_type = "bert", .prefix = "bert."},
    {.model_type = "roberta", .prefix = "roberta.", .positions_after_padding = true},
    {.model_type = "xlm-roberta", .prefix = "roberta.", .positions_after_padding = true},
    {.model_type = "mpnet",
     .prefix = "mpnet.",
     .query_key_value = {"attention.attn.q", "attention.attn.k", "attention.attn.v"},
     .attended = "attention.attn.o",
     .after_attention = "attention.LayerNorm",
     .token_types = false,
     .positions_after_padding = true,
     .relative_positions = true},
    {.model_type = "distilbert",
     .width = "dim",
     .heads = "n_heads",
     .layers = "n_layers",
     .inner = "hidden_dim",
     .activation = "activation",
     .prefix = "distilbert.",
     .layer = "transformer.layer",
     .query_key_value = {"attention.q_lin", "attention.k_lin", "attention.v_lin"},
     .attended = "attention.out_lin",
     .after_attention = "sa_layer_norm",
     .inner_layer = "ffn.lin1",
     .outer_layer = "ffn.lin2",
     .after_outer = "output_layer_norm",
     .token_types = false},
}};

}  // namespace

const BertLayout& bert_layout(const ModelJson& config) {
  const auto type = config.get<std::string_view>("model_type", "bert");
  std::string known;
  for (const BertLayout& layout : layouts) {
    if (type == layout.model_type) return layout;
    known += known.empty() ? "" : ", ";
    known += layout.model_type;
  }
  refuse(config.place("model_type"), fmt::format("\"{}\" is not offered; {} are", excerpt(type), known));
}

}  // namespace actionhist
