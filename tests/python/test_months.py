"""Months of PostgreSQL that leave the database for a file and come back."""

import asyncio

import pytest

import actionhist
import postgres

MARCH = "2024-03"


@pytest.fixture(scope="module")
def uri():
    if not postgres.PROGRAMS.exists():
        pytest.skip(f"needs {postgres.PROGRAMS}")
    with postgres.server() as uri:
        with actionhist.open(uri, tenant="t", semantic=False) as history:
            history.record(action_id="old", action_type="restart", action_timestamp="2024-03-05T00:00:00Z")
        yield uri


def stored(uri):
    with actionhist.open(uri, tenant="t", semantic=False) as history:
        return history.get("old") is not None


def test_a_month_goes_into_a_file_and_comes_back(uri, tmp_path):
    steps = []
    months = actionhist.PostgresMonths(
        uri, postgres={"schema": "actionhist"}, progress=lambda step, actions: steps.append(step))
    assert {"month": MARCH, "state": "present"}.items() <= months.list()[0].items()
    assert months.ensure(5) and months.ensure(5) == []
    archived = months.archive(MARCH, tmp_path)
    assert archived["actions"] == 1 and (tmp_path / archived["file"]).exists() and steps
    assert not stored(uri) and months.list()[0]["state"] == "archived"
    months.restore(MARCH, tmp_path)
    assert stored(uri)
    asyncio.run(months.adetach(MARCH))
    assert asyncio.run(months.alist())[0]["state"] == "detached"
    months.restore(MARCH)


def test_what_progress_raises_ends_the_work_which_may_be_done_again(uri, tmp_path):
    def stop(step, actions):
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        actionhist.PostgresMonths(uri, progress=stop).archive(MARCH, tmp_path)
    months = actionhist.PostgresMonths(uri)
    months.archive(MARCH, tmp_path)
    months.restore(MARCH, tmp_path)
    assert stored(uri)


def test_progress_may_not_use_the_months_that_call_it(uri, tmp_path):
    def ask_again(step, actions):
        months.list()

    months = actionhist.PostgresMonths(uri, progress=ask_again)
    with pytest.raises(actionhist.InvalidArgument, match="a callback must not call what calls it"):
        months.archive(MARCH, tmp_path)
    months = actionhist.PostgresMonths(uri)
    months.archive(MARCH, tmp_path)
    months.restore(MARCH, tmp_path)


def test_misuse_is_named():
    with pytest.raises(actionhist.Unsupported, match="only a memory in PostgreSQL has months"):
        actionhist.PostgresMonths("memory:")
    with pytest.raises(TypeError, match="uri"):
        actionhist.PostgresMonths(None)
    with pytest.raises(TypeError, match="progress"):
        actionhist.PostgresMonths("postgresql://h/d", progress=3)
    with pytest.raises(actionhist.InvalidArgument, match="postgres.pool"):
        actionhist.PostgresMonths("postgresql://h/d", postgres={"pool": 3})
    months = actionhist.PostgresMonths("postgresql://nobody@/none?host=/nowhere")
    with pytest.raises(actionhist.Unavailable):
        months.list()
    for month in ("2024-13", "March", ""):
        with pytest.raises(actionhist.InvalidArgument, match="month"):
            months.detach(month)
    with pytest.raises(TypeError, match="month"):
        months.detach(202403)
    with pytest.raises(actionhist.InvalidArgument, match="ahead"):
        months.ensure(-1)
    with pytest.raises(TypeError, match="PostgresMonths: cannot be pickled"):
        __import__("pickle").dumps(months)
