"""Models written in Python, and vectors as lists, arrays and buffers."""

import array

import pytest
from http_server import Server

import actionhist


class Letters:
    """One dimension a letter."""

    space_id = "letters/26/1"
    dimension = 26

    def embed(self, texts, role):
        assert role in ("document", "query")
        return [[float(text.lower().count(chr(97 + d))) for d in range(26)] for text in texts]


def test_a_model_places_texts_in_its_own_space(restart, clock):
    with actionhist.open("memory:", clock=clock, model=Letters()) as h:
        h.record(restart("a-1"))
        (hit,) = h.similar("crashes", fresh=True)
        assert hit.explain["space_id"] == "letters/26/1"
        c = [0.0] * 26
        c[2] = 1
        for vector in (c, tuple(c), array.array("f", c), array.array("d", c), (x for x in c)):
            assert h.similar(vector=vector)[0].explain["similarity"] == pytest.approx(
                h.similar(vector=c)[0].explain["similarity"]
            )
        with pytest.raises(actionhist.InvalidArgument, match="26"):
            h.similar(vector=array.array("f", [1, 2]))


def test_a_model_behind_a_server_of_this_process_is_opened_by_uri(clock, restart):
    def answer(handler, body):
        data = [{"index": i, "embedding": [1.0, float(len(text))]} for i, text in enumerate(body["input"])]
        handler.answer(200, {"data": data})

    server = Server(answer)
    try:
        with actionhist.open("memory:", clock=clock, model=server.url()) as h:
            h.record(restart("a-1"))
            assert h.similar("crashes", fresh=True)[0].trace.action_id == "a-1"
    finally:
        server.close()


def test_numpy_vectors(restart, clock):
    numpy = pytest.importorskip("numpy")
    with actionhist.open("memory:", clock=clock, model=Letters()) as h:
        h.record(restart("a-1"))
        assert h.wait_indexed(60)
        vector = numpy.zeros(26, dtype=numpy.float32)
        vector[2] = 1
        expected = h.similar(vector=vector)[0].explain["similarity"]
        assert h.similar(vector=vector.astype(numpy.float64))[0].explain["similarity"] == expected
        assert h.similar(vector=numpy.repeat(vector, 2)[::2])[0].explain["similarity"] == expected
        assert h.similar(vector=vector.astype(numpy.int32))[0].explain["similarity"] == expected
        with pytest.raises(actionhist.InvalidArgument, match="2 dimensions"):
            h.similar(vector=numpy.stack([vector, vector]))
        vector[0] = numpy.nan
        with pytest.raises(actionhist.InvalidArgument, match=r"vector\[0\]"):
            h.similar(vector=vector)


def test_numbers_that_no_float_holds_are_refused(history):
    for bad in ([1e300], array.array("d", [1e300]), [float("nan")]):
        with pytest.raises(actionhist.InvalidArgument, match=r"vector\[0\]"):
            history.similar(vector=bad)


def test_words_answer_while_the_model_raises(restart, clock):
    class Broken(Letters):
        down = False

        def embed(self, texts, role):
            if self.down:
                raise LookupError("no such word")
            return super().embed(texts, role)

    model = Broken()
    with actionhist.open("memory:", clock=clock, model=model) as h:
        h.record(restart("a-1"))
        assert h.wait_indexed(60)
        model.down = True
        [hit] = h.similar("crashes")
        assert hit.trace.action_id == "a-1"
        assert "no such word" in hit.explain["fallback"]
        assert h.recommend("crashes")["actions"] is not None
        assert h.context("crashes")
        # What cannot be indexed now is not waited for.
        h.record(restart("a-2"))
        assert "no such word" in h.similar("crashes", fresh=True)[0].explain["fallback"]


def test_what_stops_the_program_goes_through_a_model(clock):
    class Stopped(Letters):
        def embed(self, texts, role):
            raise KeyboardInterrupt

    with actionhist.open("memory:", clock=clock, model=Stopped()) as h:
        assert h.wait_indexed(60)
        with pytest.raises(KeyboardInterrupt):
            h.similar("crashes")


def test_a_model_that_fails_for_stored_texts_is_said_in_health(restart, clock):
    class Broken(Letters):
        def embed(self, texts, role):
            raise LookupError("no such word")

    with actionhist.open("memory:", clock=clock, model=Broken()) as h:
        h.record(restart("a-1"))
        for _ in range(6000):
            if "no such word" in (h.health().get("index_error") or ""):
                break
            h.wait_indexed(0.02)
        assert "no such word" in h.health()["index_error"]
        assert h.get("a-1") is not None


@pytest.mark.parametrize(
    "answer, message",
    [([], "0 vectors for 1"), ([[1.0]], "1, not 26"), ([["x"] * 26], "a number")],
)
def test_a_model_that_answers_nonsense_is_refused(answer, message, clock):
    class Nonsense(Letters):
        def embed(self, texts, role):
            return answer

    with actionhist.open("memory:", clock=clock, model=Nonsense()) as h:
        assert h.wait_indexed(60)
        with pytest.raises((actionhist.InvalidArgument, TypeError), match=message):
            h.similar("crashes")


def test_a_model_that_fails_is_asked_less_and_less_often(restart, clock):
    class Failing(Letters):
        calls = 0

        def embed(self, texts, role):
            self.calls += 1
            raise RuntimeError("out of credit")

    model = Failing()
    with actionhist.open("memory:", clock=clock, model=model) as h:
        h.record(restart("a-1"))
        assert h.wait_indexed(2) is False
        # After 0, .1, .3, .7 and 1.5 s; many more if nothing held it back.
        assert 1 <= model.calls <= 10
        assert "out of credit" in h.health()["index_error"]


@pytest.mark.parametrize("attribute, value", [("space_id", ""), ("dimension", 0), ("dimension", 10**9)])
def test_a_model_must_say_what_it_is(attribute, value):
    model = Letters()
    setattr(model, attribute, value)
    with pytest.raises(actionhist.InvalidArgument, match=attribute):
        actionhist.open("memory:", model=model)


def test_something_else_is_no_model():
    with pytest.raises(TypeError, match="space_id, dimension and embed"):
        actionhist.open("memory:", model=object())
