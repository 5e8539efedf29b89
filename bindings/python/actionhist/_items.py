"""What agents keep beside their actions: JSON objects under keys in namespaces."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Iterable, Mapping, Sequence, Union

from ._arguments import Fields
from ._errors import InvalidArgument
from ._twins import twin

if TYPE_CHECKING:
    from ._opened import Opened

Namespace = Sequence[str]
Ttl = Union[timedelta, float]


@dataclass(frozen=True)
class Item:
    """A value under a key. `score` is there when it was searched by meaning, `ttl` when it does not live for ever."""

    namespace: tuple[str, ...]
    key: str
    value: dict[str, Any]
    created_at: datetime
    updated_at: datetime
    expires_at: datetime | None = None
    score: float | None = None
    ttl: timedelta | None = None


class Items:
    """The items of a History, as History.items gives them. Each call has an async twin: aput(), asearch(), …

    A namespace is a tuple of labels, from the widest to the narrowest: ("users", "u-7"). Times to live are
    timedeltas or seconds, and begin anew when an item is read, unless `renew` is False.
    """

    __slots__ = ("_handle", "_threads")

    def __init__(self, opened: Opened) -> None:
        self._handle = opened._handle
        self._threads = opened._threads

    def put(
        self,
        namespace: Namespace,
        key: str,
        value: Mapping[str, Any],
        *,
        ttl: Ttl | None = None,
        texts: Sequence[str] | None = None,
        space_id: str | None = None,
        vectors: Iterable[Iterable[float]] | None = None,
    ) -> None:
        """Stores or replaces an item. It is found by `texts`, or by all text in its value if they are None.

        Instead of texts it may have `vectors` of the host's own model and the `space_id` that names it.
        """
        change = {"ttl": ttl, "texts": texts, "space_id": space_id, "vectors": vectors}
        self.put_many([{"namespace": namespace, "key": key, "value": value, **change}])

    aput = twin(put)

    def put_many(self, changes: Iterable[Fields]) -> None:
        """Writes all in one transaction; of two changes of one item the later counts.

        Each is a dict of the arguments of put(); a `value` of None removes the item.
        """
        self._handle.put_items([_change(i, change) for i, change in enumerate(changes)])

    aput_many = twin(put_many)

    def delete(self, namespace: Namespace, key: str) -> None:
        """Removes an item, if it is there."""
        self.put_many([{"namespace": namespace, "key": key, "value": None}])

    adelete = twin(delete)

    def get(self, namespace: Namespace, key: str, *, renew: bool = True) -> Item | None:
        """The item, or None if there is none or its time is over."""
        return self.get_many([(namespace, key)], renew=renew)[0]

    aget = twin(get)

    def get_many(self, keys: Iterable[tuple[Namespace, str]], *, renew: bool = True) -> list[Item | None]:
        """The items of the keys, in their order."""
        found = self._handle.get_items([tuple(key) for key in keys], renew)
        return [Item(*row) if row is not None else None for row in found]

    aget_many = twin(get_many)

    def search(
        self,
        namespace: Namespace = (),
        text: str | None = None,
        *,
        vector: Iterable[float] | None = None,
        space_id: str | None = None,
        where: Fields | None = None,
        limit: int = 10,
        offset: int = 0,
        renew: bool = True,
    ) -> list[Item]:
        """Items below a namespace whose values pass the filter `where`.

        With a text, or a vector of `space_id`, the nearest come first; otherwise those that were written last.
        """
        rows = self._handle.search_items(namespace, text, vector, space_id, where, limit, offset, renew)
        return [Item(*row) for row in rows]

    asearch = twin(search)

    def namespaces(
        self,
        *,
        prefix: Namespace = (),
        suffix: Namespace = (),
        max_depth: int | None = None,
        limit: int = 100,
        offset: int = 0,
    ) -> list[tuple[str, ...]]:
        """The namespaces that hold items, in order. "*" stands for any label; longer ones are cut at max_depth."""
        return self._handle.item_namespaces(prefix, suffix, max_depth, limit, offset)

    anamespaces = twin(namespaces)

    def sweep(self, limit: int = 1000) -> int:
        """Removes items whose time is over and says how many. Each put takes some of them along."""
        return self._handle.sweep_items(limit)

    asweep = twin(sweep)


_fields = ("namespace", "key", "value", "ttl", "texts", "space_id", "vectors")


def _change(position: int, change: Fields) -> tuple[Any, ...]:
    """The change as the extension takes it; what it does not name is None."""
    where = f"changes[{position}]"
    if not isinstance(change, Mapping):
        raise TypeError(f"{where}: must be a dict, not {type(change).__name__}")
    for name in ("namespace", "key", "value"):
        if name not in change:
            raise InvalidArgument(f"{where}.{name}: is required; a value of None removes the item")
    for name in change:
        if name not in _fields:
            raise InvalidArgument(f"{where}.{name}: is not known here; known are {', '.join(_fields)}")
    namespace, key, value, ttl, texts, space_id, vectors = map(change.get, _fields)
    seconds = ttl.total_seconds() if isinstance(ttl, timedelta) else ttl
    plain = dict(value) if isinstance(value, Mapping) else value
    return namespace, key, plain, seconds, texts, space_id, vectors
