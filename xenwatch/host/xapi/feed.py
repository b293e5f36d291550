"""Keeps a pool's objects current by event.from: only what changed is read, and all of it after events were lost."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from xenwatch.base.errors import Unavailable
from xenwatch.host.xapi.client import XapiClient
from xenwatch.host.xapi.records import CLASSES, FIELDS, PoolRecords, Record
from xenwatch.host.xapi.rpc import XapiError

log = logging.getLogger(__name__)

_LOST = ("EVENTS_LOST", "EVENT_FROM_TOKEN_PARSE_FAILURE")
_WHOLE_SECONDS = 60.0
"""Longest wait for all objects of a pool."""
_AT_ONCE = 0.0
"""event.from answers without waiting for a change: with one request to a host at a time, none may stand and wait."""
_COUNTED = ("vm", "task", "vdi", "sr", "pbd", "host")


class RecordChange(NamedTuple):
    """One object as it is now, or as it was before it went."""

    class_: str
    ref: str
    operation: Literal["add", "mod", "del"]
    record: Record
    before: Record | None


@dataclass(slots=True)
class FeedCounts:
    """What happened to the stream of events since the start."""

    read_whole: int = 0
    lost: int = 0
    events: int = 0


class PoolFeed:
    """`update()` once a cycle."""

    def __init__(self, client: XapiClient) -> None:
        self.client, self.records, self.counts = client, PoolRecords(), FeedCounts()
        self.version = 0
        """Grows when an object changed."""
        self._token: str | None = None
        self._logins = 0

    async def update(self) -> Sequence[RecordChange]:
        """What changed; after a reading of all objects nothing, since nobody knows what was before.

        Raises what XapiClient.call raises; the objects are then as they were.
        """
        if self._token is None or self._logins != self.client.logins:
            await self._read_whole()
            return ()
        try:
            answer = await self.client.call("event.from", list(CLASSES), self._token, _AT_ONCE)
        except XapiError as error:
            if error.code not in _LOST:
                raise
            log.info("pool %s: events were lost; all objects are read again", self.client.access.name)
            self.counts.lost += 1
            await self._read_whole()
            return ()
        if self._logins != self.client.logins:  # another session, perhaps of another master
            await self._read_whole()
            return ()
        return await self._take(answer)

    async def _take(self, answer: Mapping[str, Any]) -> Sequence[RecordChange]:
        changes = [change for event in answer["events"] if (change := self._changed(event)) is not None]
        self.counts.events += len(changes)
        self.version += bool(changes)
        self._token = str(answer["token"])
        if not self.records.agrees_with(_lower(answer.get("valid_ref_counts", {})), _COUNTED):
            self.counts.lost += 1
            await self._read_whole()
        else:
            self._learn_hosts()
        return changes

    async def _read_whole(self) -> None:
        """With an empty token xapi gives every object, as of one moment, and the token of that moment."""
        answer = await self.client.call("event.from", list(CLASSES), "", _AT_ONCE, seconds=_WHOLE_SECONDS)
        if not isinstance(answer, dict) or "token" not in answer:
            raise Unavailable(f"pool {self.client.access.name}: event.from gives no token; xapi is older than 6.1")
        self.records = PoolRecords()
        for event in answer["events"]:
            self._changed(event)
        self.counts.read_whole += 1
        self.version += 1
        self._token, self._logins = str(answer["token"]), self.client.logins
        self._learn_hosts()

    def _changed(self, event: Mapping[str, Any]) -> RecordChange | None:
        class_, ref, operation = str(event["class"]).lower(), str(event["ref"]), event["operation"]
        if class_ not in FIELDS or operation not in ("add", "mod", "del"):
            return None
        before = self.records.get(class_, ref)
        if operation == "del":
            gone = self.records.drop(class_, ref)
            return None if gone is None else RecordChange(class_, ref, "del", gone, before)
        snapshot = event.get("snapshot")
        if not isinstance(snapshot, dict):
            return None
        return RecordChange(class_, ref, operation, self.records.put(class_, ref, snapshot), before)

    def _learn_hosts(self) -> None:
        hosts = self.records.of("host").values()
        self.client.learn_hosts(sorted(str(host["address"]) for host in hosts if host.get("address")))


def _lower(counts: Mapping[str, Any]) -> dict[str, Any]:
    return {name.lower(): count for name, count in counts.items()}
