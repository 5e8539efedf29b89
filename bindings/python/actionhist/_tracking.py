"""An action around a piece of code: asked for before, started, and completed with what became of it."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import inspect
import threading
from types import TracebackType
from typing import TYPE_CHECKING, Any, Callable, Sequence, TypeVar

from ._actionhist import Trace, Verdict
from ._errors import Conflict, InvalidArgument, Refused

if TYPE_CHECKING:
    from ._arguments import Fields, Text, Time
    from ._history import History

F = TypeVar("F", bound=Callable[..., Any])

# Somebody stopped the code; it did not fail by itself.
_stopped = (KeyboardInterrupt, SystemExit, GeneratorExit, asyncio.CancelledError)
_max_error = 2000


_guarded_by = ("resource_reference", "resource", "name", "resource_name", "owner", "correlation_id", "session_id")


def _guarded(history: History, fields: Fields) -> Fields:
    """The guard knows nothing of what is on no resource, in no run and in no session: then the History is the session."""
    if not isinstance(fields, dict) or any(fields.get(name) for name in _guarded_by):
        return fields
    return {**fields, "session_id": history._session}


class TrackedAction:
    """What `with history.action(…) as a` gives: `a.verdict`, `a.trace`, and `a.outcome(…)` to say more."""

    def __init__(self, history: History, fields: Fields) -> None:
        self._history = history
        self._fields = _guarded(history, fields)
        self._outcome: dict[str, Any] = {}
        self._lock = threading.Lock()
        self._entered = False  # guarded by _lock, like the next
        self._abandoned = False
        self.verdict: Verdict | None = None
        self.trace: Trace | None = None

    def outcome(
        self,
        status: Text | None = None,
        *,
        execution_start_time: Time | None = None,
        execution_end_time: Time | None = None,
        execution_duration_ms: int | None = None,
        execution_error: str | None = None,
        kubernetes_operations: Sequence[Fields] | None = None,
        resource_state_after: Fields | None = None,
        post_spec_hash: str | None = None,
        result_hash: str | None = None,
        effectiveness_score: float | None = None,
        effectiveness_criteria: Fields | None = None,
        effectiveness_assessed_at: Time | None = None,
        effectiveness_assessment_method: Text | None = None,
        effectiveness_notes: str | None = None,
        effectiveness_due_at: Time | None = None,
    ) -> None:
        """Adds to what complete() will be given in the end; what is None stays as it was."""
        given = locals()
        self._outcome.update({name: given[name] for name in given if name != "self" and given[name] is not None})

    def __enter__(self) -> TrackedAction:
        if self.verdict is not None:
            raise RuntimeError("action: was entered already; ask history.action() for another one")
        self.verdict = self._history.propose(self._fields)
        if not self.verdict.allowed:
            raise Refused(self.verdict)
        # An action that was allowed without a record, because the database was away, cannot be completed.
        if self.verdict.trace is not None:
            self.trace = self._start(self.verdict, self.verdict.trace.action_id)
        return self

    def _start(self, verdict: Verdict, action_id: str) -> Trace:
        try:
            with self._lock:
                # Without a start the guard knows that nothing was changed.
                if self._abandoned:
                    raise asyncio.CancelledError("its task was cancelled")
            trace = self._history.start(action_id)
        except BaseException as error:
            # The block will not run. An action that was proposed before, by whomever, is not this one's to end.
            if not verdict.repeated:
                said = f"before it began: {type(error).__name__}: {error}"[:_max_error]
                self._complete_beside(error, action_id, status="cancelled", execution_error=said)
            raise
        if not trace.stored:
            raise Conflict(f'action_id: "{action_id}" is executing already; another agent began it')
        return trace

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        if self.trace is None:
            return
        plain = {"status": "completed"}
        outcome = {**plain, **self._outcome}
        if error is not None:
            plain = {
                "status": "cancelled" if isinstance(error, _stopped) else "failed",
                "execution_error": f"{type(error).__name__}: {error}"[:_max_error],
            }
            outcome = {**plain, **self._outcome, "status": plain["status"]}
        try:
            self.trace = self._history.complete(self.trace.action_id, **outcome)
        except (InvalidArgument, TypeError) as refused:
            # The block has run, whatever is wrong with what it said.
            if self._complete_beside(refused, self.trace.action_id, **plain):
                refused.add_note(f"the action is {plain['status']} without what outcome() gave")
            if error is None:
                raise
            error.add_note(f"and its outcome could not be stored: {refused}")
        except Exception as failure:
            if error is None:
                raise
            error.add_note(f"and the action could not be completed: {failure}")

    def _complete_beside(self, error: BaseException, action_id: str, **outcome: Any) -> bool:
        """Completes while `error` is on its way to the caller, who must see that one whatever happens here."""
        try:
            self.trace = self._history.complete(action_id, **outcome)
        except Exception as failure:
            error.add_note(f"and the action could not be completed: {failure}")
            return False
        return True

    async def __aenter__(self) -> TrackedAction:
        try:
            return await self._history.run(self._enter_for_task)
        except asyncio.CancelledError:
            # The block will not run; whoever comes second, this task or the thread, says so.
            with self._lock:
                self._abandoned = True
                entered = self._entered
            if entered:
                await asyncio.shield(self._history.run(self._cancel))
            raise

    def _enter_for_task(self) -> TrackedAction:
        self.__enter__()
        with self._lock:
            self._entered = True
            abandoned = self._abandoned
        if abandoned:
            self._cancel()
        return self

    def _cancel(self) -> None:
        self.__exit__(asyncio.CancelledError, asyncio.CancelledError("before it began"), None)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        # Also when this task is being cancelled, the outcome is stored.
        await asyncio.shield(self._history.run(functools.partial(self.__exit__, kind, error, where)))


def tracked(history: History, function: F, fields: Fields, describe: Callable[..., Fields] | None) -> F:
    """The function within an action of its own for each call; that of a generator lasts until it ends."""
    signature = inspect.signature(function)

    def action(args: tuple[Any, ...], kwargs: dict[str, Any]) -> TrackedAction:
        given = {"action_type": function.__name__, **fields}
        if describe is not None:
            given.update(describe(*args, **kwargs))
        if "action_parameters" not in given:
            bound = signature.bind(*args, **kwargs)
            given["action_parameters"] = {
                name: _plain(value) for name, value in bound.arguments.items() if name not in ("self", "cls")
            }
        return TrackedAction(history, given)

    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def acall(*args: Any, **kwargs: Any) -> Any:
            async with action(args, kwargs):
                return await function(*args, **kwargs)

        return acall  # type: ignore[return-value]

    if inspect.isasyncgenfunction(function):

        @functools.wraps(function)
        async def agenerate(*args: Any, **kwargs: Any) -> Any:
            async with action(args, kwargs), contextlib.aclosing(function(*args, **kwargs)) as items:
                step = items.asend(None)
                while True:
                    try:
                        item = await step
                    except StopAsyncIteration:
                        return
                    try:
                        step = items.asend((yield item))
                    except GeneratorExit:
                        raise
                    except BaseException as error:
                        step = items.athrow(error)

        return agenerate  # type: ignore[return-value]

    if inspect.isgeneratorfunction(function):

        @functools.wraps(function)
        def generate(*args: Any, **kwargs: Any) -> Any:
            with action(args, kwargs):
                return (yield from function(*args, **kwargs))

        return generate  # type: ignore[return-value]

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        with action(args, kwargs):
            return function(*args, **kwargs)

    return call  # type: ignore[return-value]


def _plain(value: Any) -> Any:
    """Arguments as they can be stored; objects by what they say of themselves."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return repr(value)[:200]
