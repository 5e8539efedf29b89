"""The index without a database."""

import math
import os
import random

import pytest

import actionhist


def unit(number, dimension=16):
    rng = random.Random(number)
    vector = [rng.gauss(0, 1) for _ in range(dimension)]
    length = math.sqrt(sum(x * x for x in vector))
    return [x / length for x in vector]


@pytest.fixture
def index():
    index = actionhist.SemanticIndex(16)
    index.add(
        [f"r{i}" for i in range(300)],
        [unit(i) for i in range(300)],
        texts=[f"pod number{i} restarts" for i in range(300)],
        fields=[{"bucket": i % 3, "labels": {"team": "db"}} for i in range(300)],
        versions=range(300),
    )
    return index


def test_finds_the_nearest_and_filters(index):
    hits = index.search(unit(7), limit=3)
    assert [hit.id for hit in hits][0] == "r7" and len(hits) == 3
    assert hits[0].similarity == pytest.approx(1, abs=1e-5)
    assert hits[0].distance == pytest.approx(0, abs=1e-5)
    assert "r7" in repr(hits[0])
    filtered = index.search(unit(7), where={"bucket": 0, "labels.team": "db"})
    assert len(filtered) == 10 and all(int(hit.id[1:]) % 3 == 0 for hit in filtered)
    assert "number12" in index.search(text="number12", limit=1)[0].matched_terms
    assert index.search(unit(7), exclude_id="r7", limit=1)[0].id != "r7"
    assert index.explain(unit(7), where={"bucket": 0})["matching"] == 100


def test_no_vectors_are_not_the_same_as_none(index):
    with pytest.raises(actionhist.InvalidArgument, match="vectors: has 0 rows, ids has 1"):
        index.add(["x"], [])
    index.add([], [])
    index.add(["x"], texts=["words alone"])
    assert len(index) == 301 and index.stats()["vectors"] == 300


def test_hits_that_differ(index):
    scale = [index.similarity_at(p) for p in (0, 50, 99, 100)]
    assert scale == sorted(scale) and -1 < scale[0] < scale[3] < 1
    near = index.search(unit(7), percentile=99, limit=300)
    assert near[0].id == "r7" and len(near) < 30 and near[-1].similarity >= scale[2]
    assert index.search(unit(7), limit=5, mmr_lambda=1)[4].id == index.search(unit(7), limit=5)[4].id
    assert index.search(unit(7), limit=5, mmr_lambda=0.2)[4].id != index.search(unit(7), limit=5)[4].id
    index.add(["twin"], [unit(7)])
    assert {"r7", "twin"} == {hit.id for hit in index.search(unit(7), limit=2)}
    assert "twin" not in {hit.id for hit in index.search(unit(7), limit=300, distinct=1)}
    with pytest.raises(actionhist.InvalidArgument, match="percentile"):
        index.search(text="number7", percentile=99)


def test_parts_count_by_weight():
    numpy = pytest.importorskip("numpy")
    index = actionhist.SemanticIndex(20, parts=[16, 4])
    texts = numpy.array([unit(i) for i in range(50)], dtype=numpy.float32)
    numbers = numpy.array([unit(i, 4) for i in range(50)], dtype=numpy.float32)[::-1]
    index.add([f"r{i}" for i in range(50)], numpy.hstack([texts, numbers]))
    asked = numpy.concatenate([texts[7], numbers[9]])
    assert index.search(asked, weights=[1, 0], limit=1)[0].id == "r7"
    best = index.search(asked, weights=numpy.array([1, 30]), limit=1)[0]
    assert best.id == "r9"
    assert best.parts[1] == pytest.approx(1, abs=1e-5)
    assert best.similarity == pytest.approx((best.parts[0] + 30 * best.parts[1]) / 31, abs=1e-5)
    assert index.search_many([asked, asked], weights=[1, 0], limit=1)[1][0].id == "r7"
    assert index.similarity_at(50, weights=[1, 0]) != index.similarity_at(50, weights=[0, 1])
    with pytest.raises(actionhist.InvalidArgument, match="weights"):
        index.search(asked, weights=[1])
    with pytest.raises(actionhist.InvalidArgument, match="parts"):
        actionhist.SemanticIndex(20, parts=[16, 3])


def test_every_search_takes_the_same_options(index):
    query = unit(7)
    (many,) = index.search_many([query], text="number12", vector_weight=0.2, limit=1)
    assert many[0].id == "r12" == index.search(query, text="number12", vector_weight=0.2, limit=1)[0].id
    for options in ({"threshold": 0.9}, {"percentile": 99.9}, {"exclude_id": "r7"}, {"mmr_lambda": 0.2}, {"distinct": 0.3}):
        (many,) = index.search_many([query], **options)
        assert [hit.id for hit in many] == [hit.id for hit in index.search(query, **options)]
        assert index.explain(query, **options)["matching"] == 300
    assert index.explain(text="number12")["route"] == "nothing"
    assert len(index.search_many([query], threshold=0.9)[0]) == 1


def test_vectors_and_what_they_cost(index):
    assert index.vector("r7") == pytest.approx(unit(7), abs=1e-6)
    assert index.vector("x") is None
    whole, codes = (actionhist.SemanticIndex.estimated_bytes(1000, 384, precision=p) for p in ("full", "byte"))
    assert whole >= codes + 1_536_000
    with pytest.raises(actionhist.InvalidArgument, match="dimension"):
        actionhist.SemanticIndex.estimated_bytes(1000, 0)


def test_changes(index):
    assert len(index) == 300 and "r5" in index and "x" not in index
    assert index.version("r5") == 5 and index.version("x") is None
    assert index.remove("r5") and not index.remove("r5")
    assert index.set_vector("r6", unit(1000)) and not index.set_vector("x", unit(1))
    assert index.search(unit(1000), limit=1)[0].id == "r6"
    assert index.set_fields("r6", {"bucket": 9})
    assert [hit.id for hit in index.search(unit(1), where={"bucket": 9})] == ["r6"]
    index.add(["new"], texts=["no vector yet"])
    assert index.search(text="vector", limit=1)[0].id == "new"
    index.optimize()
    assert index.stats()["rows"] == 300
    index.clear()
    assert len(index) == 0


def test_saved_and_opened(index, tmp_path):
    index.save(tmp_path / "index", note={"seq": 3})
    opened = actionhist.SemanticIndex.open(tmp_path / "index")
    assert opened.note == {"seq": 3} and opened.damage == ""
    assert [h.id for h in opened.search(unit(9))] == [h.id for h in index.search(unit(9))]
    with pytest.raises(actionhist.NotFound):
        actionhist.SemanticIndex.open(tmp_path / "none")
    manifest = tmp_path / "index" / "manifest"
    manifest.write_bytes(manifest.read_bytes()[:-5])
    with pytest.raises(actionhist.Corrupt, match="manifest"):
        actionhist.SemanticIndex.open(tmp_path / "index")


def test_what_does_not_fit_is_refused(index):
    with pytest.raises(actionhist.InvalidArgument, match="vectors"):
        index.add(["a", "b"], [unit(1)])
    with pytest.raises(actionhist.InvalidArgument, match="texts"):
        index.add(["a"], [unit(1)], texts=["x", "y"])
    with pytest.raises(actionhist.InvalidArgument, match="16"):
        index.add(["a"], [[1.0, 2.0]])
    with pytest.raises(actionhist.InvalidArgument, match="limit"):
        index.search(unit(1), limit=0)
    with pytest.raises(actionhist.InvalidArgument, match="metric"):
        actionhist.SemanticIndex(4, metric="manhattan")
    with pytest.raises(TypeError):
        index.add(["a"], [unit(1)], fields=["text"])
    with pytest.raises(actionhist.InvalidArgument, match=r"versions\[0\]"):
        index.add(["a"], [unit(1)], versions=[-1])
    assert len(index) == 300


@pytest.mark.parametrize("call, field", [
    (lambda i: i.search(unit(1), limit="ten"), "limit"),
    (lambda i: i.search(unit(1), threshold="high"), "threshold"),
    (lambda i: i.search(3), "vector"),
    (lambda i: i.explain(unit(1), ef_search=None), "ef_search"),
    (lambda i: i.search_many(unit(1)), "vectors"),
    (lambda i: i.search_many([unit(1)], mmr_lambda="much"), "mmr_lambda"),
    (lambda i: i.vector(3), "id"),
    (lambda i: i.remove(3), "id"),
    (lambda i: i.version(None), "id"),
    (lambda i: i.set_vector(None, unit(1)), "id"),
    (lambda i: i.set_fields(None, {}), "id"),
    (lambda i: i.add(["a"], [unit(1)], versions=["1"]), r"versions\[0\]"),
    (lambda i: i.similarity_at("all"), "percentile"),
    (lambda i: i.save(3), "os.PathLike"),
    (lambda i: 3 in i, "id"),
    (lambda i: actionhist.SemanticIndex("many"), "dimension"),
    (lambda i: actionhist.SemanticIndex(4, precision=2), "precision"),
])
def test_what_has_the_wrong_type_is_named(index, call, field):
    with pytest.raises(TypeError, match=field):
        call(index)


def test_numpy_arrays_are_read_where_they_lie():
    numpy = pytest.importorskip("numpy")
    rng = numpy.random.default_rng(3)
    vectors = rng.standard_normal((5000, 32), dtype=numpy.float32)
    for precision in ("full", "half", "byte"):
        index = actionhist.SemanticIndex(32, precision=precision, metric="inner_product")
        index.add([str(i) for i in range(5000)], vectors)
        index.optimize()
        assert index.stats()["linked"] == 5000
        exact = numpy.argsort(-(vectors[:20] @ vectors.T), axis=1)[:, :10]
        found = index.search_many(vectors[:20], limit=10)
        same = sum(len({int(h.id) for h in hits} & set(row.tolist())) for hits, row in zip(found, exact))
        assert same >= 180
    # Of another type, or not in C order: converted.
    index.add(["again"], vectors[:1].astype(numpy.float64))
    index.add(["back"], numpy.asfortranarray(vectors[:2])[1:])
    with pytest.raises(actionhist.InvalidArgument, match="dimensions"):
        index.add(["a"], vectors[0])


def test_after_a_fork_the_parent_goes_on_and_the_child_is_refused(index):
    index.search(unit(3))
    child = os.fork()
    if child == 0:
        status = 1
        try:
            index.search(unit(3))
        except actionhist.Unsupported:
            status = 0
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
    assert index.search(unit(3), limit=1)[0].id == "r3"
