"""xenstore is read over its own protocol, many nodes at once, and a silent xenstored costs a deadline."""

import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hosts.recorded import HOSTS, XenstoreServer, parse_xenstore_ls

from xenwatch.base.errors import HostError, TimedOut, Unavailable
from xenwatch.host.paths import Paths
from xenwatch.host.xenstore.client import Xenstore


@pytest.fixture
def root() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@pytest.fixture
def server(root: Path) -> Iterator[XenstoreServer]:
    nodes = parse_xenstore_ls((HOSTS / "xen-4.17/xenstore.txt").read_text())
    with XenstoreServer(root, nodes) as server:
        yield server


@pytest.fixture
async def store(root: Path, server: XenstoreServer) -> AsyncIterator[Xenstore]:
    store = Xenstore(Paths(root))
    yield store
    await store.close()


async def test_a_value_is_read_and_a_missing_node_is_none(store: Xenstore) -> None:
    assert await store.read("/local/domain/3/name") == "g1"
    assert await store.read("/local/domain/99/name") is None
    assert store.up


async def test_children_are_listed_and_of_a_missing_node_there_are_none(store: Xenstore) -> None:
    assert await store.children("/local/domain") == ["0", "3", "4"]
    assert await store.children("/local/domain/99") == []


async def test_many_reads_keep_their_order_beyond_one_batch(store: Xenstore, server: XenstoreServer) -> None:
    server.nodes |= {f"/test/{n}": str(n) for n in range(1000)}
    paths = [f"/test/{n}" for n in range(1000)]
    assert await store.read_many([*paths, "/test/none"]) == [*map(str, range(1000)), None]


async def test_a_xenstored_that_does_not_answer_costs_its_deadline_and_is_asked_again(
    store: Xenstore, server: XenstoreServer
) -> None:
    server.silent.set()
    with pytest.raises(TimedOut, match=r"no answer within 0\.05 s"):
        await store.read("/local/domain/3/name", deadline=0.05)
    assert not store.up
    server.silent.clear()
    assert await store.read("/local/domain/3/name") == "g1"


async def test_without_a_socket_the_door_is_closed_and_says_which_ways_were_tried(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="run/xenstored/socket: No such file or directory"):
        await Xenstore(Paths(tmp_path)).read("/local")


async def test_an_error_of_one_node_does_not_shift_later_answers_to_other_nodes(
    store: Xenstore, server: XenstoreServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = server._answer
    monkeypatch.setattr(server, "_answer", lambda kind, path: (16, b"EIO\0") if path == "/bad" else answer(kind, path))
    with pytest.raises(HostError, match="/bad: EIO"):
        await store.read_many(["/bad", "/local/domain/3/name", "/local/domain/4/name"])
    assert await store.read("/local/domain/4/name") == "lv1"
