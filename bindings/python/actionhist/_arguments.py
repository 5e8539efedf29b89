"""What calls take: text, times, fields, and the parts of a resource."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import Any, Union
from uuid import UUID

Text = Union[str, UUID, Enum]
Time = Union[datetime, str]
Fields = dict[str, Any]


def laid_over(given: Fields | None, fields: Fields) -> Fields:
    """The dict with the keyword arguments laid over it; what is no dict is refused by the extension."""
    if given is None:
        return fields
    return {**given, **fields} if fields and isinstance(given, dict) else given


def resource_of(
    cluster: Text | None,
    kind: Text | None,
    namespace: Text | None,
    name: Text | None,
    api_group: Text | None = None,
    api_version: Text | None = None,
    uid: Text | None = None,
) -> dict[str, Text | None]:
    return {
        "cluster": cluster,
        "api_group": api_group,
        "api_version": api_version,
        "kind": kind,
        "namespace": namespace,
        "name": name,
        "uid": uid,
    }
