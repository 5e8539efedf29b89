"""LangGraph's BaseCheckpointSaver over the checkpoints of a History."""

from __future__ import annotations

import random
from typing import Any, AsyncIterator, Iterator, Sequence

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    WRITES_IDX_MAP,
    BaseCheckpointSaver,
    ChannelVersions,
    CheckpointMetadata,
    CheckpointTuple,
    get_checkpoint_id,
    get_serializable_checkpoint_metadata,
)
from langgraph.checkpoint.base import Checkpoint as State
from langgraph.checkpoint.serde.base import SerializerProtocol

from ._arguments import Fields
from ._checkpoints import Checkpoint, CheckpointKey, CheckpointWrite
from ._history import History
from ._langgraph_store import flat_filter

# How many checkpoints are read at once.
_page = 50


class HistorySaver(BaseCheckpointSaver[str]):
    """A checkpointer for LangGraph, sync and async, with pending writes, branches, copies and pruning."""

    def __init__(self, history: History, *, serde: SerializerProtocol | None = None) -> None:
        super().__init__(serde=serde)
        self._history = history
        self._checkpoints = history.checkpoints

    def get_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        given = config["configurable"]
        found = self._checkpoints.find(
            thread_id=str(given["thread_id"]),
            checkpoint_ns=given.get("checkpoint_ns", ""),
            checkpoint_id=get_checkpoint_id(config),
            limit=1,
        )
        return self._tuple(found[0]) if found else None

    def list(
        self,
        config: RunnableConfig | None,
        *,
        filter: Fields | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> Iterator[CheckpointTuple]:
        query = _query(config, filter, before)
        while size := _size(limit):
            page = self._checkpoints.find(**query, limit=size)
            yield from map(self._tuple, page)
            if len(page) < size:
                return
            limit = limit - size if limit is not None else None
            query["after"] = page[-1].key

    def put(
        self,
        config: RunnableConfig,
        checkpoint: State,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        key = _key(config, checkpoint["id"])
        format, state = self.serde.dumps_typed(checkpoint)
        self._checkpoints.put(
            key,
            state,
            format=format,
            parent_id=get_checkpoint_id(config),
            metadata=dict(get_serializable_checkpoint_metadata(config, metadata)),
        )
        return _config(key)

    def put_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        # A channel that is special has one place; of two writes the later counts.
        rows = {}
        for index, (channel, value) in enumerate(writes):
            place = WRITES_IDX_MAP.get(channel, index)
            rows[place] = CheckpointWrite(task_id, task_path, place, channel, *self.serde.dumps_typed(value))
        self._checkpoints.put_writes(_key(config, config["configurable"]["checkpoint_id"]), rows.values())

    def delete_thread(self, thread_id: str) -> None:
        self._checkpoints.remove_thread(str(thread_id))

    def delete_for_runs(self, run_ids: Sequence[str]) -> None:
        where = {"run_id": {"$in": [str(run_id) for run_id in run_ids]}}
        self._checkpoints.remove([found.key for found in self._all(where=where)])

    def copy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        self._checkpoints.copy_thread(str(source_thread_id), str(target_thread_id))

    def prune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        if strategy not in ("keep_latest", "delete"):
            raise ValueError(f'strategy: "{strategy}" is neither "keep_latest" nor "delete"')
        for thread_id in map(str, thread_ids):
            if strategy == "delete":
                self._checkpoints.remove_thread(thread_id)
            else:
                every = {found.key: found for found in self._all(thread_id=thread_id)}
                self._checkpoints.remove(every.keys() - self._kept(every))

    def _all(self, **query: Any) -> Iterator[Checkpoint]:
        """All checkpoints of a query, without their states."""
        page = self._checkpoints.find(**query, states=False, limit=1000)
        while page:
            yield from page
            page = self._checkpoints.find(**query, states=False, limit=1000, after=page[-1].key)

    def _kept(self, every: dict[CheckpointKey, Checkpoint]) -> set[CheckpointKey]:
        """The newest of each namespace, and the ancestors of which it holds only the differences."""
        newest: dict[str, CheckpointKey] = {}
        for key in every:  # newest first
            newest.setdefault(key.checkpoint_ns, key)
        kept = set(newest.values())
        for key in newest.values():
            missing = set(every[key].metadata.get("counters_since_delta_snapshot") or ())
            while missing:
                kept.add(key)
                found = self.get_tuple(_config(key))
                missing -= set(found.checkpoint["channel_values"]) if found is not None else missing
                parent = every[key].parent_id
                key = key._replace(checkpoint_id=parent or "")
                if key not in every:
                    break
        return kept

    # The async twins run on the threads of the History.

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        return await self._history.run(lambda: self.get_tuple(config))

    async def alist(
        self,
        config: RunnableConfig | None,
        *,
        filter: Fields | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[CheckpointTuple]:
        found = self.list(config, filter=filter, before=before, limit=limit)
        while (each := await self._history.run(lambda: next(found, None))) is not None:
            yield each

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: State,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        return await self._history.run(lambda: self.put(config, checkpoint, metadata, new_versions))

    async def aput_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        await self._history.run(lambda: self.put_writes(config, writes, task_id, task_path))

    async def adelete_thread(self, thread_id: str) -> None:
        await self._history.run(lambda: self.delete_thread(thread_id))

    async def adelete_for_runs(self, run_ids: Sequence[str]) -> None:
        await self._history.run(lambda: self.delete_for_runs(run_ids))

    async def acopy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        await self._history.run(lambda: self.copy_thread(source_thread_id, target_thread_id))

    async def aprune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        await self._history.run(lambda: self.prune(thread_ids, strategy=strategy))

    def get_next_version(self, current: str | None, channel: None) -> str:
        """Versions as LangGraph's own savers count them: in order, and different in each branch."""
        count = int(str(current).split(".")[0]) if current is not None else 0
        return f"{count + 1:032}.{random.random():016}"

    def _tuple(self, found: Checkpoint) -> CheckpointTuple:
        return CheckpointTuple(
            config=_config(found.key),
            checkpoint=self.serde.loads_typed((found.format, found.state)),
            metadata=found.metadata,  # type: ignore[arg-type]  # a TypedDict with any further keys
            parent_config=_config(found.key._replace(checkpoint_id=found.parent_id)) if found.parent_id else None,
            pending_writes=[
                (write.task_id, write.channel, self.serde.loads_typed((write.format, write.value)))
                for write in found.writes
            ],
        )


def _key(config: RunnableConfig, checkpoint_id: str) -> CheckpointKey:
    given = config["configurable"]
    return CheckpointKey(str(given["thread_id"]), given.get("checkpoint_ns", ""), checkpoint_id)


def _config(key: CheckpointKey) -> RunnableConfig:
    return {"configurable": key._asdict()}


def _query(config: RunnableConfig | None, filter: Fields | None, before: RunnableConfig | None) -> Fields:
    given = config["configurable"] if config else {}
    thread_id = given.get("thread_id")
    return {
        "thread_id": str(thread_id) if thread_id is not None else None,
        "checkpoint_ns": given.get("checkpoint_ns"),
        "checkpoint_id": get_checkpoint_id(config) if config else None,
        "before": get_checkpoint_id(before) if before else None,
        "where": flat_filter(filter) if filter else None,
    }


def _size(limit: int | None) -> int:
    return _page if limit is None else max(0, min(limit, _page))
