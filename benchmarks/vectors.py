"""The vector index against those of PyPI, each called from Python by one thread, one query at a time.

Usage: scripts/bench vectors --peers [--json] [--rows N] [--dimension N] [--queries N] [--rounds N]

Compares with those of usearch, chromadb and lancedb that can be imported, with the same M and efConstruction. For
each of them the narrowest search that reaches a recall is taken, and all take turns in each round; the median
counts. Filters are given to those that have them: a tenth and a hundredth of the rows match, whatever their vectors.
"""

import argparse
import statistics
import tempfile
import time

import numpy

import actionhist
from report import Report

M, EF_CONSTRUCTION, WANTED = 16, 64, 10
WIDTHS = (10, 14, 20, 28, 40, 56, 80, 112, 160, 224, 320, 448, 640)
RECALLS = (0.95, 0.99, 0.999)
SHARES = (10, 100)  # every so many rows match a filter


def clustered(rows, dimension, seed):
    """Unit vectors in a thousand clusters of long-tailed sizes, which fill 32 dimensions and some noise."""
    random = numpy.random.default_rng(seed)
    latent, clusters = 32, 1000
    mapping = numpy.random.default_rng(0).standard_normal((latent, dimension), dtype=numpy.float32)
    centres = numpy.random.default_rng(1).standard_normal((clusters, latent), dtype=numpy.float32)
    weights = 1 / numpy.sqrt(numpy.arange(1, clusters + 1))
    chosen = random.choice(clusters, rows, p=weights / weights.sum())
    along = centres[chosen] + 0.5 * random.standard_normal((rows, latent), dtype=numpy.float32)
    out = along @ mapping + 0.6 * random.standard_normal((rows, dimension), dtype=numpy.float32)
    return out / numpy.linalg.norm(out, axis=1, keepdims=True)


class Ours:
    name = "actionhist"
    filters = True

    def __init__(self, vectors, _folder):
        self.index = actionhist.SemanticIndex(vectors.shape[1], m=M, ef_construction=EF_CONSTRUCTION)
        fields = [{f"of{share}": i % share == 0 for share in SHARES} for i in range(len(vectors))]
        self.index.add([str(i) for i in range(len(vectors))], vectors, fields=fields)
        self.index.optimize()

    def search(self, query, width, share=None):
        where = None if share is None else {f"of{share}": True}
        return [int(hit.id) for hit in self.index.search(query, limit=WANTED, ef_search=width, where=where)]


class Usearch:
    filters = False

    def __init__(self, vectors, _folder, dtype="f32"):
        from usearch.index import Index

        self.name = f"usearch {dtype}"
        self.index = Index(
            ndim=vectors.shape[1], metric="ip", dtype=dtype, connectivity=M, expansion_add=EF_CONSTRUCTION
        )
        self.index.add(numpy.arange(len(vectors)), vectors, threads=1)

    def search(self, query, width, share=None):
        self.index.expansion_search = width
        return self.index.search(query, WANTED, threads=1).keys.tolist()


class UsearchHalf(Usearch):
    def __init__(self, vectors, folder):
        super().__init__(vectors, folder, "f16")


class Chroma:
    name = "chromadb"
    filters = True

    def __init__(self, vectors, folder):
        import chromadb

        client = chromadb.PersistentClient(folder)
        hnsw = {"space": "ip", "max_neighbors": M, "ef_construction": EF_CONSTRUCTION, "num_threads": 1}
        self.collection = client.create_collection("rows", configuration={"hnsw": hnsw}, embedding_function=None)
        self.width = None
        for begin in range(0, len(vectors), 5000):
            rows = range(begin, min(begin + 5000, len(vectors)))
            self.collection.add(
                ids=[str(i) for i in rows],
                embeddings=vectors[rows.start : rows.stop],
                metadatas=[{f"of{share}": i % share == 0 for share in SHARES} for i in rows],
            )

    def search(self, query, width, share=None):
        if width != self.width:
            self.collection.modify(configuration={"hnsw": {"ef_search": width}})
            self.width = width
        where = None if share is None else {f"of{share}": True}
        found = self.collection.query(query_embeddings=query[None], n_results=WANTED, where=where, include=[])
        return [int(i) for i in found["ids"][0]]


class Lance:
    name = "lancedb"
    filters = True

    def __init__(self, vectors, folder):
        import lancedb
        import pyarrow
        from lancedb.index import HnswSq

        flat = pyarrow.FixedSizeListArray.from_arrays(pyarrow.array(vectors.ravel()), vectors.shape[1])
        numbers = numpy.arange(len(vectors))
        columns = {"id": numbers, "vector": flat, **{f"of{share}": numbers % share == 0 for share in SHARES}}
        self.table = lancedb.connect(folder).create_table("rows", pyarrow.table(columns))
        graph = HnswSq(distance_type="dot", num_partitions=1, m=M, ef_construction=EF_CONSTRUCTION)
        self.table.create_index("vector", config=graph)

    def search(self, query, width, share=None):
        wanted = (
            self.table.search(query)
            .ef(max(width, 2 * WANTED))
            .refine_factor(2)
            .limit(WANTED)
            .select(["id", "_distance"])
        )
        if share is not None:
            wanted = wanted.where(f"of{share}", prefilter=True)
        return wanted.to_arrow()["id"].to_pylist()


def nearest(vectors, queries, share):
    passing = numpy.arange(0, len(vectors), share)
    scores = queries @ vectors[passing].T
    return passing[numpy.argpartition(-scores, WANTED, axis=1)[:, :WANTED]]


def recall(peer, queries, truth, width, share):
    found = sum(len(set(peer.search(query, width, share)) & set(row)) for query, row in zip(queries, truth.tolist()))
    return found / truth.size


def rate(peer, queries, width, share):
    begin = time.perf_counter()
    for query in queries:
        peer.search(query, width, share)
    return len(queries) / (time.perf_counter() - begin)


def compare(report, peers, vectors, queries, rounds, share=None):
    truth = nearest(vectors, queries, share or 1)
    widths = {}  # of each peer, those that reach each recall
    for peer in peers:
        reached = [(width, recall(peer, queries, truth, width, share)) for width in WIDTHS]
        widths[peer] = [next((width for width, got in reached if got >= least), None) for least in RECALLS]
    label = "" if share is None else f", 1 of {share} match"
    for least, *chosen in zip(RECALLS, *widths.values()):
        rates = {peer: [] for peer, width in zip(peers, chosen) if width is not None}
        for _ in range(rounds):
            for peer, width in zip(peers, chosen):
                if width is not None:
                    rates[peer].append(rate(peer, queries, width, share))
        medians = {peer: statistics.median(found) for peer, found in rates.items()}
        mine = medians.get(peers[0])
        for peer in peers[1:]:
            case = f"recall {least}{label} / {peer.name}"
            if mine is None or peer not in medians:
                report.add(f"{case}: never", "queries", mine or 0, "per s")
            else:
                report.add(case, "queries", mine, "per s", medians[peer], mine / medians[peer])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--dimension", type=int, default=384)
    parser.add_argument("--queries", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    vectors = clustered(arguments.rows, arguments.dimension, 2)
    queries = clustered(arguments.queries, arguments.dimension, 3)
    report = Report("vectors", arguments.json)
    peers = []
    with tempfile.TemporaryDirectory() as folder:
        for make in (Ours, Usearch, UsearchHalf, Chroma, Lance):
            begin = time.perf_counter()
            try:
                peers.append(make(vectors, f"{folder}/{make.__name__}"))
            except ImportError as missing:
                print(f"  {make.__name__}: left out: {missing}")
                continue
            took = time.perf_counter() - begin
            if make is Ours:
                own = took
            else:
                report.add(f"build / {peers[-1].name}", "time", own, "s", took, took / own)
        compare(report, peers, vectors, queries, arguments.rounds)
        for share in SHARES:
            compare(report, [one for one in peers if one.filters], vectors, queries, arguments.rounds, share)


if __name__ == "__main__":
    main()
