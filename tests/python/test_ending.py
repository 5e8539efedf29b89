"""Python ends while other threads are still at work."""

import subprocess
import sys

import pytest

calls = {
    "searches": "history.similar('crash')",
    "records": "history.record(action_type='heartbeat', action_timestamp='2026-01-01T00:00:00Z')",
    "waits for the index": "history.wait_indexed(timeout=20)",
    "asks its clock": "history.propose(action_type='heartbeat')",
}

program = """
import datetime, sys, threading, time
import actionhist

class Slow:
    space_id = "slow"
    dimension = 4

    def embed(self, texts, role):
        time.sleep(0.02)
        return [[1.0, 0, 0, 0]] * len(texts)

def clock():
    time.sleep(0.001)
    return datetime.datetime.now(datetime.timezone.utc)

history = actionhist.open(sys.argv[1], model=Slow(), clock=clock)
history.record(action_type="heartbeat", action_timestamp="2026-01-01T00:00:00Z")
under_way = threading.Semaphore(0)

def work():
    while True:
        under_way.release()
        %s

for _ in range(4):
    threading.Thread(target=work, daemon=True).start()
for _ in range(8):
    under_way.acquire(timeout=5)
"""


@pytest.mark.parametrize("call", calls.values(), ids=calls.keys())
def test_python_ends_while_a_daemon_thread(call, tmp_path):
    for i in range(5):
        ended = subprocess.run(
            [sys.executable, "-c", program % call, tmp_path / f"{i}.db"], capture_output=True, timeout=120
        )
        assert ended.returncode == 0, ended.stderr.decode()
