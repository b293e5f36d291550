"""What a hub sees of etcd: the hosts, their incidents, and the incidents of the fleet that are kept there."""

import json
from collections.abc import Callable, Container, Iterable
from typing import Literal

from xenwatch.fleet.claims import LEASES, MAINTENANCE, SLOTS, Slot, slot_of
from xenwatch.fleet.etcd import EtcdClient, KeyValue
from xenwatch.fleet.host_report import PREFIX, HostIncident, facts_of, incident_of
from xenwatch.fleet.incident import INCIDENTS, FleetIncident, fleet_incident_of
from xenwatch.fleet.storm import STORM
from xenwatch.fleet.watch import Compacted, WatchEvent, watch_below

ALL = "/xenwatch/"
_MARKS = (LEASES, SLOTS, MAINTENANCE, STORM)

Part = Literal["hosts", "incidents", "facts", "fleet", "marks"]
ALL_PARTS: frozenset[Part] = frozenset(("hosts", "incidents", "facts", "fleet", "marks"))


class FleetView:
    """Follows all of it; `is_current` while the watch goes on."""

    def __init__(self, changed: Callable[[Container[Part]], None]) -> None:
        """`changed` is called after each change that was taken in, with the parts that it was about."""
        self._changed = changed
        self.hosts: dict[str, dict[str, str]] = {}
        self.incidents: dict[str, HostIncident] = {}
        self.facts: dict[str, dict[str, tuple[str, ...]]] = {}
        self.fleet: dict[str, FleetIncident] = {}
        self.marks: dict[str, str] = {}
        """Leases, slots, maintenance and the storm, by key of etcd."""
        self.is_current = False

    def slots(self) -> list[Slot]:
        """Which runs hold the fleet's budget."""
        found = [slot_of(KeyValue(key, text, 0, 0)) for key, text in self.marks.items() if key.startswith(SLOTS)]
        return [slot for slot in found if slot is not None]

    async def follow(self, client: EtcdClient) -> None:
        """List everything, then follow each change; only an error of etcd ends it, and then it is called again."""
        try:
            while True:
                listing = await client.list_below(ALL)
                self._take_all(listing.keys)
                await self._follow_from(client, listing.revision)
        finally:
            self.is_current = False

    async def _follow_from(self, client: EtcdClient, revision: int) -> None:
        """Until what lies between was compacted away."""
        try:
            while True:
                async for events, reached in watch_below(client, ALL, revision):
                    self._take(events)
                    revision = reached
        except Compacted:
            return

    def _take_all(self, keys: Iterable[KeyValue]) -> None:
        self.hosts.clear()
        self.incidents.clear()
        self.facts.clear()
        self.fleet.clear()
        self.marks.clear()
        for kv in keys:
            self._take_one(kv, is_gone=False)
        self.is_current = True
        self._changed(ALL_PARTS)

    def _take(self, events: Iterable[WatchEvent]) -> None:
        parts = [self._take_one(kv, is_gone) for kv, is_gone in events]
        self._changed({part for part in parts if part is not None})

    def _take_one(self, kv: KeyValue, is_gone: bool) -> Part | None:
        """What it is about; None for what is none of ours."""
        if kv.key.startswith(PREFIX):
            return self._take_host(kv, is_gone)
        if kv.key.startswith(INCIDENTS):
            return self._take_fleet(kv, is_gone)
        return self._take_mark(kv, is_gone) if kv.key.startswith(_MARKS) else None

    def _take_fleet(self, kv: KeyValue, is_gone: bool) -> Part:
        incident = None if is_gone else fleet_incident_of(kv.value)
        if incident is None:
            self.fleet.pop(kv.key.removeprefix(INCIDENTS), None)
        else:
            self.fleet[incident.id] = incident
        return "fleet"

    def _take_mark(self, kv: KeyValue, is_gone: bool) -> Part:
        self.marks.pop(kv.key, None)
        if not is_gone:
            self.marks[kv.key] = kv.value
        return "marks"

    def _take_host(self, kv: KeyValue, is_gone: bool) -> Part:
        host, _, rest = kv.key.removeprefix(PREFIX).partition("/")
        if rest == "self":
            self.hosts.pop(host, None)
            if not is_gone:
                self.hosts[host] = _texts(kv.value)
            return "hosts"
        if rest == "facts":
            self.facts.pop(host, None)
            if not is_gone:
                self.facts[host] = facts_of(kv.value)
            return "facts"
        self._take_incident(kv, is_gone)
        return "incidents"

    def _take_incident(self, kv: KeyValue, is_gone: bool) -> None:
        incident = None if is_gone else incident_of(kv.key, kv.value, kv.created)
        if incident is None:
            self.incidents.pop(kv.key, None)
        else:
            self.incidents[kv.key] = incident


def _texts(value: str) -> dict[str, str]:
    try:
        return {str(name): str(text) for name, text in dict(json.loads(value)).items()}
    except (ValueError, TypeError):
        return {}
