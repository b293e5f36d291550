"""Follows all keys below a prefix from a revision on: each change once, in etcd's order."""

from collections.abc import AsyncIterator
from typing import NamedTuple

from xenwatch.fleet.etcd import EtcdClient, EtcdError, KeyValue, below, key_value

QUIET_SECONDS = 10.0
"""After this long without a change the watch is asked for again: a member that hangs would say nothing, either."""


class Compacted(EtcdError):
    """What lies between is no longer kept: all keys must be listed again."""


class WatchEvent(NamedTuple):
    """One key was written, or is gone."""

    kv: KeyValue
    is_gone: bool


async def watch_below(client: EtcdClient, prefix: str, revision: int) -> AsyncIterator[tuple[list[WatchEvent], int]]:
    """Changes after that revision, and the revision that they bring one to. It ends when nothing changed for a while.

    Raises Compacted, EtcdUnavailable or EtcdRefused; all that was given before stands.
    """
    request = {**below(prefix), "start_revision": str(revision + 1)}
    async for answer in client.stream("watch", {"create_request": request}, QUIET_SECONDS):
        result = answer.get("result", {})
        if result.get("canceled"):
            raise Compacted(f"the watch was cancelled; the oldest revision is {result.get('compact_revision')}")
        events = [WatchEvent(key_value(e["kv"]), e.get("type") == "DELETE") for e in result.get("events", ())]
        if events:
            yield events, int(result["header"]["revision"])
