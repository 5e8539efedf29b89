"""Embedding models against the libraries that people run them with, each called from Python on one core.

Usage: scripts/bench embedding --peers [--json] [--seconds N] [--rounds N] [--model FOLDER]

The models are written for the run by the libraries themselves, of random numbers in the sizes of published ones; with
--model a folder of sentence-transformers is compared instead of the last. All take turns in each round, what counts is
the processor's time, and of the rounds the median. The cosine is the least between a vector of ours and the other's.
"""

import argparse
import os
import random
import statistics
import tempfile
import time

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"

import model2vec  # noqa: E402
import numpy  # noqa: E402
from sentence_transformers import SentenceTransformer  # noqa: E402
from sentence_transformers.sentence_transformer import modules  # noqa: E402
import tokenizers  # noqa: E402
import torch  # noqa: E402
import transformers  # noqa: E402
from report import Report  # noqa: E402
from sklearn.feature_extraction.text import HashingVectorizer  # noqa: E402

import actionhist  # noqa: E402

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
VOCABULARY = 30_000


def word(i):
    return "".join(chr(ord("a") + i // 26**place % 26) for place in range(4))


def texts_of(words, count=256):
    rng = random.Random(7)
    return [" ".join(word(rng.randrange(VOCABULARY)) for _ in range(words)) for _ in range(count)]


def tokenizer():
    vocabulary = {token: i for i, token in enumerate(SPECIAL + [word(i) for i in range(VOCABULARY)])}
    made = tokenizers.Tokenizer(tokenizers.models.WordPiece(vocabulary, unk_token="[UNK]"))
    made.normalizer = tokenizers.normalizers.BertNormalizer()
    made.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    made.add_special_tokens(SPECIAL)
    made.post_processor = tokenizers.processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return made


def write_static(folder):
    """As potion-base-8M is: 256 numbers a token."""
    vectors = numpy.random.default_rng(1).standard_normal((VOCABULARY + len(SPECIAL), 256)).astype(numpy.float32)
    model2vec.StaticModel(vectors, tokenizer(), normalize=True).save_pretrained(folder)


def write_sentence(folder):
    """As all-MiniLM-L6-v2 is."""
    torch.manual_seed(1)
    config = transformers.BertConfig(
        vocab_size=VOCABULARY + len(SPECIAL), hidden_size=384, num_hidden_layers=6, num_attention_heads=12,
        intermediate_size=1536,
    )
    transformers.BertModel(config).save_pretrained(f"{folder}/bert")
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer(), pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]",
        model_max_length=256,
    ).save_pretrained(f"{folder}/bert")
    layers = [modules.Transformer(f"{folder}/bert"), modules.Pooling(384), modules.Normalize()]
    SentenceTransformer(modules=layers, device="cpu").save(folder)


def rate(embed, texts, batch, seconds):
    done = 0
    begin = time.process_time()
    while True:
        at = done % (len(texts) - batch + 1)
        embed(texts[at : at + batch])
        done += batch
        took = time.process_time() - begin
        if took >= seconds:
            return done / took


def least_cosine(ours, theirs, texts):
    a, b = (numpy.asarray(embed(texts), dtype=numpy.float64) for embed in (ours, theirs))
    return float(((a * b).sum(axis=1) / numpy.linalg.norm(a, axis=1) / numpy.linalg.norm(b, axis=1)).min())


def compare(report, arguments, case, ours, peer, theirs, texts, batch, same=True):
    if same:
        report.add(f"{case} / {peer}", "cosine", least_cosine(ours, theirs, texts[:64]), "least")
    rates = []
    for _ in range(arguments.rounds + 1):  # the first warms up
        rates.append([rate(embed, texts, batch, arguments.seconds) for embed in (ours, theirs)])
    mine, other = (statistics.median(column) for column in zip(*rates[1:]))
    ratio = statistics.median(a / b for a, b in rates[1:])
    report.add(f"{case} / {peer}", "texts", mine, "per s", other, ratio)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--model")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    transformers.utils.logging.disable_progress_bar()
    report = Report("embedding", arguments.json)

    hashed = actionhist.open_model("hashed-lexical")
    vectorizer = HashingVectorizer(analyzer="char_wb", ngram_range=(3, 5), n_features=1024)
    long = texts_of(26)
    compare(report, arguments, "hashed", hashed.embed, "scikit-learn", vectorizer.transform, long, 32, False)

    with tempfile.TemporaryDirectory() as folder:
        write_static(folder)
        ours, theirs = actionhist.open_model(f"static:{folder}"), model2vec.StaticModel.from_pretrained(folder)
        compare(report, arguments, "static", ours.embed, "model2vec", theirs.encode, texts_of(28), 32)

    with tempfile.TemporaryDirectory() as folder:
        if arguments.model is None:
            write_sentence(folder)
        source = arguments.model or folder
        ours = actionhist.open_model(f"sentence:{source}")
        theirs = SentenceTransformer(source, device="cpu")
        for batch in (1, 32):
            compare(
                report, arguments, f"sentence, {batch} at once", ours.embed, "torch",
                lambda texts: theirs.encode(texts, show_progress_bar=False), texts_of(30), batch,
            )


if __name__ == "__main__":
    main()
