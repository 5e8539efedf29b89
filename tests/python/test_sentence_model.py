"""Sentence-transformers with BERT's layers, compared with a reference written from the formula, on small models of
random numbers of each family; where torch and transformers are installed, with those too."""

import json
import math

import pytest

import actionhist

np = pytest.importorskip("numpy")
tokenizers = pytest.importorskip("tokenizers")
save_file = pytest.importorskip("safetensors.numpy").save_file

from test_static_model import (  # noqa: E402
    CONTRACTIONS,
    TEXTS,
    byte_pairs,
    nmt_nfkc,
    random_texts,
    unigram,
    word_piece,
)

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


def mpnet_tokenizer():
    tokenizer = word_piece(special=("<s>", "<pad>", "</s>", "[UNK]", "<mask>"))
    tokenizer.post_processor = tokenizers.processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    return tokenizer


def roberta_tokenizer(blank_first=False):
    tokenizer = byte_pairs(blank_first)
    tokenizer.post_processor = tokenizers.processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    return tokenizer


def xlm_roberta_tokenizer(special=("<s>", "<pad>", "</s>", "<unk>")):
    P = tokenizers.pre_tokenizers
    tokenizer = unigram(special=special, normalizer=tokenizers.normalizers.Precompiled(nmt_nfkc()))
    tokenizer.pre_tokenizer = P.Sequence([P.WhitespaceSplit(), P.Metaspace()])
    tokenizer.post_processor = tokenizers.processors.TemplateProcessing(
        single=f"{special[0]} $A {special[2]}", special_tokens=[(special[0], 0), (special[2], 2)]
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


# What each family calls the parts that BERT calls otherwise, the first that fits; nothing for what it has not.
NAMES = {
    "bert": [],
    "roberta": [],
    "xlm-roberta": [],
    "mpnet": [
        ("embeddings.token_type_embeddings", None),
        ("attention.self.query", "attention.attn.q"),
        ("attention.self.key", "attention.attn.k"),
        ("attention.self.value", "attention.attn.v"),
        ("attention.output.dense", "attention.attn.o"),
        ("attention.output.LayerNorm", "attention.LayerNorm"),
    ],
    "distilbert": [
        ("embeddings.token_type_embeddings", None),
        ("attention.self.query", "attention.q_lin"),
        ("attention.self.key", "attention.k_lin"),
        ("attention.self.value", "attention.v_lin"),
        ("attention.output.dense", "attention.out_lin"),
        ("attention.output.LayerNorm", "sa_layer_norm"),
        ("intermediate.dense", "ffn.lin1"),
        ("output.dense", "ffn.lin2"),
        ("output.LayerNorm", "output_layer_norm"),
    ],
}
DISTILBERT_KEYS = {
    "hidden_size": "dim",
    "num_hidden_layers": "n_layers",
    "num_attention_heads": "n_heads",
    "intermediate_size": "hidden_dim",
    "hidden_act": "activation",
}
TOKENIZERS = {
    "bert": tokenizer_of,
    "roberta": roberta_tokenizer,
    "xlm-roberta": xlm_roberta_tokenizer,
    "mpnet": mpnet_tokenizer,
    "distilbert": tokenizer_of,
}
AFTER_PADDING = ("roberta", "xlm-roberta", "mpnet")  # whose positions begin behind that of the padding token


def tensors_of(family, vocabulary):
    """A model in BERT's names; without tokens' types the formula adds zeros."""
    tensors = random_tensors(vocabulary)
    if family in ("mpnet", "distilbert"):
        tensors["embeddings.token_type_embeddings.weight"] *= 0
    if family == "mpnet":
        shape = (32, CONFIG["num_attention_heads"])
        bias = np.random.default_rng(7).normal(0, 2, shape).astype(np.float32)
        tensors["encoder.relative_attention_bias.weight"] = bias
    return tensors


def as_family(tensors, family):
    out = {}
    for name, tensor in tensors.items():
        new = next(((old, to) for old, to in NAMES[family] if old in name), ("", ""))
        if new[1] is None:
            continue
        name = name.replace(*new) if new[0] else name
        out[name.replace("encoder.layer", "transformer.layer") if family == "distilbert" else name] = tensor
    return out


def config_of(family, **more):
    config = {**CONFIG, "model_type": family, **more}
    if family == "distilbert":
        config = {DISTILBERT_KEYS.get(key, key): value for key, value in config.items()}
    return config


def distance_buckets(length):
    """In which of 32 buckets each distance falls, as MPNet's authors say it."""
    distance = np.arange(length)[None, :] - np.arange(length)[:, None]
    size = np.maximum(np.abs(distance), 1).astype(np.float32)
    far = 8 + (np.log(size / 8) / np.float32(math.log(16)) * 8).astype(np.int64)
    return np.where(np.abs(distance) < 8, np.abs(distance), np.minimum(far, 15)) + 16 * (distance > 0)


def reference(tensors, ids, family="bert"):
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
    first = 2 if family in AFTER_PADDING else 0
    places = t["embeddings.position_embeddings.weight"][first : first + len(ids)]
    x = norm(x + places, "embeddings.LayerNorm")
    by_distance = 0.0
    if family == "mpnet":
        by_distance = t["encoder.relative_attention_bias.weight"][distance_buckets(len(ids))].transpose(2, 0, 1)
    for i in range(CONFIG["num_hidden_layers"]):
        at = f"encoder.layer.{i}."
        q, k, v = (
            linear(x, at + "attention.self." + part).reshape(len(ids), heads, d // heads).transpose(1, 0, 2)
            for part in ("query", "key", "value")
        )
        scores = q @ k.transpose(0, 2, 1) / math.sqrt(d // heads) + by_distance
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


def expected(tensors, tokenizer, text, pooling, normalize, longest, family="bert"):
    tokenizer.encode_special_tokens = True  # names of special tokens in a text are text
    tokenizer.enable_truncation(longest)
    ids = tokenizer.encode(text).ids
    if len(ids) == 2:
        return np.zeros(CONFIG["hidden_size"])
    rows = reference(tensors, ids, family)
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


# Long enough for all of MPNet's buckets.
LONG = {"max_position_embeddings": 202}


@pytest.fixture
def long_texts(monkeypatch):
    monkeypatch.setitem(CONFIG, "max_position_embeddings", LONG["max_position_embeddings"])
    return TEXTS + CONTRACTIONS + random_texts(60) + ["".join(random_texts(30))]


@pytest.mark.parametrize("family", NAMES)
def test_each_family_is_read(family, long_texts, tmp_path):
    tokenizer = TOKENIZERS[family]()
    tensors = tensors_of(family, tokenizer.get_vocab_size())
    write(tmp_path, as_family(tensors, family), tokenizer, longest=200, config=config_of(family))
    for text, ours in zip(long_texts, np.array(actionhist.open_model(f"sentence:{tmp_path}").embed(long_texts))):
        theirs = expected(tensors, tokenizer, text, "mean", True, 200, family)
        if not text.strip(" \t\r\n") or not theirs.any():
            assert not ours.any(), repr(text)
        else:
            assert np.dot(ours, theirs) > 0.99999, repr(text)


@pytest.mark.parametrize("family", NAMES)
def test_the_reference_is_transformers_own(family, long_texts):
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    torch.set_num_threads(1)
    tokenizer = TOKENIZERS[family]()
    tensors = tensors_of(family, tokenizer.get_vocab_size())
    config = config_of(family, vocab_size=tokenizer.get_vocab_size(), type_vocab_size=2, pad_token_id=1)
    model = transformers.AutoModel.from_config(
        transformers.AutoConfig.for_model(config.pop("model_type"), **config), attn_implementation="eager"
    ).eval()
    named = {name: torch.from_numpy(tensor.copy()) for name, tensor in as_family(tensors, family).items()}
    missing, unexpected = model.load_state_dict(named, strict=False)
    assert not unexpected and not [name for name in missing if "pooler" not in name and "position_ids" not in name]
    tokenizer.enable_truncation(200)
    for text in long_texts[-20:]:
        ids = tokenizer.encode(text).ids
        with torch.no_grad():
            theirs = model(torch.tensor([ids])).last_hidden_state[0].numpy()
        assert np.allclose(reference(tensors, ids, family), theirs, atol=1e-4)


def test_byte_pairs_may_put_a_blank_first(tmp_path):
    tokenizer = roberta_tokenizer(blank_first=True)
    tensors = tensors_of("roberta", tokenizer.get_vocab_size())
    write(tmp_path, tensors, tokenizer, config={"model_type": "roberta"})
    model = actionhist.open_model(f"sentence:{tmp_path}")
    texts = TEXTS[2:] + CONTRACTIONS + random_texts(30)
    for text, ours in zip(texts, np.array(model.embed(texts))):
        if text.strip(" \t\r\n"):
            theirs = expected(tensors, tokenizer, text, "mean", True, 32, "roberta")
            assert np.dot(ours, theirs) > 0.99999, repr(text)
    assert not any(model.embed([""])[0])


@pytest.mark.parametrize("family", NAMES)
def test_old_files_do_not_say_what_they_hold(family, tmp_path):
    tokenizer = TOKENIZERS[family]()
    write(tmp_path, as_family(tensors_of(family, tokenizer.get_vocab_size()), family), tokenizer, config=config_of(family))
    texts = random_texts(10)
    now = actionhist.open_model(f"sentence:{tmp_path}").embed(texts)
    tree = json.loads((tmp_path / "tokenizer.json").read_text())
    del tree["model"]["type"]
    if "merges" in tree["model"]:
        tree["model"]["merges"] = [" ".join(pair) for pair in tree["model"]["merges"]]
    (tmp_path / "tokenizer.json").write_text(json.dumps(tree))
    assert np.array_equal(now, actionhist.open_model(f"sentence:{tmp_path}").embed(texts))


def test_names_of_special_tokens_are_text_to_unigrams(tmp_path):
    tokenizer = xlm_roberta_tokenizer()
    tensors = tensors_of("xlm-roberta", tokenizer.get_vocab_size())
    write(tmp_path, tensors, tokenizer, config={"model_type": "xlm-roberta"})
    # The same model, whose special tokens have names that nobody writes.
    hidden = xlm_roberta_tokenizer(special=("\ue000s", "\ue000pad", "\ue000/s", "<unk>"))
    text = "pod </s> crash <s> loop<pad>"
    ours = np.array(actionhist.open_model(f"sentence:{tmp_path}").embed([text])[0])
    assert np.dot(ours, expected(tensors, hidden, text, "mean", True, 32, "xlm-roberta")) > 0.99999


@pytest.mark.parametrize("prompts, query, document", [
    ({"prompts": {"query": "the ", "passage": "pod "}}, "the ", "pod "),
    ({"prompts": {"query": "", "document": "pod ", "passage": "disk "}}, "", "pod "),
    ({"prompts": {"clustering": "the "}, "default_prompt_name": "clustering"}, "the ", "the "),
    ({"prompts": {"clustering": "the "}}, "", ""),
    ({"prompts": None}, "", ""),
])
def test_prompts_of_the_model_are_its_prefixes(prompts, query, document, tmp_path):
    tokenizer = tokenizer_of()
    write(tmp_path, random_tensors(tokenizer.get_vocab_size()), tokenizer)
    plain = actionhist.open_model(f"sentence:{tmp_path}")
    (tmp_path / "config_sentence_transformers.json").write_text(json.dumps(prompts))
    model = actionhist.open_model(f"sentence:{tmp_path}")
    assert model.embed(["crash"], "query")[0] == plain.embed([query + "crash"])[0]
    assert model.embed(["crash"])[0] == plain.embed([document + "crash"])[0]
    chosen = actionhist.open_model(f"sentence:{tmp_path}", query_prefix="loop ")
    assert chosen.embed(["crash"], "query")[0] == plain.embed(["loop crash"])[0]


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

    refused('"modernbert" is not offered', config={"model_type": "modernbert"})
    refused("leaves none of 64 positions", config={"model_type": "roberta", "pad_token_id": 63})
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
