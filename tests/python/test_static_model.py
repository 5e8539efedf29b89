"""Static models, compared with model2vec and tokenizers on small models of random numbers."""

import io
import json
import random

import pytest

import actionhist

np = pytest.importorskip("numpy")
tokenizers = pytest.importorskip("tokenizers")
model2vec = pytest.importorskip("model2vec")
safetensors_numpy = pytest.importorskip("safetensors.numpy")

WORDS = """the pod crash loop ##ing ##s deploy ##ment restart of node disk is full memory . , - _ / : ( ) ! ? # [ ]
 a b c d e f g h i j k l m n o p q r s t u v w x y z 0 1 2 3 4 5 6 7 8 9 ##a ##b ##c ##d ##e ##f ##g ##h ##i
 ##k ##l ##n ##o ##p ##r ##t ##u ##0 ##1 cafe naive 高 負 荷 磁 盘 ß ##ß æ ø ł istanbul é ü √ € “ ” … – ﬁ""".split()

TEXTS = [
    "",
    "   \t\n ",
    "Pod crash-looping: restart the deployment of node-12!",
    "CAFÉ naïve Ünïcödé ÅÇÉ İstanbul ẞ ß ﬁ",
    "高負荷 disk満杯 磁盘is full",
    "zero\u200bwidth soft\u00adhyphen nul\x00 bell\x07 \ufffd \ufeff",
    "e\u0301 combining \u0323\u0301 a\u0327\u0301b",
    "[CLS] special [SEP] tokens [UNK] are text [PAD]",
    "emoji 🤖 🥰 and flags 🇩🇪 and math √2 ≤ € “quotes” … –",
    "x" * 99 + " " + "x" * 100 + " " + "x" * 101,
    "no\u00a0break\u2003space\u3000ideographic\u2028line\x85next\x0bvertical\x0cfeed",
    "the " * 2000,
    "한국어 हिन्दी עִבְרִית عَرَبِيّ ไทย",
    "▁ already ▁▁ marked  twice",
]


CONTRACTIONS = [
    "it's they're we've I'm you'll he'd don't IT'S 's 't",
    "a  b   c\n\nd \n e\t\tf\u00a0\u00a0g \u3000 h  ",
    "  two first, 123abc456 ½²x٣٤ ...!!! -- (a)[b]{c}",
    "_under_score-dash'quote''s x'sx 'sx",
]


def word_piece(
    lowercase=True,
    strip_accents=None,
    prefix="##",
    clean_text=True,
    chinese=True,
    special=("[PAD]", "[UNK]", "[CLS]", "[SEP]"),
):
    vocabulary = {t: i for i, t in enumerate(dict.fromkeys([*special, *WORDS]))}
    tokenizer = tokenizers.Tokenizer(
        tokenizers.models.WordPiece(vocabulary, unk_token="[UNK]", continuing_subword_prefix=prefix)
    )
    tokenizer.normalizer = tokenizers.normalizers.BertNormalizer(
        lowercase=lowercase, strip_accents=strip_accents, clean_text=clean_text, handle_chinese_chars=chinese
    )
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    tokenizer.add_special_tokens(list(special))
    return tokenizer


def unigram(split=True, scheme="always", byte_fallback=False, normalizer=None, special=("<unk>",)):
    rng = random.Random(5)
    pieces = list(special) + ([f"<0x{b:02X}>" for b in range(256)] if byte_fallback else [])
    pieces += ["▁"] + [w.replace("##", "") for w in WORDS] + ["▁" + w for w in WORDS if not w.startswith("##")]
    pieces += ["▁pod▁crash", "ing", "▁▁", "▁的"]
    vocabulary = [(p, 0.0 if p in special else -rng.uniform(2, 12)) for p in dict.fromkeys(pieces)]
    tokenizer = tokenizers.Tokenizer(
        tokenizers.models.Unigram(vocabulary, unk_id=special.index("<unk>"), byte_fallback=byte_fallback)
    )
    N = tokenizers.normalizers
    tokenizer.normalizer = normalizer or N.Sequence(
        [N.Replace("!", " ! "), N.Replace(tokenizers.Regex(r"\s+"), " "), N.Strip(left=False, right=True)]
    )
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Metaspace(prepend_scheme=scheme, split=split)
    tokenizer.add_special_tokens(list(special))
    return tokenizer


def byte_pairs(blank_first=False):
    """As RoBERTa's, of 900 pieces."""
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE())
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=blank_first)
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=900,
        initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<mask>"],
        show_progress=False,
    )
    tokenizer.train_from_iterator(TEXTS + CONTRACTIONS + random_texts(), trainer)
    return tokenizer


def nmt_nfkc():
    """The table of characters that SentencePiece puts into its models."""
    sentencepiece = pytest.importorskip("sentencepiece")
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(WORDS * 4), model_writer=model, vocab_size=99, hard_vocab_limit=False,
        minloglevel=2,
    )

    def fields(message):
        """Of a message of Protocol Buffers: numbers and the bytes that they name."""
        at = 0

        def number():
            nonlocal at
            value = shift = 0
            while True:
                byte = message[at]
                at += 1
                value |= (byte & 127) << shift
                shift += 7
                if byte < 128:
                    return value

        while at < len(message):
            key = number()
            size = {0: lambda: None, 1: lambda: 8, 2: number, 5: lambda: 4}[key & 7]()
            if size is None:
                number()
                continue
            yield key >> 3, message[at : at + size]
            at += size

    (normalizer,) = [value for name, value in fields(model.getvalue()) if name == 3]
    (table,) = [value for name, value in fields(normalizer) if name == 2]
    return table


def random_texts(count=300, seed=3):
    rng = random.Random(seed)
    # Characters that both Unicode versions know; others change category from one to the next.
    ranges = [(32, 127)] * 8 + [(0xA0, 0x17F), (0x370, 0x3FF), (0x400, 0x45F), (0x5D0, 0x5EA), (0x300, 0x33F)]
    ranges += [(0x900, 0x939), (0x2010, 0x2027), (0x3040, 0x30FF), (0x4E00, 0x4FFF), (0xAC00, 0xACFF), (0x1F600, 0x1F640)]
    texts = []
    for _ in range(count):
        parts = []
        for _ in range(rng.randrange(12)):
            if rng.random() < 0.5:
                parts.append(rng.choice(WORDS).replace("##", ""))
            else:
                low, high = rng.choice(ranges)
                parts.append("".join(chr(rng.randrange(low, high)) for _ in range(rng.randrange(1, 5))))
            parts.append(rng.choice(["", " ", "  ", "-"]))
        texts.append("".join(parts))
    return texts


def write(folder, tokenizer, vectors, config=None, **more):
    model = model2vec.StaticModel(vectors, tokenizer, config=config, normalize=(config or {}).get("normalize", False), **more)
    model.save_pretrained(folder)
    model = model2vec.StaticModel.from_pretrained(folder)
    # Names of special tokens in what users write are text to us.
    model.tokenizer.encode_special_tokens = True
    return model


def assert_same(folder, reference, texts, tolerance=2e-5):
    ours = np.array(actionhist.open_model(f"static:{folder}").embed(texts))
    theirs = np.asarray(reference.encode(texts), dtype=np.float32)
    for text, a, b in zip(texts, ours, theirs):
        if not text.strip(" \t\r\n"):
            b = np.zeros_like(b)  # no content, no vector, even where the reference knows a piece for a blank
        assert np.allclose(a, b, atol=tolerance, rtol=tolerance), repr(text)


@pytest.mark.parametrize(
    "make",
    [
        word_piece,
        lambda: word_piece(lowercase=False),
        lambda: word_piece(lowercase=True, strip_accents=False),
        lambda: word_piece(lowercase=False, strip_accents=True, clean_text=False, chinese=False),
        lambda: word_piece(prefix="t"),
        unigram,
        lambda: unigram(split=False),
        lambda: unigram(scheme="never"),
        lambda: unigram(byte_fallback=True),
        byte_pairs,
        lambda: byte_pairs(blank_first=True),
        lambda: unigram(normalizer=tokenizers.normalizers.Precompiled(nmt_nfkc())),
        lambda: unigram(
            normalizer=tokenizers.normalizers.Sequence(
                [
                    tokenizers.normalizers.NFKC(),
                    tokenizers.normalizers.Lowercase(),
                    tokenizers.normalizers.Replace(tokenizers.Regex(" {2,}"), " "),
                    tokenizers.normalizers.Strip(),
                ]
            )
        ),
        lambda: unigram(
            normalizer=tokenizers.normalizers.Sequence(
                [tokenizers.normalizers.NFD(), tokenizers.normalizers.StripAccents()]
            )
        ),
    ],
)
def test_texts_are_cut_and_averaged_as_the_reference_does(make, tmp_path):
    tokenizer = make()
    vectors = np.random.default_rng(1).standard_normal((tokenizer.get_vocab_size(), 16)).astype(np.float32)
    reference = write(tmp_path, tokenizer, vectors, {"normalize": True})
    assert_same(tmp_path, reference, TEXTS + CONTRACTIONS + random_texts())


@pytest.mark.parametrize("dtype, tolerance", [("float32", 2e-5), ("float16", 2e-3), ("int8", 2e-5), ("float64", 2e-5)])
def test_numbers_of_each_kind(dtype, tolerance, tmp_path):
    tokenizer = word_piece()
    vectors = np.random.default_rng(2).standard_normal((tokenizer.get_vocab_size(), 24))
    vectors = (vectors * 40).astype(np.int8) if dtype == "int8" else vectors.astype(dtype)
    assert_same(tmp_path, write(tmp_path, tokenizer, vectors), TEXTS, tolerance)


def test_a_reduced_vocabulary_with_weights(tmp_path):
    tokenizer = word_piece()
    rng = np.random.default_rng(3)
    size = tokenizer.get_vocab_size()
    reference = write(
        tmp_path,
        tokenizer,
        rng.standard_normal((20, 8)).astype(np.float32),
        {"normalize": False, "max_length": 7},
        weights=rng.random(size),
        token_mapping=rng.integers(0, 20, size),
        max_length=7,
    )
    assert_same(tmp_path, reference, TEXTS + random_texts(50))


def test_the_layout_of_sentence_transformers(tmp_path):
    tokenizer = word_piece()
    vectors = np.random.default_rng(4).standard_normal((tokenizer.get_vocab_size(), 8)).astype(np.float32)
    inner = tmp_path / "0_StaticEmbedding"
    inner.mkdir()
    safetensors_numpy.save_file({"embedding.weight": vectors}, inner / "model.safetensors")
    tokenizer.save(str(inner / "tokenizer.json"))
    (tmp_path / "config_sentence_transformers.json").write_text("{}")
    reference = model2vec.StaticModel.from_pretrained(tmp_path)
    reference.tokenizer.encode_special_tokens = True
    assert_same(tmp_path, reference, TEXTS)


@pytest.fixture
def folder(tmp_path):
    tokenizer = word_piece()
    vectors = np.random.default_rng(5).standard_normal((tokenizer.get_vocab_size(), 32)).astype(np.float32)
    write(tmp_path, tokenizer, vectors, {"normalize": True})
    return tmp_path


def test_the_space_is_the_contents_of_the_files(folder, tmp_path_factory):
    model = actionhist.open_model(f"static:{folder}")
    assert model.space_id.startswith("static/32/")
    copy = tmp_path_factory.mktemp("copy")
    for name in ("model.safetensors", "tokenizer.json", "config.json"):
        (copy / name).write_bytes((folder / name).read_bytes())
    assert actionhist.open_model(f"static:{copy}").space_id == model.space_id
    assert actionhist.open_model(f"static:{copy}", query_prefix="query: ").space_id != model.space_id
    (copy / "config.json").write_text('{"normalize": false}')
    assert actionhist.open_model(f"static:{copy}").space_id != model.space_id


def test_prefixes_go_before_texts_by_role(folder):
    plain = actionhist.open_model(f"static:{folder}")
    model = actionhist.open_model(f"static:{folder}", query_prefix="the ", document_prefix="pod ")
    assert model.embed(["disk"], "query")[0] == plain.embed(["the disk"])[0]
    assert model.embed(["disk"])[0] == plain.embed(["pod disk"])[0]


def test_a_history_searches_with_a_static_model(folder, restart, clock):
    with actionhist.open("memory:", clock=clock, model=f"static:{folder}") as h:
        h.record(restart("a-1"))
        (hit,) = h.similar("the pod is in a crash loop", fresh=True)
        assert hit.explain["space_id"].startswith("static/32/")
        assert hit.explain["similarity"] > 0


def test_what_is_wrong_with_a_model_is_named(folder):
    def refused(name, change, message):
        path = folder / name
        before = path.read_bytes()
        path.write_bytes(change(before))
        with pytest.raises(actionhist.InvalidArgument, match=message):
            actionhist.open_model(f"static:{folder}")
        path.write_bytes(before)

    def edited(edit):
        def change(before):
            tree = json.loads(before)
            edit(tree)
            return json.dumps(tree).encode()

        return change

    refused("model.safetensors", lambda b: b[:-1], "cut")
    refused("model.safetensors", lambda b: b[:5], "too short")
    refused("model.safetensors", lambda b: b"\xff" * 8 + b[8:], "header")
    refused("model.safetensors", lambda b: b.replace(b'"F32"', b'"F99"'), "F99")
    refused("model.safetensors", lambda b: b.replace(b"embeddings", b"embeddingz"), "embedding.weight")
    refused("model.safetensors", lambda b: b[:-4] + b"\x00\x00\xc0\x7f", "not finite")
    refused("tokenizer.json", lambda b: b[: len(b) // 2], "tokenizer.json: is not valid JSON")
    refused("tokenizer.json", edited(lambda t: t["model"].update(type="WordLevel")), '"WordLevel" is not offered')
    refused("tokenizer.json", edited(lambda t: t["normalizer"].update(type="Precompiled")), "charsmap: is missing")
    refused("tokenizer.json", edited(lambda t: t["normalizer"].update(type="Nmt")), '"Nmt"')
    refused("tokenizer.json", edited(lambda t: t["pre_tokenizer"].update(type="ByteLevel")), '"ByteLevel"')
    refused("tokenizer.json", edited(lambda t: t["model"].pop("vocab")), "model.vocab: is missing")
    refused("tokenizer.json", edited(lambda t: t["model"]["vocab"].update(new=10**9)), "1000000000")
    refused("tokenizer.json", edited(lambda t: t["model"]["vocab"].update(new=5000)), "5001 tokens")
    refused("tokenizer.json", edited(lambda t: t["added_tokens"][0].update(special=False)), "not special")
    refused("config.json", lambda b: b'{"normalize": 1}', "config.json.normalize")
    with pytest.raises(actionhist.NotFound, match="no folder"):
        actionhist.open_model("static:/nowhere/at/all")
    (folder / "tokenizer.json").unlink()
    with pytest.raises(actionhist.NotFound, match="tokenizer.json"):
        actionhist.open_model(f"static:{folder}")
    with pytest.raises(actionhist.InvalidArgument, match="word2vec"):
        actionhist.open_model("word2vec:somewhere")
    with pytest.raises(actionhist.InvalidArgument, match="colour"):
        actionhist.open_model("hashed-lexical", colour=1)
