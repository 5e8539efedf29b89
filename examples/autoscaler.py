"""A small agent that scales real worker processes by naive thresholds until the guard stops it.

autoscaler.py [--seconds N] [--db URI]; the exit status is 0 when a step was refused and similar ones found.
"""
import argparse
import multiprocessing
import signal
import sys
import time

FEWEST, MOST, STRIDE = 1, 6, 3
LONG_QUEUE, SHORT_QUEUE = 20, 5
JOB_SECONDS = 0.02
TICK = 0.25
PAUSE = 1.5  # a new size gets this long before it is judged
RESOURCE = {"kind": "Deployment", "namespace": "demo", "name": "queue-worker"}


def work(jobs):
    """What a worker process does, until it takes a job that is none."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent
    for seconds in iter(jobs.get, None):
        time.sleep(seconds)


class WorkerPool:
    """Worker processes behind one queue."""

    def __init__(self, size):
        # A forked worker would hold a copy of the open History, which it could not use.
        self.context = multiprocessing.get_context("spawn")
        self.jobs = self.context.Queue()
        self.workers = []
        self.resize(size)

    def resize(self, size):
        while len(self.workers) < size:
            self.workers.append(self.context.Process(target=work, args=(self.jobs,), daemon=True))
            self.workers[-1].start()
        for _ in range(len(self.workers) - size):
            self.jobs.put(None)
        while len(self.workers) > size:
            self.workers = [worker for worker in self.workers if worker.is_alive()]
            time.sleep(0.001)

    def stop(self):
        for worker in self.workers:
            worker.terminate()
            worker.join()
        self.jobs.cancel_join_thread()


class Agent:
    def __init__(self, history, pool):
        self.history, self.pool = history, pool
        self.refusal = None
        self.step = None  # the action whose effect is not known yet
        self.last_step = -PAUSE

    def tick(self, now, queued, busy):
        """Takes a step if it wants one and may, and says what it did."""
        if self.refusal is not None or now < self.last_step + PAUSE:
            return "" if self.refusal is None else "held"
        size = len(self.pool.workers)
        if queued > LONG_QUEUE and size < MOST:
            wanted, alert = min(MOST, size + STRIDE), "QueueBacklog"
            reasoning = f"A queue backlog: {queued} jobs wait. More workers drain the queue."
        elif queued <= SHORT_QUEUE and busy < 0.3 and size > FEWEST:
            wanted, alert = max(FEWEST, size - STRIDE), "IdleWorkers"
            reasoning = f"The workers idle, they are {busy:.0%} busy. Scaling down saves what they cost."
        else:
            return ""
        self.complete_step(queued)
        self.last_step = now
        return self.scale(size, wanted, alert, reasoning)

    def scale(self, size, wanted, alert, reasoning):
        verdict = self.history.propose({
            "actor": "naive-autoscaler", "alert_name": alert, "model_reasoning": reasoning,
            "action_type": "scale_deployment", "action_parameters": {"replicas": wanted},
            "resource_reference": RESOURCE, "resource_state_before": {"replicas": size}})
        if not verdict.allowed:
            self.refusal = verdict
            return f"{size} -> {wanted} ({alert}) refused, {verdict.decision}: {verdict.reason}"
        self.pool.resize(wanted)
        self.step = verdict.trace.action_id
        return f"{size} -> {wanted} ({alert})"

    def complete_step(self, queued):
        """A step is as good as the queue that it leaves to the next one."""
        if self.step:
            self.history.complete(self.step, status="completed",
                                  effectiveness_score=1.0 if queued <= LONG_QUEUE else 0.0,
                                  resource_state_after={"replicas": len(self.pool.workers)})
        self.step = None


def jobs_per_second(elapsed):
    """A square wave: two quiet seconds, two loud ones."""
    return 16 if elapsed % 4 < 2 else 140


def run(pool, agent, seconds):
    elapsed = looked = due = 0.0
    submitted = waiting = 0
    last = time.monotonic()
    while elapsed < seconds:
        time.sleep(0.01)
        now = time.monotonic()
        step = min(now - last, 0.015)  # the time of the load stands still while the machine does
        elapsed, last = elapsed + step, now
        due += jobs_per_second(elapsed) * step
        while due >= 1:
            pool.jobs.put(JOB_SECONDS)
            submitted, due = submitted + 1, due - 1
        if elapsed >= looked + TICK:
            queued = pool.jobs.qsize()
            spent = (waiting + submitted - queued) * JOB_SECONDS
            event = agent.tick(elapsed, queued, spent / len(pool.workers) / (elapsed - looked))
            print(f"{elapsed:5.2f} s  load {jobs_per_second(elapsed):3}/s  workers {len(pool.workers)}  "
                  f"queue {queued:3} {'#' * min(20, queued // 3):20}  {event}", flush=True)
            looked, waiting, submitted = elapsed, queued, 0


def main():
    import actionhist  # not in the workers, which import this file too

    parser = argparse.ArgumentParser(description="A naive autoscaler, with a memory and brakes.")
    parser.add_argument("--seconds", type=float, default=12)
    parser.add_argument("--db", default="memory:")
    arguments = parser.parse_args()

    pool = WorkerPool(4)
    try:
        with actionhist.open(arguments.db) as history:
            agent = Agent(history, pool)
            run(pool, agent, arguments.seconds)
            agent.complete_step(pool.jobs.qsize())
            history.wait_indexed(timeout=10)
            print("\nWhat happened before?")
            hits = history.similar("queue backlog, workers idle soon after scaling down", limit=3)
            for hit in hits:
                print(f"{hit.score:.2f}  {hit.trace.alert_name:12}  {hit.trace.action_parameters}  "
                      f"effectiveness {hit.trace.effectiveness_score}")
            print("\nHistory, newest first")
            for trace in history.history(kind="Deployment", namespace="demo", name="queue-worker"):
                print(f"{trace.action_timestamp}  {trace.alert_name:12}  {trace.resource_state_before} -> "
                      f"{trace.resource_state_after}")
    finally:
        pool.stop()
    return 0 if agent.refusal is not None and hits else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
