"""Embedding spaces: a change of model, vectors from elsewhere, and what the model refuses."""

import array
import asyncio

import pytest

import actionhist

KINDS = [
    ("OutOfMemory", "increase_memory", "the container was killed because its memory limit is too low"),
    ("DiskFull", "expand_volume", "the volume has no free space left and writes fail"),
    ("BadConfig", "patch_configmap", "a mounted setting is invalid, so that the process aborts at start"),
]


class Letters:
    """One dimension a letter; refuses what it is told to."""

    space_id = "letters/26/1"
    dimension = 26
    refused = ""

    def embed(self, texts, role):
        if self.refused and any(self.refused in text for text in texts):
            raise actionhist.InvalidArgument(f"the model refuses {self.refused}")
        return [[1.0 + text.lower().count(chr(97 + d)) for d in range(26)] for text in texts]


@pytest.fixture
def troubles(restart):
    """A function that makes three kinds of trouble, each solved in its own way."""

    def make(each):
        return [
            restart(
                f"a-{i}",
                alert_name=KINDS[i % 3][0],
                action_type=KINDS[i % 3][1],
                model_reasoning=f"{KINDS[i % 3][2]}, seen in case number {i * 7919 % 1000}",
                execution_status="completed",
                effectiveness_score=0.9,
            )
            for i in range(3 * each)
        ]

    return make


def by_id(history):
    return {space["space_id"]: space for space in history.spaces()}


def test_a_fitted_model_is_kept_as_a_space_and_switched_to(history, troubles):
    history.record_many(troubles(20))
    assert history.wait_indexed(60)
    (first,) = history.spaces()
    assert first["active"] and first["vectors"] == 60 and first["missing"] == 0
    passes = []
    fitted = history.fit_space(dimension=16, progress=lambda done, left: passes.append((done, left)))
    assert passes[0][0] == 60 and passes[-1][1] == 0
    assert fitted["fitted"] and fitted["dimension"] <= 16
    assert by_id(history)[first["space_id"]]["active"]
    seen = []
    result = history.switch_space(fitted["space_id"], force=True, progress=lambda done, left: seen.append(left))
    assert result["switched"] and result["previous"] == first["space_id"] and result["embedded"] == 60
    assert seen and seen[-1] == 0
    assert by_id(history)[fitted["space_id"]]["active"]
    with pytest.raises(actionhist.Conflict):
        history.drop_space(fitted["space_id"])
    assert history.drop_space(first["space_id"]) is True
    assert history.drop_space("nosuch") is False
    with pytest.raises(actionhist.NotFound, match="nosuch"):
        history.switch_space("nosuch")


def test_vectors_from_elsewhere_are_imported_from_lists_buffers_and_numpy(history, troubles):
    history.record_many(troubles(2))
    numpy = pytest.importorskip("numpy")
    rows = numpy.random.default_rng(1).standard_normal((6, 8), dtype=numpy.float32)
    ids = [f"a-{i}" for i in range(6)]
    assert history.import_vectors("mine/8", ids[:2], rows[:2]) == {"stored": 2, "present": 0, "unknown": 0}
    assert history.import_vectors("mine/8", (i for i in ids[2:4]), rows[2:4].astype(numpy.float64))["stored"] == 2
    assert history.import_vectors("mine/8", ids[4:5], [array.array("f", rows[4])])["stored"] == 1
    again = history.import_vectors("mine/8", ["a-0", "nobody", "a-5"], rows[[0, 1, 5]])
    assert again == {"stored": 1, "present": 1, "unknown": 1}
    assert by_id(history)["mine/8"]["vectors"] == 6
    assert history.import_vectors("mine/8", [], [])["stored"] == 0


def test_vectors_that_do_not_fit_are_refused_by_name(history, troubles):
    history.record_many(troubles(1))
    with pytest.raises(actionhist.InvalidArgument, match="vectors: has 1 rows, ids has 2"):
        history.import_vectors("mine/2", ["a-0", "a-1"], [[1, 2]])
    with pytest.raises(actionhist.InvalidArgument, match="vectors"):
        history.import_vectors("mine/2", ["a-0", "a-1"], [[1, 2], [1]])
    with pytest.raises(actionhist.InvalidArgument, match=r"vectors\[0\]\[1\]"):
        history.import_vectors("mine/2", ["a-0"], [[1, float("nan")]])
    with pytest.raises(actionhist.InvalidArgument, match="space_id"):
        history.import_vectors("", ["a-0"], [[1, 2]])
    for arguments in ((None, ["a-0"], [[1, 2]]), ("mine/2", [5], [[1, 2]]), ("mine/2", ["a-0"], 5)):
        with pytest.raises(TypeError):
            history.import_vectors(*arguments)
    assert "mine/2" not in by_id(history)
    assert history.import_vectors("mine/2", ["a-0"], [[1, 2]])["stored"] == 1
    with pytest.raises(actionhist.Conflict):
        history.import_vectors("mine/2", ["a-1"], [[1, 2, 3]])


def test_a_backfill_embeds_what_was_recorded_without_an_index(clock, troubles):
    with actionhist.open("memory:", clock=clock, semantic=False) as h:
        h.record_many(troubles(10))
        seen = []
        assert h.backfill(lambda done, left: seen.append((done, left))) == 30
        assert seen[-1] == (30, 0)
        assert h.backfill() == 0


def test_what_progress_raises_ends_the_work_which_goes_on_with_the_next_call(clock, troubles):
    with actionhist.open("memory:", clock=clock, semantic=False) as h:
        h.record_many(troubles(10))

        def stop(done, left):
            raise KeyError("enough")

        with pytest.raises(KeyError, match="enough"):
            h.backfill(stop)
        h.backfill()
        assert h.spaces()[0]["missing"] == 0
        for wrong in (5, "progress"):
            with pytest.raises(TypeError, match="progress"):
                h.backfill(wrong)
            with pytest.raises(TypeError, match="progress"):
                h.switch_space("letters/26/1", progress=wrong)


def test_texts_that_the_model_refuses_are_listed_and_tried_again_when_asked(clock, restart):
    model = Letters()
    model.refused = "poison"
    with actionhist.open("memory:", clock=clock, model=model, worker=False) as h:
        h.record_many([restart("bad", model_reasoning="a poison text"), restart("good")])
        for _ in range(20):
            if h.failed_subjects():
                break
            h.backfill()
        (failed,) = h.failed_subjects()
        assert failed["subject_id"] == "bad" and "poison" in failed["error"] and failed["attempts"] > 0
        assert by_id(h)["letters/26/1"]["vectors"] == 1
        model.refused = ""
        assert h.retry_failed(["good"]) == 0
        assert h.retry_failed() == 1
        h.backfill()
        assert h.failed_subjects() == []
        assert by_id(h)["letters/26/1"]["vectors"] == 2


def test_a_memory_says_how_well_it_finds(history, troubles):
    history.record_many(troubles(20))
    assert history.wait_indexed(60)
    found = history.evaluate(queries=30)
    assert found["documents"] == 60 and 0 < found["queries"] <= 30
    (space,) = found["spaces"]
    assert 0.5 < space["with_words"]["ndcg"] <= 1 and 0 < found["words"]["mrr"] <= 1
    with pytest.raises(actionhist.InvalidArgument, match="queries"):
        history.evaluate(queries=0)
    with pytest.raises(actionhist.NotFound, match="nosuch"):
        history.evaluate(spaces=["nosuch"])


def test_numbers_out_of_range_are_refused_by_name(history):
    for arguments in ({"dimension": 1}, {"documents": 2**31}, {"documents": 3}, {"seed": -1}):
        with pytest.raises(actionhist.InvalidArgument, match=next(iter(arguments))):
            history.fit_space(**arguments)
    with pytest.raises(actionhist.InvalidArgument, match="limit"):
        history.failed_subjects(0)


def test_too_little_to_fit_says_how_to_have_more(history):
    with pytest.raises(actionhist.InvalidArgument, match="there are 0; what was just recorded"):
        history.fit_space()


def test_the_twins_do_the_same(clock, troubles):
    async def story():
        async with actionhist.open("memory:", clock=clock, semantic=False) as h:
            await h.arecord_many(troubles(10))
            seen = []
            assert await h.abackfill(lambda done, left: seen.append(left)) == 30
            assert seen[-1] == 0
            fitted = await h.afit_space(dimension=8)
            assert (await h.aswitch_space(fitted["space_id"], force=True))["switched"]
            assert {space["space_id"] for space in await h.aspaces()} >= {fitted["space_id"]}
            assert await h.afailed_subjects() == []

    asyncio.run(story())
