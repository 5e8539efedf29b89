"""LangGraph's BaseStore over the items of a History."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass, field
from typing import Any, Iterable

from langchain_core.embeddings import Embeddings
from langgraph.store.base import (
    BaseStore,
    GetOp,
    IndexConfig,
    ListNamespacesOp,
    Op,
    PutOp,
    Result,
    SearchItem,
    SearchOp,
    TTLConfig,
    ensure_embeddings,
    get_text_at_path,
    tokenize_path,
)
from langgraph.store.base import Item as StoreItem

from ._arguments import Fields
from ._history import History
from ._items import Item


class HistoryStore(BaseStore):
    """A store for LangGraph, in which items also expire and are found by meaning.

    Without `index` the model of the History finds items by all their text. With it LangGraph's embeddings do, by
    the `fields` that it names; `space_id` then names the embeddings, so that vectors of another model are never
    compared with theirs. Expired items are never returned; they leave the database with later puts, or at once
    with history.items.sweep().
    """

    supports_ttl = True

    def __init__(
        self,
        history: History,
        *,
        index: IndexConfig | None = None,
        space_id: str | None = None,
        ttl: TTLConfig | None = None,
    ) -> None:
        self._history = history
        self._fields = list((index or {}).get("fields") or ["$"])
        self._embeddings = ensure_embeddings(index["embed"]) if index is not None else None
        self._space_id = space_id or (_name_of(index) if index is not None else None)
        self.ttl_config = ttl

    def batch(self, ops: Iterable[Op]) -> list[Result]:
        work = _Batch(self._history, list(ops), self._fields, self._space_id)
        if self._embeddings is not None:
            work.embed(
                self._embeddings.embed_documents(work.texts) if work.texts else [],
                [self._embeddings.embed_query(query) for query in work.queries],
            )
        return work.run()

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        work = _Batch(self._history, list(ops), self._fields, self._space_id)
        if self._embeddings is not None:
            work.embed(
                await self._embeddings.aembed_documents(work.texts) if work.texts else [],
                await asyncio.gather(*map(self._embeddings.aembed_query, work.queries)),
            )
        return await self._history.run(work.run)


@dataclass
class _Batch:
    """What a batch does: all reads as of before it, then all writes in one transaction."""

    history: History
    ops: list[Op]
    fields: list[str]
    space_id: str | None
    changes: list[Fields] = field(init=False)
    _texts_of: list[list[str]] = field(init=False)
    _vectors: dict[str, list[float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        puts = [op for op in self.ops if isinstance(op, PutOp)]
        texts = [self._texts(op) for op in puts]
        self.changes = [_change(op, each) for op, each in zip(puts, texts)]
        self._texts_of = [each or [] for each in texts]

    @property
    def texts(self) -> list[str]:
        """What is to be embedded for the writes, each text once."""
        return list(dict.fromkeys(text for texts in self._texts_of for text in texts))

    @property
    def queries(self) -> list[str]:
        """What is to be embedded for the searches, each text once."""
        searches = (op for op in self.ops if isinstance(op, SearchOp))
        return list(dict.fromkeys(op.query for op in searches if op.query))

    def embed(self, documents: Iterable[list[float]], queries: Iterable[list[float]]) -> None:
        """Takes the vectors of `texts` and `queries`, in their order."""
        vector_of = dict(zip(self.texts, documents))
        for change, texts in zip(self.changes, self._texts_of):
            if texts:
                change.update(vectors=[vector_of[text] for text in texts], space_id=self.space_id)
        self._vectors = dict(zip(self.queries, queries))

    def run(self) -> list[Result]:
        results = [self._read(op) for op in self.ops]
        if self.changes:
            self.history.items.put_many(self.changes)
        return results

    def _texts(self, op: PutOp) -> list[str] | None:
        """What an item is found by; None for all its text, which the History's model reads by itself."""
        if op.value is None or op.index is False:
            return []
        paths = self.fields if op.index is None else op.index
        if paths == ["$"] and self.space_id is None:
            return None
        value = dict(op.value)
        return [text for path in paths for text in get_text_at_path(value, tokenize_path(path)) if text]

    def _read(self, op: Op) -> Result:
        items = self.history.items
        if isinstance(op, GetOp):
            found = items.get(op.namespace, op.key, renew=op.refresh_ttl)
            return StoreItem(**_fields_of(found)) if found is not None else None
        if isinstance(op, SearchOp):
            return [SearchItem(**_fields_of(item), score=item.score) for item in self._search(op)]
        if isinstance(op, ListNamespacesOp):
            conditions = op.match_conditions or ()
            paths = {each.match_type: each.path for each in conditions}
            if len(paths) < len(conditions):
                raise NotImplementedError("match_conditions: has more than one prefix or suffix; give one of each")
            return items.namespaces(
                prefix=paths.get("prefix", ()),
                suffix=paths.get("suffix", ()),
                max_depth=op.max_depth,
                limit=op.limit,
                offset=op.offset,
            )
        return None

    def _search(self, op: SearchOp) -> list[Item]:
        where = flat_filter(op.filter) if op.filter else {}
        lists = {path: value for path, value in where.items() if isinstance(value, (list, tuple))}
        if not lists:
            return self._page(op, where, op.limit, op.offset, op.refresh_ttl)
        # The library's filters compare no lists.
        for path in lists:
            del where[path]
        found: list[Item] = []
        for offset in itertools.count(0, _page_size):
            page = self._page(op, where, _page_size, offset, False)
            found += [item for item in page if all(_at(item.value, p) == list(v) for p, v in lists.items())]
            if len(page) < _page_size or len(found) >= op.offset + op.limit:
                break
        found = found[op.offset : op.offset + op.limit]
        if op.refresh_ttl:
            self.history.items.get_many((item.namespace, item.key) for item in found)
        return found

    def _page(self, op: SearchOp, where: Fields, limit: int, offset: int, renew: bool) -> list[Item]:
        vector = self._vectors.get(op.query) if op.query else None
        return self.history.items.search(
            op.namespace_prefix,
            op.query or None if vector is None else None,
            vector=vector,
            space_id=self.space_id if vector is not None else None,
            where=where or None,
            limit=limit,
            offset=offset,
            renew=renew,
        )


# How many items are read at once where they are compared here.
_page_size = 1000


def _at(value: Any, path: str) -> Any:
    """What a value has under a dotted name."""
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _change(op: PutOp, texts: list[str] | None) -> Fields:
    ttl = op.ttl * 60 if op.ttl is not None else None  # LangGraph counts minutes
    return {"namespace": op.namespace, "key": op.key, "value": op.value, "ttl": ttl, "texts": texts}


def _fields_of(item: Item) -> Fields:
    return {
        "namespace": item.namespace,
        "key": item.key,
        "value": item.value,
        "created_at": item.created_at,
        "updated_at": item.updated_at,
    }


def flat_filter(given: Fields, prefix: str = "") -> Fields:
    """A filter with dotted names where LangGraph nests objects."""
    flat: Fields = {}
    for name, value in given.items():
        nested = isinstance(value, dict) and not any(str(key).startswith("$") for key in value)
        flat.update(flat_filter(value, f"{prefix}{name}.") if nested else {prefix + name: value})
    return flat


def _name_of(index: IndexConfig) -> str:
    """What tells embeddings apart: their class or function, the model that they name, and the dimension."""
    embed: Any = index["embed"]
    if isinstance(embed, str):
        source = embed
    else:
        kind = type(embed) if isinstance(embed, Embeddings) else embed
        model = getattr(embed, "model", None) or getattr(embed, "model_name", None)
        source = f"{kind.__module__}.{getattr(kind, '__qualname__', type(kind).__qualname__)}"
        source += f":{model}" if isinstance(model, str) else ""
    return f"langgraph/{source}/{index.get('dims', 0)}"
