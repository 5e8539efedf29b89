"""Threads, the GIL, callbacks, fork() and close()."""

import gc
import multiprocessing
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import weakref
from datetime import datetime, timezone

import pytest

import actionhist
from conftest import NOON


def run(count, work):
    """Runs work(i) in `count` threads at once and raises what any of them raised."""
    failures = []

    def guarded(i):
        try:
            work(i)
        except BaseException as failure:  # noqa: B902
            failures.append(failure)

    threads = [threading.Thread(target=guarded, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


@pytest.mark.parametrize("place", ["memory", "file"])
def test_eight_threads_record_at_once(place, tmp_path):
    uri = "memory:" if place == "memory" else tmp_path / "agent.db"
    with actionhist.open(uri) as h:

        def work(i):
            for n in range(50):
                trace = h.record(
                    action_id=f"{i}-{n}",
                    action_type="restart_pod",
                    action_timestamp=NOON,
                    kind="Pod",
                    name=f"p-{i}",
                    model_reasoning=f"reason {i} {n}",
                )
                assert trace.stored
                assert h.get(trace.action_id) == trace
            assert len(h.history(kind="Pod", name=f"p-{i}", limit=100)) == 50

        run(8, work)
        assert len(h.history(limit=1000)) == 400
        assert h.wait_indexed(60)
        assert h.health()["index"]["rows"] == 400


def test_other_threads_go_on_while_one_waits():
    with actionhist.open("memory:", worker=False) as h:
        h.record(action_type="restart_pod", action_timestamp=NOON)
        steps = []
        waiting = threading.Event()

        def other():
            waiting.wait()
            for _ in range(20):
                steps.append(time.monotonic())
                time.sleep(0.005)

        thread = threading.Thread(target=other)
        thread.start()
        waiting.set()
        assert h.wait_indexed(timeout=1) is False
        returned = time.monotonic()
        thread.join()
        assert len([step for step in steps if step < returned]) == 20


def test_the_clock_is_asked_and_may_raise(tmp_path, restart):
    class Stopped(Exception):
        pass

    running = threading.Event()
    running.set()

    def stopping():
        if running.is_set():
            return datetime.now(timezone.utc)
        raise Stopped("no time")

    with actionhist.open(tmp_path / "x.db", clock=stopping) as h:
        running.clear()
        for call in (h.record, h.propose, h.check):
            with pytest.raises(Stopped, match="no time"):
                call(restart("a"))
        assert h.history() == []
    for wrong, expected in (
        (lambda: datetime(2026, 3, 10), actionhist.InvalidArgument),
        (lambda: 5, TypeError),
    ):
        with pytest.raises(expected, match="clock"), actionhist.open("memory:", clock=wrong) as h:
            h.record(restart("a"))


def test_a_clock_of_python_is_used_by_many_threads(clock, restart):
    with actionhist.open("memory:", clock=clock) as h:
        run(8, lambda i: [h.propose(restart(f"{i}-{n}", name=f"{i}-{n}")) for n in range(10)])
        assert {t.created_at for t in h.history(limit=100)} == {NOON}


def test_trouble_of_the_index_is_logged_from_its_own_thread(tmp_path):
    path = tmp_path / "agent.db"
    seen = []
    logged = threading.Event()

    def log(level, message):
        seen.append((level, message, threading.current_thread()))
        logged.set()

    with actionhist.open(path, log=log) as h:
        assert h.wait_indexed(30)
        with sqlite3.connect(path) as database:
            database.execute("DROP TABLE embedding_queue")
        assert logged.wait(30)
        assert h.health()["index_error"]
    level, message, thread = seen[0]
    assert level == "warning" and "embedding_queue" in message
    assert thread is not threading.main_thread()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_log_that_raises_does_no_harm(tmp_path):
    path = tmp_path / "agent.db"
    called = threading.Event()

    def log(level, message):
        called.set()
        raise RuntimeError("log is broken")

    with actionhist.open(path, log=log) as h:
        assert h.wait_indexed(30)
        with sqlite3.connect(path) as database:
            database.execute("DROP TABLE embedding_queue")
        assert called.wait(30)
        assert h.health()["live"]


def test_a_held_database_is_a_timeout_and_the_caller_chooses_what_it_means(tmp_path, restart):
    path = tmp_path / "agent.db"
    actionhist.open(path).close()
    options = {"busy_timeout_ms": 50, "semantic": False}
    with actionhist.open(path, **options) as deny, actionhist.open(
        path, on_unavailable="allow", **options
    ) as allow:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        # Who waits in vain for another is not let through: that one may be acting on the same resource.
        for call in (deny.record, deny.propose, allow.record, allow.propose):
            with pytest.raises(actionhist.Timeout) as raised:
                call(restart("a"))
            assert isinstance(raised.value, TimeoutError)
        other.execute("ROLLBACK")
        other.close()
        assert deny.propose(restart("a", action_timestamp=None)).trace.stored


def test_a_closed_history_says_so(restart):
    h = actionhist.open("memory:")
    assert not h.closed
    h.close()
    h.close()
    assert h.closed and "closed" in repr(h)
    calls = [
        lambda: h.record(restart("a")),
        lambda: h.record_many([]),
        lambda: h.propose(restart("a")),
        lambda: h.check(restart("a")),
        lambda: h.start("a"),
        lambda: h.complete("a"),
        lambda: h.assess("a"),
        lambda: h.observe(alert_name="x", starts_at=NOON),
        lambda: h.link("a", "b", "c"),
        lambda: h.get("a"),
        lambda: h.history(),
        lambda: h.similar("a"),
        lambda: h.detect(kind="Pod", name="x"),
        lambda: h.summaries(),
        lambda: h.resource_seen(kind="Pod", name="x"),
        lambda: h.resource_deleted(kind="Pod", name="x"),
        lambda: h.delete("a"),
        lambda: h.patterns(),
        lambda: h.health(),
        lambda: h.wait_indexed(),
        lambda: h.put_pattern(pattern_id="x", pattern_type="action-budget"),
    ]
    for call in calls:
        with pytest.raises(actionhist.InvalidArgument, match="is closed"):
            call()


def test_with_closes_even_when_something_is_raised():
    with pytest.raises(RuntimeError), actionhist.open("memory:") as h:
        raise RuntimeError
    assert h.closed


def test_closing_while_others_work_ends_them_in_order(tmp_path):
    h = actionhist.open(tmp_path / "agent.db")
    ended = []

    def work(i):
        try:
            while True:
                h.record(action_type="restart_pod", action_timestamp=NOON)
        except actionhist.InvalidArgument as error:
            ended.append(str(error))

    closer = threading.Timer(0.2, h.close)
    closer.start()
    run(4, work)
    closer.join()
    assert len(ended) == 4 and all("is closed" in text for text in ended)


def test_a_forgotten_history_is_closed(tmp_path):
    called = []

    def clock():
        called.append(1)
        return NOON

    forgotten = []
    for _ in range(20):
        h = actionhist.open(tmp_path / "agent.db", clock=clock, log=print)
        h.record(action_type="restart_pod", action_timestamp=NOON)
        forgotten.append(weakref.ref(h))
        del h
    gc.collect()
    assert called and not any(ref() for ref in forgotten)
    called.clear()
    # Nothing holds the callables of the closed ones either: only the name here and the argument do.
    assert sys.getrefcount(clock) == 2


def test_a_signal_ends_a_long_wait(tmp_path, restart):
    def stop(*_):
        raise InterruptedError("stop")

    before = signal.signal(signal.SIGUSR1, stop)
    try:
        with actionhist.open(tmp_path / "agent.db", worker=False) as h:
            h.record(restart("a-1"))
            threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGUSR1)).start()
            began = time.monotonic()
            with pytest.raises(InterruptedError):
                h.wait_indexed(600)
            assert time.monotonic() - began < 300
            assert h.verify() == []
    finally:
        signal.signal(signal.SIGUSR1, before)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork()")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("place", ["memory", "file"])
def test_after_fork_the_child_is_told_and_the_parent_goes_on(place, tmp_path, restart):
    uri = "memory:" if place == "memory" else tmp_path / "agent.db"
    with actionhist.open(uri, clock=lambda: NOON) as h:
        h.record(restart("a"))
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            signal.alarm(30)
            answers = []
            for call in (lambda: h.get("a"), lambda: h.record(restart("b")), h.health):
                try:
                    call()
                    answers.append("nothing")
                except actionhist.Error as error:
                    answers.append(error.code)
            h.close()
            os.write(writer, " ".join(answers).encode())
            os._exit(0)
        os.close(writer)
        with os.fdopen(reader) as answers:
            assert answers.read().split() == ["unsupported"] * 3
        assert os.waitpid(child, 0)[1] == 0
        h.record(restart("d"))
        assert h.wait_indexed(30)
        assert {t.action_id for t in h.history()} == {"a", "d"}


def test_sub_interpreters_are_refused_clearly():
    interpreters = pytest.importorskip("_xxsubinterpreters")
    program = """
try:
    import actionhist
except ImportError as refused:
    assert "main interpreter" in str(refused), refused
else:
    raise AssertionError("imported")
"""
    interpreter = interpreters.create()
    try:
        interpreters.run_string(interpreter, program)
    finally:
        interpreters.destroy(interpreter)


# What a model does within the History's own thread, and what the program has done before.
ENDING = """
import gc, threading, weakref
import actionhist

gc.disable()
dropped, embedded = threading.Event(), threading.Event()

class Model:
    space_id, dimension = "two/1", 2

    def embed(self, texts, role):
        dropped.wait()
        {freeing}
        embedded.set()
        return [[1.0, 0.0] for _ in texts]

class Holder:
    pass

holder = Holder()
holder.circle = holder
holder.history = actionhist.open("memory:", model=Model())
history = weakref.ref(holder.history)
holder.history.record(action_type="restart_pod", action_timestamp="2026-03-10T12:00:00Z")
{dropping}
dropped.set()
assert embedded.wait(300)
assert {expected}
print("fine")
"""


@pytest.mark.parametrize("freeing, dropping, expected", [
    ("gc.collect()", "del holder", "history() is None"),
    ("history().close()", "pass", "history().closed"),
])
def test_a_history_may_end_on_its_own_thread(freeing, dropping, expected):
    program = ENDING.format(freeing=freeing, dropping=dropping, expected=expected)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=300)
    assert (done.stdout, done.returncode) == ("fine\n", 0), done.stderr


def test_a_spawned_process_opens_its_own(tmp_path, restart):
    with actionhist.open(tmp_path / "x.db") as h:
        h.record(restart("a-1"))
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            assert pool.apply(_types_in, (str(tmp_path / "x.db"),)) == ["restart_deployment"]


def _types_in(path):
    with actionhist.open(path) as h:
        return [trace.action_type for trace in h.history()]


def test_calls_leave_no_memory_behind(restart):
    def work(h, count):
        for i in range(count):
            h.record(restart("same"))
            h.get("same").to_dict()
            h.similar("pod crashes", limit=3)
            h.check(restart(None, action_timestamp=None))
            with pytest.raises(actionhist.InvalidArgument):
                h.record(action_type="")

    with actionhist.open("memory:") as h:
        work(h, 300)
        before = resident()
        work(h, 1500)
        # A kilobyte a round would be 1.5 MB; an allocator's own moods are less than 8.
        assert resident() - before < 8_000_000


def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
