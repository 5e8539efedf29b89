"""Items and checkpoints: what agents keep beside their actions."""

import asyncio
import inspect
from datetime import timedelta

import pytest

import actionhist
from actionhist import CheckpointKey, CheckpointWrite


def test_an_item_is_put_found_and_removed(history, clock):
    items = history.items
    items.put(("users", "u-1"), "theme", {"colour": "dark"}, ttl=timedelta(hours=1))
    item = items.get(("users", "u-1"), "theme")
    assert item.expires_at == clock() + timedelta(hours=1) and item.ttl == timedelta(hours=1)
    assert items.get_many([(("users", "u-1"), "theme"), (("users",), "none")]) == [item, None]
    assert asyncio.run(items.asearch(("users",), where={"colour": "dark"})) == [item]
    items.delete(("users", "u-1"), "theme")
    assert items.namespaces() == []
    with pytest.raises(TypeError, match="namespace"):
        items.put("users", "k", {})
    with pytest.raises(TypeError, match="value"):
        items.put(("users",), "k", [1])


def test_many_items_are_written_at_once_or_not_at_all(history):
    items = history.items
    items.put_many(
        [
            {"namespace": ("a",), "key": "x", "value": {"text": "pizza"}},
            {"namespace": ("a",), "key": "y", "value": {"n": 2}, "vectors": [[1, 0]], "space_id": "mine"},
        ]
    )
    assert items.search(("a",), "pizza")[0].key == "x"
    assert items.search(("a",), vector=[2, 0], space_id="mine")[0].score == pytest.approx(1)
    items.put(("a",), "v", {}, vectors=[[0, 3]], space_id="mine")
    assert items.search(("a",), vector=[0, 1], space_id="mine")[0].key == "v"
    with pytest.raises(actionhist.InvalidArgument, match="ttl"):
        items.put_many([{"namespace": ("a",), "key": "z", "value": {}}, {"namespace": ("a",), "key": "w", "value": {}, "ttl": float("nan")}])
    assert items.get(("a",), "z") is None
    for change, message in [
        ({"namespace": ("a",), "key": "z", "value": {}, "colour": "red"}, r"changes\[1\]\.colour: is not known"),
        ({"namespace": ("a",), "key": "z"}, r"changes\[1\]\.value: is required"),
    ]:
        with pytest.raises(actionhist.InvalidArgument, match=message):
            items.put_many([{"namespace": ("a",), "key": "w", "value": {}}, change])
    with pytest.raises(TypeError, match=r"changes\[0\]: must be a dict, not str"):
        items.put_many(["a"])
    assert items.get(("a",), "w") is None


def test_a_checkpoint_keeps_its_bytes_and_writes(history, clock):
    checkpoints = history.checkpoints
    key = CheckpointKey("thread", "", "1")
    checkpoints.put(key, b"\0state", format="raw", metadata={"step": 1})
    checkpoints.put_writes(key, [CheckpointWrite("task", "", 0, "channel", "raw", b"")])
    [found] = checkpoints.find(thread_id="thread", where={"step": 1})
    assert (found.key, found.state, found.metadata, found.parent_id) == (key, b"\0state", {"step": 1}, None)
    assert found.created_at == clock()
    assert found.writes == [CheckpointWrite("task", "", 0, "channel", "raw", b"")]
    [light] = asyncio.run(checkpoints.afind(states=False))
    assert (light.state, light.writes) == (b"", [])
    checkpoints.copy_thread("thread", "copy")
    assert checkpoints.remove([key]) == 1
    checkpoints.remove_thread("copy")
    assert checkpoints.find() == []
    with pytest.raises(TypeError, match="state"):
        checkpoints.put(key, "text")
    with pytest.raises(actionhist.InvalidArgument, match="thread_id"):
        checkpoints.put(CheckpointKey("", "", "1"), b"")


@pytest.mark.parametrize("type", [actionhist.Items, actionhist.Checkpoints])
def test_each_call_of_the_parts_has_its_twin(type):
    public = {name for name in vars(type) if not name.startswith("_")}
    twins = {name for name in public if inspect.iscoroutinefunction(getattr(type, name))}
    assert twins == {"a" + name for name in public - twins}


def test_a_closed_history_says_so_for_its_parts(history):
    items, checkpoints = history.items, history.checkpoints
    history.close()
    with pytest.raises(actionhist.InvalidArgument, match="closed"):
        items.search()
    with pytest.raises(actionhist.InvalidArgument, match="closed"):
        asyncio.run(checkpoints.afind())


@pytest.mark.parametrize("key", [None, 3, (), ("thread",), ("thread", "", "1", "more"), {1, 2, 3}])
def test_what_is_no_key_of_a_checkpoint_is_named(history, key):
    for call in (
        lambda: history.checkpoints.remove([key]),
        lambda: history.checkpoints.put(key, b"", format="raw"),
        lambda: history.checkpoints.put_writes(CheckpointKey("thread", "", "1"), [key]),
    ):
        with pytest.raises(TypeError):
            call()
    if key is not None:
        with pytest.raises(TypeError, match="key: must be a CheckpointKey"):
            history.checkpoints.find(after=key)
