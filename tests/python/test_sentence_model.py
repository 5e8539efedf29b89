"""Sentence-transformers with BERT's layers, compared with a reference written from the formula, on small models of
random numbers; where torch and transformers are installed, with those too."""

import json
import math

import pytest

import actionhist

np = pytest.importorskip("numpy")
tokenizers = pytest.importorskip("tokenizers")
save_file = pytest.importorskip("safetensors.numpy").save_file

from test_static_model import TEXTS, random_texts, word_piece  # noqa: E402

CONFIG = {
    "model_type": "bert",
    "hidden_size": 48,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 96,
    "hidden_act": "gelu",
    "layer_norm_eps": 1e-12,
    "max_position_embeddings": 64,
    "type_vocab_size": 2,
}


def tokenizer_of():
    tokenizer = word_piece()
    cls, sep = tokenizer.token_to_id("[CLS]"), tokenizer.token_to_id("[SEP]")
    tokenizer.post_processor = tokenizers.processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", cls), ("[SEP]", sep)]
    )
    return tokenizer


def random_tensors(vocabulary, seed=1, prefix=""):
    rng = np.random.default_rng(seed)
    d, inner = CONFIG["hidden_size"], CONFIG["intermediate_size"]

    def matrix(*shape):
        return rng.normal(0, 0.3, shape).astype(np.float32)

    tensors = {
        "embeddings.word_embeddings.weight": matrix(vocabulary, d),
        "embeddings.position_embeddings.weight": matrix(CONFIG["max_position_embeddings"], d),
        "embeddings.token_type_embeddings.weight": matrix(2, d),
    }

    def norm(name):
        tensors[name + ".weight"] = 1 + matrix(d)
        tensors[name + ".bias"] = matrix(d)

    def linear(name, outputs, inputs):
        tensors[name + ".weight"] = matrix(outputs, inputs)
        tensors[name + ".bias"] = matrix(outputs)

    norm("embeddings.LayerNorm")
    for i in range(CONFIG["num_hidden_layers"]):
        at = f"encoder.layer.{i}."
        for part in ("query", "key", "value"):
            linear(at + "attention.self." + part, d, d)
        linear(at + "attention.output.dense", d, d)
        norm(at + "attention.output.LayerNorm")
        linear(at + "intermediate.dense", inner, d)
        linear(at + "output.dense", d, inner)
        norm(at + "output.LayerNorm")
    return {prefix + name: tensor for name, tensor in tensors.items()}


def reference(tensors, ids):
    """The last layer of BERT in double precision."""
    t = {name.removeprefix("bert."): tensor.astype(np.float64) for name, tensor in tensors.items()}
    heads, d = CONFIG["num_attention_heads"], CONFIG["hidden_size"]
    erf = np.vectorize(math.erf)

    def norm(x, name):
        x = x - x.mean(axis=1, keepdims=True)
        x = x / np.sqrt((x**2).mean(axis=1, keepdims=True) + CONFIG["layer_norm_eps"])
        return x * t[name + ".weight"] + t[name + ".bias"]

    def linear(x, name):
        return x @ t[name + ".weight"].T + t[name + ".bias"]

    x = t["embeddings.word_embeddings.weight"][ids] + t["embeddings.token_type_embeddings.weight"][0]
    x = norm(x + t["embeddings.position_embeddings.weight"][: len(ids)], "embeddings.LayerNorm")
    for i in range(CONFIG["num_hidden_layers"]):
        at = f"encoder.layer.{i}."
        q, k, v = (
            linear(x, at + "attention.self." + part).reshape(len(ids), heads, d // heads).transpose(1, 0, 2)
            for part in ("query", "key", "value")
        )
        scores = q @ k.transpose(0, 2, 1) / math.sqrt(d // heads)
        scores = np.exp(scores - scores.max(axis=2, keepdims=True))
        scores /= scores.sum(axis=2, keepdims=True)
        attended = (scores @ v).transpose(1, 0, 2).reshape(len(ids), d)
        x = norm(x + linear(attended, at + "attention.output.dense"), at + "attention.output.LayerNorm")
        inner = linear(x, at + "intermediate.dense")
        inner = inner * 0.5 * (1 + erf(inner / math.sqrt(2)))
        x = norm(x + linear(inner, at + "output.dense"), at + "output.LayerNorm")
    return x


def write(folder, tensors, tokenizer, pooling="mean", normalize=True, longest=32, config=None):
    save_file(tensors, folder / "model.safetensors")
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "config.json").write_text(json.dumps({**CONFIG, "vocab_size": tokenizer.get_vocab_size(), **(config or {})}))
    kinds = ["Transformer", "Pooling"] + ["Normalize"] * normalize
    (folder / "modules.json").write_text(
        json.dumps([
            {"idx": i, "name": str(i), "path": f"{i}_{kind}" if i else "", "type": f"sentence_transformers.models.{kind}"}
            for i, kind in enumerate(kinds)
        ])
    )
    (folder / "1_Pooling").mkdir(exist_ok=True)
    flags = {"word_embedding_dimension": CONFIG["hidden_size"]}
    flags |= {f"pooling_mode_{p}": p == {"mean": "mean_tokens", "cls": "cls_token"}[pooling]
              for p in ("cls_token", "mean_tokens", "max_tokens", "mean_sqrt_len_tokens")}
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(flags))
    (folder / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": longest, "do_lower_case": False}))


def expected(tensors, tokenizer, text, pooling, normalize, longest):
    tokenizer.encode_special_tokens = True  # names of special tokens in a text are text
    tokenizer.enable_truncation(longest)
    ids = tokenizer.encode(text).ids
    if len(ids) == 2:
        return np.zeros(CONFIG["hidden_size"])
    rows = reference(tensors, ids)
    vector = rows[0] if pooling == "cls" else rows.mean(axis=0)
    return vector / np.linalg.norm(vector) if normalize else vector


@pytest.mark.parametrize("pooling, normalize, prefix", [("mean", True, ""), ("cls", True, "bert."), ("mean", False, "")])
def test_vectors_are_those_of_the_formula(pooling, normalize, prefix, tmp_path):
    tokenizer = tokenizer_of()
    tensors = random_tensors(tokenizer.get_vocab_size(), prefix=prefix)
    write(tmp_path, tensors, tokenizer, pooling, normalize)
    texts = TEXTS + random_texts(40)
    model = actionhist.open_model(f"sentence:{tmp_path}")
    assert model.dimension == CONFIG["hidden_size"]
    together = np.array(model.embed(texts))
    for text, ours in zip(texts, together):
        theirs = expected(tensors, tokenizer, text, pooling, normalize, 32)
        assert np.allclose(ours, theirs, atol=2e-5 * max(1.0, np.abs(theirs).max())), repr(text)
    # A text's vector does not depend on what it is embedded with.
    for text, ours in list(zip(texts, together))[:20]:
        assert np.allclose(ours, np.array(model.embed([text])[0]), atol=1e-5)


def test_the_reference_is_transformers_own(tmp_path):
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    tokenizer = tokenizer_of()
    tensors = random_tensors(tokenizer.get_vocab_size())
    config = transformers.BertConfig(**{**CONFIG, "vocab_size": tokenizer.get_vocab_size()})
    bert = transformers.BertModel(config, add_pooling_layer=False).eval()
    bert.load_state_dict({n: torch.from_numpy(t.copy()) for n, t in tensors.items()}, strict=False)
    for text in random_texts(20):
        ids = tokenizer.encode(text).ids
        with torch.no_grad():
            theirs = bert(torch.tensor([ids])).last_hidden_state[0].numpy()
        assert np.allclose(reference(tensors, ids), theirs, atol=1e-4)


def test_half_precision_and_old_names(tmp_path):
    tokenizer = tokenizer_of()
    tensors = random_tensors(tokenizer.get_vocab_size())
    halves = {n: t.astype(np.float16) for n, t in tensors.items()}
    old = {n.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): t
           for n, t in halves.items()}
    write(tmp_path, old, tokenizer)
    rounded = {n: t.astype(np.float32) for n, t in halves.items()}
    ours = np.array(actionhist.open_model(f"sentence:{tmp_path}").embed(["the pod is in a crash loop"])[0])
    theirs = expected(rounded, tokenizer, "the pod is in a crash loop", "mean", True, 32)
    assert np.dot(ours, theirs) > 0.99999


def test_prefixes_and_spaces(tmp_path):
    tokenizer = tokenizer_of()
    write(tmp_path, random_tensors(tokenizer.get_vocab_size()), tokenizer)
    plain = actionhist.open_model(f"sentence:{tmp_path}")
    model = actionhist.open_model(f"sentence:{tmp_path}", query_prefix="the ")
    assert plain.space_id.startswith("sentence/48/") and model.space_id != plain.space_id
    assert model.embed(["disk"], "query")[0] == plain.embed(["the disk"])[0]
    assert model.embed(["disk"])[0] == plain.embed(["disk"])[0]
    assert not any(model.embed([" "], "query")[0])


def test_what_is_wrong_with_a_model_is_named(tmp_path):
    tokenizer = tokenizer_of()
    tensors = random_tensors(tokenizer.get_vocab_size())

    def refused(message, tensors=tensors, **how):
        write(tmp_path, tensors, tokenizer, **how)
        with pytest.raises(actionhist.InvalidArgument, match=message):
            actionhist.open_model(f"sentence:{tmp_path}")

    refused('"roberta" is not offered', config={"model_type": "roberta"})
    refused('"relu" is not offered', config={"hidden_act": "relu"})
    refused("does not divide", config={"num_attention_heads": 5})
    refused("encoder.layer.3.attention.self.query", config={"num_hidden_layers": 4})
    refused("48 × 96, config.json wants 48 × 95|96 × 48, config.json wants 95 × 48", config={"intermediate_size": 95})
    refused("no room", longest=2)
    name = "encoder.layer.1.output.dense.bias"
    refused("not finite", tensors={**tensors, name: tensors[name] * np.float32(np.nan)})
    refused("no tensor", tensors={n: t for n, t in tensors.items() if n != name})
    rows = "embeddings.word_embeddings.weight"
    refused("tokens, model.safetensors has vectors for 20", tensors={**tensors, rows: tensors[rows][:20]})
    write(tmp_path, tensors, tokenizer)
    pooling = tmp_path / "1_Pooling" / "config.json"
    pooling.write_text('{"pooling_mode_max_tokens": true}')
    with pytest.raises(actionhist.InvalidArgument, match="pooling_mode_max_tokens is not offered"):
        actionhist.open_model(f"sentence:{tmp_path}")
    pooling.write_text('{"pooling_mode": "mean"}')
    actionhist.open_model(f"sentence:{tmp_path}")
    modules = tmp_path / "modules.json"
    modules.write_text(modules.read_text().replace("Normalize", "Dense"))
    with pytest.raises(actionhist.InvalidArgument, match="Dense"):
        actionhist.open_model(f"sentence:{tmp_path}")
