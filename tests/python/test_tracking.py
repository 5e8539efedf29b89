"""Actions around code: history.action() and @history.tracked."""

import asyncio
import inspect
import threading
import time

import pytest

import actionhist
from actionhist._tracking import TrackedAction

WEB = {"kind": "Deployment", "namespace": "prod", "name": "web"}


def budget_of_one(history):
    history.put_pattern(
        pattern_id="action-budget", pattern_type="action-budget", min_occurrences=1, time_window_minutes=60
    )


def test_a_block_is_an_action(history):
    with history.action(action_type="restart_deployment", **WEB) as a:
        assert a.verdict.allowed
        assert history.get(a.trace.action_id).execution_status == "executing"
        a.outcome(effectiveness_score=0.5, resource_state_after={"ready": 3})
    stored = history.get(a.trace.action_id)
    assert stored == a.trace
    assert stored.execution_status == "completed"
    assert stored.effectiveness_score == 0.5
    assert stored.resource_state_after == {"ready": 3}


def test_a_block_that_raises_failed_and_raises_on(history):
    with pytest.raises(ZeroDivisionError), history.action(action_type="restart_deployment", **WEB) as a:
        1 / 0
    stored = history.get(a.trace.action_id)
    assert stored.execution_status == "failed"
    assert stored.execution_error == "ZeroDivisionError: division by zero"


def test_a_block_that_is_stopped_was_cancelled(history):
    with pytest.raises(KeyboardInterrupt), history.action(action_type="restart_deployment", **WEB) as a:
        raise KeyboardInterrupt
    assert history.get(a.trace.action_id).execution_status == "cancelled"


def test_the_block_may_say_its_status(history):
    with history.action(action_type="restart_deployment", **WEB) as a:
        a.outcome(status="rolled-back")
    assert a.trace.execution_status == "rolled-back"


def test_a_refused_block_does_not_run(history, clock):
    budget_of_one(history)
    with history.action(action_type="restart_deployment", **WEB):
        pass
    clock.advance(minutes=1)
    with pytest.raises(actionhist.Refused) as refused, history.action(action_type="restart_deployment", **WEB):
        pytest.fail("it ran")
    assert refused.value.verdict.detections[0].pattern_type == "action-budget"
    assert str(refused.value) == refused.value.verdict.reason
    assert len(history.history()) == 1


def test_an_action_of_two_agents_runs_once(history):
    action = {"action_id": "alert-4711", "action_type": "restart_deployment", **WEB}
    with history.action(action) as a:
        with pytest.raises(actionhist.Conflict, match="executing already"), history.action(action):
            pytest.fail("it ran twice")
        assert history.get("alert-4711") == a.trace
    with pytest.raises(actionhist.Conflict, match="completed already"), history.action(action):
        pytest.fail("it ran again")
    # Somebody proposed it and died, or an answer was lost.
    action["action_id"] = "alert-4712"
    history.propose(action)
    with history.action(action) as b:
        assert b.verdict.repeated
    assert history.get("alert-4712").execution_status == "completed"


def test_an_action_is_used_once(history):
    a = history.action(action_type="restart_deployment")
    with a:
        pass
    with pytest.raises(RuntimeError, match="another"), a:
        pass


def test_a_wrong_outcome_does_not_hide_the_error_of_the_block(history):
    with pytest.raises(ZeroDivisionError), history.action(action_type="restart_deployment") as a:
        a.outcome(effectiveness_score=7)
        1 / 0
    assert [trace.execution_status for trace in history.history()] == ["failed"]


def test_an_action_is_completed_without_an_outcome_that_is_wrong(history):
    with pytest.raises(actionhist.InvalidArgument, match="effectiveness_score") as refused:
        with history.action(action_type="restart_deployment") as a:
            a.outcome(effectiveness_score=7)
    assert "completed without" in refused.value.__notes__[0]
    assert a.trace.execution_status == "completed"
    assert history.get(a.trace.action_id) == a.trace


def test_an_outcome_takes_what_complete_takes(history):
    taken, completed = (inspect.signature(f).parameters for f in (TrackedAction.outcome, actionhist.History.complete))
    assert set(taken) == set(completed) - {"action_id", "correction"}
    with pytest.raises(TypeError, match="score"):
        with history.action(action_type="restart_deployment") as a:
            a.outcome(score=1)
    assert a.trace.execution_status == "failed"


def test_a_tracked_function_is_an_action_for_each_call(history):
    @history.tracked
    def scale(service, replicas=2, *, labels=(), target=None):
        """Scales."""
        return f"{service}={replicas}"

    assert scale.__name__ == "scale"
    assert scale.__doc__ == "Scales."
    assert scale("web", labels=["a"], target=object) == "web=2"
    (trace,) = history.history()
    assert trace.action_type == "scale"
    assert trace.action_parameters == {"service": "web", "labels": ["a"], "target": "<class 'object'>"}
    assert trace.execution_status == "completed"


def test_a_tracked_function_may_describe_itself(history):
    @history.tracked(
        action_type="scale_deployment", describe=lambda service, replicas: {**WEB, "name": service}
    )
    def scale(service, replicas):
        raise ValueError("no quota")

    with pytest.raises(ValueError, match="no quota"):
        scale("web", 3)
    (trace,) = history.history(kind="Deployment", name="web")
    assert trace.action_type == "scale_deployment"
    assert trace.action_parameters == {"service": "web", "replicas": 3}
    assert trace.execution_error == "ValueError: no quota"


def test_tracked_methods_leave_out_self(history):
    class Agent:
        @history.tracked
        def restart(self, pod):
            return pod

    assert Agent().restart("p") == "p"
    assert history.history()[0].action_parameters == {"pod": "p"}


def test_a_tracked_generator_is_an_action_until_it_ends(history, clock):
    @history.tracked
    def drain(pods):
        received = []
        for pod in pods:
            try:
                received.append((yield pod))
            except LookupError:
                received.append("thrown")
        return received

    def status():
        return history.history(limit=1)[0].execution_status

    items = drain(["a", "b", "c"])
    assert history.history() == []
    assert next(items) == "a" and status() == "executing"
    assert items.send("sent") == "b" and items.throw(LookupError()) == "c"
    with pytest.raises(StopIteration) as ended:
        next(items)
    assert ended.value.value == ["sent", "thrown", None] and status() == "completed"
    clock.advance(minutes=1)
    failing = drain(5)
    with pytest.raises(TypeError):
        next(failing)
    assert status() == "failed"
    clock.advance(minutes=1)
    stopped = drain(["a", "b"])
    next(stopped)
    stopped.close()
    assert status() == "cancelled"


def test_a_tracked_async_generator_is_an_action_until_it_ends(history, clock):
    closed = []

    @history.tracked
    async def drain(pods):
        received = []
        try:
            for pod in pods:
                try:
                    received.append((yield pod))
                except LookupError:
                    received.append("thrown")
            yield received
        finally:
            closed.append(pods)

    def status():
        return history.history(limit=1)[0].execution_status

    async def story():
        items = drain(["a", "b", "c"])
        assert await anext(items) == "a" and status() == "executing"
        assert await items.asend("sent") == "b" and await items.athrow(LookupError()) == "c"
        assert await anext(items) == ["sent", "thrown", None]
        with pytest.raises(StopAsyncIteration):
            await anext(items)
        assert status() == "completed"
        clock.advance(minutes=1)
        with pytest.raises(TypeError):
            await anext(drain(5))
        assert status() == "failed"
        clock.advance(minutes=1)
        stopped = drain("ab")
        await anext(stopped)
        await stopped.aclose()
        assert status() == "cancelled" and closed[-1] == "ab"
        assert [item async for item in drain("")] == [[]]

    asyncio.run(story())


class WithoutStart:
    """A History on which an action cannot start."""

    def __init__(self, history):
        self.propose, self.complete = history.propose, history.complete

    def start(self, action_id):
        raise actionhist.Unavailable("the disk is full")


def test_an_action_that_cannot_start_was_cancelled(history):
    action = {"action_type": "restart_deployment", "action_id": "a-1", **WEB}
    with pytest.raises(actionhist.Unavailable, match="disk"), TrackedAction(WithoutStart(history), action):
        pytest.fail("it ran")
    with pytest.raises(actionhist.Conflict, match="cancelled already"), history.action(action):
        pytest.fail("it ran")
    stored = history.get("a-1")
    assert stored.execution_status == "cancelled"
    assert stored.execution_error == "before it began: Unavailable: the disk is full"


def test_an_action_that_was_proposed_before_is_left_as_it_is(history):
    action = {"action_type": "restart_deployment", "action_id": "a-1", **WEB}
    history.propose(action)
    with pytest.raises(actionhist.Unavailable), TrackedAction(WithoutStart(history), action):
        pytest.fail("it ran")
    assert history.get("a-1").execution_status == "pending"


def test_async_blocks_and_functions(history):
    @history.tracked(kind="Pod", name="p")
    async def restart_pod(grace):
        await asyncio.sleep(0)
        return grace

    async def story():
        assert await restart_pod(5) == 5
        async with history.action(action_type="scale_deployment", **WEB) as a:
            await asyncio.sleep(0)
        assert a.trace.execution_status == "completed"

        async def slow():
            async with history.action(action_type="drain_node") as b:
                slow.action = b
                await asyncio.sleep(60)

        task = asyncio.create_task(slow())
        while not hasattr(slow, "action"):
            await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert history.get(slow.action.trace.action_id).execution_status == "cancelled"

    asyncio.run(story())
    assert history.history(kind="Pod")[0].action_parameters == {"grace": 5}


def test_a_task_cancelled_while_it_asks_leaves_an_action_that_never_began(history):
    asked, may_answer = threading.Event(), threading.Event()
    propose = history.propose

    class Slow:
        start, complete, run = history.start, history.complete, history.run

        @staticmethod
        def propose(fields):
            verdict = propose(fields)
            asked.set()
            may_answer.wait()
            return verdict

    async def story():
        async def work():
            async with TrackedAction(Slow, {"action_type": "restart_deployment", "action_id": "a-1", **WEB}):
                pytest.fail("it ran")

        task = asyncio.create_task(work())
        while not asked.is_set():
            await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        may_answer.set()
        while history.get("a-1").execution_status == "pending":
            await asyncio.sleep(0.001)

    asyncio.run(story())
    stored = history.get("a-1")
    assert stored.execution_status == "cancelled" and stored.execution_start_time is None
    assert stored.execution_error == "before it began: CancelledError: its task was cancelled"


def test_an_agent_that_always_runs_out_of_time_is_stopped(history, clock):
    async def story():
        ran = 0
        for i in range(10):
            clock.advance(minutes=1)
            try:
                async with asyncio.timeout(0.05):
                    async with history.action(
                        action_type="scale_deployment", action_parameters={"replicas": [5, 3][i % 2]}, **WEB
                    ):
                        ran += 1
                        await asyncio.sleep(60)
            except TimeoutError:
                pass
            except actionhist.Refused:
                return ran
        return ran

    assert asyncio.run(story()) < 5
    assert {trace.execution_status for trace in history.history()} == {"cancelled"}


def test_a_task_cancelled_at_any_moment_leaves_no_action_executing(clock):
    async def story(h):
        async def work(node):
            async with h.action(action_type="drain_node", kind="Node", name=node):
                await asyncio.sleep(60)

        for pause in range(30):
            task = asyncio.create_task(work(f"node-{pause}"))
            for _ in range(pause):
                await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    with actionhist.open("memory:", clock=clock) as h:
        asyncio.run(story(h))
        # Threads may still be at it: each ends by itself.
        for _ in range(1000):
            running = h.history(where={"execution_status": {"$in": ["pending", "executing"]}})
            if not running:
                break
            time.sleep(0.01)
        assert not running


def test_a_function_that_says_nothing_of_itself_is_guarded_too(history, clock):
    ran = []

    @history.tracked
    def restart_service(name):
        ran.append(name)
        raise RuntimeError("still broken")

    for _ in range(10):
        clock.advance(seconds=10)
        with pytest.raises((RuntimeError, actionhist.Refused)):
            restart_service("web")
    assert len(ran) == 3
    sessions = {trace.session_id for trace in history.history()}
    assert len(sessions) == 1 and None not in sessions
    with history.action(action_type="restart_service", session_id="own") as a:
        pass
    assert a.trace.session_id == "own"
    with history.action(action_type="restart_service", **WEB) as a:
        pass
    assert a.trace.session_id is None


def test_misuse(history):
    with pytest.raises(actionhist.InvalidArgument, match="action_type"), history.action(**WEB):
        pass
    with pytest.raises(TypeError, match="action"), history.action(5):
        pass
