"""Traces, hits, detections and dicts as tables for pandas and Arrow.

    frame = actionhist.tables.to_pandas(history.history(kind="Deployment", limit=1000))
"""

from __future__ import annotations

import importlib
import json
from datetime import datetime
from typing import Any, Iterable

__all__ = ["columns", "to_arrow", "to_pandas"]

_times = ("_at", "_time", "_timestamp", "_until", "_after", "as_of")


def columns(records: Iterable[Any]) -> dict[str, list[Any]]:
    """A list for each field that any record has. Times are datetimes, what is absent is None.

    The trace of a hit stands beside its score; other objects within a record stay dicts.
    """
    rows = [_row(record) for record in records]
    names: dict[str, None] = {}
    for row in rows:
        names.update(dict.fromkeys(row))
    return {name: [row.get(name) for row in rows] for name in names}


def to_pandas(records: Iterable[Any]) -> Any:
    """A pandas.DataFrame. Needs pandas."""
    return importlib.import_module("pandas").DataFrame(columns(records))


def to_arrow(records: Iterable[Any]) -> Any:
    """A pyarrow.Table; objects of free shape become JSON text, for which Arrow has no type. Needs pyarrow."""

    def plain(value: Any) -> Any:
        return json.dumps(value, default=str) if isinstance(value, (dict, list)) else value

    table = importlib.import_module("pyarrow").table
    return table({name: [plain(v) for v in values] for name, values in columns(records).items()})


def _row(record: Any) -> dict[str, Any]:
    fields = record if isinstance(record, dict) else record.to_dict()
    row: dict[str, Any] = {}
    for name, value in fields.items():
        if name == "trace" and isinstance(value, dict):
            row.update(_row(value))
        elif isinstance(value, str) and name.endswith(_times):
            row[name] = datetime.fromisoformat(value.replace("Z", "+00:00"))
        else:
            row[name] = value
    return row
