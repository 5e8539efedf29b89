"""The async twins: same answers, and a loop that goes on."""

import asyncio
import inspect
import os
import threading

import pytest

import actionhist


def test_each_call_has_its_twin():
    without = {"action", "checkpoints", "close", "closed", "items", "run", "tracked"}
    public = {name for name in dir(actionhist.History) if not name.startswith("_")} - without - {"aclose"}
    twins = {name for name in public if inspect.iscoroutinefunction(getattr(actionhist.History, name))}
    assert twins == {"a" + name for name in public - twins}


def test_the_story_of_an_action(restart, clock):
    async def story():
        async with actionhist.open("memory:", clock=clock) as h:
            assert (await h.arecord(restart("a-1"))).stored
            verdict = await h.apropose(action_type="scale_deployment", kind="Deployment", name="web")
            assert verdict.allowed
            done = await h.acomplete(verdict.trace.action_id, effectiveness_score=0.5)
            assert done.effectiveness_score == 0.5
            assert len(await h.ahistory(limit=10)) == 2
            assert (await h.asimilar("pod crashes", fresh=True))[0].trace.action_id == "a-1"
            assert (await h.ahealth())["ready"]
            with pytest.raises(actionhist.NotFound, match="nobody"):
                await h.acomplete("nobody")
            with pytest.raises(TypeError):
                await h.aget(5)
        assert h.closed
        with pytest.raises(actionhist.InvalidArgument, match="closed"):
            await h.arecord(restart("a-2"))

    asyncio.run(story())


def test_the_loop_goes_on_while_a_call_waits(restart):
    async def both():
        async with actionhist.open("memory:", worker=False) as h:
            h.record(restart("a-1"))
            waiting = asyncio.create_task(h.await_indexed(timeout=0.5))
            turns = 0
            while not waiting.done():
                await asyncio.sleep(0.001)
                turns += 1
            assert await waiting is False
            assert turns > 5

    asyncio.run(both())


def test_a_hundred_at_once(restart):
    async def many():
        async with actionhist.open("memory:") as h:
            await asyncio.gather(*(h.arecord(restart(f"a-{i}")) for i in range(100)))
            assert await h.await_indexed(60)
            found = await asyncio.gather(*(h.asimilar("pod crashes", limit=3) for _ in range(100)))
            assert all(len(hits) == 3 for hits in found)

    asyncio.run(many())


def test_two_event_loops_share_one_history(restart):
    failures = []
    with actionhist.open("memory:") as h:

        def loop(i):
            async def records():
                await asyncio.gather(*(h.arecord(restart(f"{i}-{n}")) for n in range(20)))

            try:
                asyncio.run(records())
            except Exception as failure:
                failures.append(failure)

        threads = [threading.Thread(target=loop, args=(i,)) for i in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not failures
        assert len(h.history(limit=100)) == 40


def test_a_cancelled_task_leaves_its_call_to_end_by_itself(restart, tmp_path):
    async def cancel():
        async with actionhist.open(tmp_path / "x.db", worker=False) as h:
            h.record(restart("a-1"))
            task = asyncio.create_task(h.await_indexed(timeout=0.2))
            await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert (await h.aget("a-1")).action_id == "a-1"

    asyncio.run(cancel())


def test_closing_answers_calls_that_wait(restart):
    async def close_early():
        h = actionhist.open("memory:")
        tasks = [asyncio.create_task(h.arecord(restart(f"a-{i}"))) for i in range(200)]
        await asyncio.sleep(0)
        await h.aclose()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        for result in results:
            assert isinstance(result, (actionhist.Trace, actionhist.InvalidArgument))

    asyncio.run(close_early())


def test_in_a_child_after_fork_the_twins_refuse_at_once(restart):
    async def warm(h):
        await h.arecord(restart("a-1"))

    with actionhist.open("memory:") as h:
        asyncio.run(warm(h))
        child = os.fork()
        if child == 0:
            status = 1
            try:
                asyncio.run(h.aget("a-1"))
            except actionhist.Unsupported:
                status = 0
            finally:
                os._exit(status)
        assert os.waitpid(child, 0)[1] == 0
        assert h.get("a-1").action_type == "restart_deployment"


def test_the_twin_says_what_it_is():
    assert actionhist.History.arecord.__name__ == "arecord"
    assert "event loop" in actionhist.History.arecord.__doc__
    assert list(inspect.signature(actionhist.History.asimilar).parameters)[:3] == ["self", "text", "action_id"]
