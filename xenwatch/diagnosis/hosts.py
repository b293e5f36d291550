"""Which hosts a bundle is about: from what the bundle says itself, the headers of its logs, and its folders.

Nothing of it counts until two hosts are known: one host's logs are read as if nobody had written its name.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from xenwatch.base import lazy_re as re
from xenwatch.diagnosis.host_folders import FolderNames, HostFolders
from xenwatch.model.event import Event
from xenwatch.model.fact import Fact
from xenwatch.model.incident import Incident
from xenwatch.model.record import Chunk, LogRecord, Source
from xenwatch.model.sample import Snapshot

MOST_HOSTS = 256
_HEAD_LINES = 5
_NAMES_NOBODY = re.compile(r"localhost(?:\.\S*)?|\d+|.*:\d+")
_ADDRESS = re.compile(r"[\d.]+|.*:.*")


class Origin(NamedTuple):
    """Where a line stands, as far as that may say which host wrote it."""

    host: str | None = None
    """What the bundle or the operator says."""
    folder: str = ""
    header: str | None = None
    """The host in the line's own header."""


def origin_of(source: Source, header: str | None) -> Origin:
    """The origin of a line in that log."""
    return Origin(source.host, _folder(source.path), None if header is None else host_name(header))


def host_name(header: str) -> str | None:
    """`xen1` for `xen1.example.org` too, for logs write both of one host; None for a name that says nothing."""
    if _NAMES_NOBODY.fullmatch(header):
        return None
    return header if _ADDRESS.fullmatch(header) else header.split(".", 1)[0].lower()


@dataclass(frozen=True, slots=True)
class _Settled:
    folders: FolderNames
    names: frozenset[str] = frozenset()

    def host(self, origin: Origin) -> str | None:
        named = host_name(origin.host) if origin.host else None
        return named or origin.header or self.folders.get(origin.folder)


class BundleHosts:
    """Learns from each log and file (`see`); the `settled` events, facts and snapshots have the host they are of."""

    def __init__(self, *, here: str | None = None, always: bool = False) -> None:
        """`here`: the host of whatever nothing names, where there are several; `always`: name it where it is one."""
        self._here, self._always = here, always
        self._origins: set[Origin] = set()
        self._headers: dict[str, set[str]] = {}
        self._folders = HostFolders()
        self._settled: _Settled | None = None
        self._unnamed: str | None = None

    def see(self, chunk: Chunk) -> None:
        """A chunk of a log: its first lines and its last one tell which host writes it."""
        source = chunk.source
        if chunk.position.offset == 0:
            self.see_file(source.path, source.host)
            if source.subject is None and any(name.search(source.path) for name in source.format.names):
                self._folders.see_log(source.path)
                self._settled = None
        if not source.format.guest_written:
            for line in _some_lines(chunk.data):
                header = source.format.parse(line[:512].decode("utf-8", "replace"), chunk.hint)
                self._see_header(source, header.fields.get("host"))

    def see_file(self, path: str, host: str | None) -> Origin:
        """Any file of the bundle; `host` where the bundle says which one it is of."""
        origin = Origin(host, _folder(path))
        self._add(origin)
        return origin

    @property
    def names(self) -> tuple[str, ...]:
        """The hosts that anything of it names, by their short names."""
        return tuple(sorted(self._all().names))

    @property
    def several(self) -> bool:
        """Whether more than one host is known."""
        return self._always or len(self._all().names) > 1

    def host_of(self, origin: Origin) -> str | None:
        """Name of the host that a line of that origin is about; None where it cannot be told, or there is only one."""
        if not self.several:
            return None
        host = self._all().host(origin) or self._here
        return None if host == self._unnamed else host

    def settled_events(self, events: Sequence[Event]) -> list[Event]:
        """The events, each with the host of its record. A line that means something may be the only one of its host."""
        for event in events:
            if event.record is not None:
                self._see_header(event.record.source, event.record.host)
        return [self._settled_event(event) for event in events] if self.several else list(events)

    def _settled_event(self, event: Event) -> Event:
        if event.record is None:
            return event
        record, host = event.record, self._of_record(event.record)
        placed = record._replace(source=replace(record.source, host=host), host=host)
        return event._replace(subject=event.subject.on(host), record=placed)

    def settled_fact(self, fact: Fact, origin: Origin) -> Fact:
        """The fact with the host that it is of."""
        host = self.host_of(origin)
        return fact if fact.subject.host == host else replace(fact, subject=fact.subject.on(host))

    def settled_snapshot(self, snapshot: Snapshot, origin: Origin) -> Snapshot:
        """The snapshot with the host that it was taken on."""
        return replace(snapshot, host=self.host_of(origin))

    def go_on_unnamed(self) -> None:
        """What came so far goes to correlation now: where it is of one host, that one stays without a name there."""
        if self._unnamed is None and not self.several:
            self._unnamed = next(iter(self._all().names), None)

    def named(self, incident: Incident) -> Incident:
        """The incident with the name of the host that went on without one."""
        subject = incident.diagnosis.subject
        if self._unnamed is None or subject.host is not None or not self.several:
            return incident
        return replace(incident, diagnosis=replace(incident.diagnosis, subject=subject.on(self._unnamed)))

    def _of_record(self, record: LogRecord) -> str | None:
        origin = origin_of(record.source, record.host)
        headers = self._headers.get(record.source.path, set())
        if origin.header is None and len(headers) == 1:  # a line of a log that names one host elsewhere
            origin = origin._replace(header=min(headers))
        return self.host_of(origin)

    def _see_header(self, source: Source, header: str | None) -> None:
        if header is None:
            return
        origin = origin_of(source, header)
        if origin.header is None:
            return
        self._add(origin)
        if source.host is None:
            self._headers.setdefault(source.path, set()).add(origin.header)

    def _add(self, origin: Origin) -> None:
        if origin in self._origins:
            return
        if origin.header is not None and len({o.header for o in self._origins}) > MOST_HOSTS:
            return
        self._origins.add(origin)
        self._settled = None
        if origin.host or origin.header:
            self._folders.see_name(origin.folder, origin.host or origin.header or "")

    def _all(self) -> _Settled:
        if self._settled is None:
            settled = _Settled(self._folders.names())
            hosts = frozenset(host for origin in self._origins if (host := settled.host(origin)) is not None)
            self._settled = replace(settled, names=hosts)
        return self._settled


def _some_lines(data: bytes) -> Iterator[bytes]:
    yield from data[:8192].split(b"\n", _HEAD_LINES)[:_HEAD_LINES]
    yield data[-2048:].rstrip().rpartition(b"\n")[2]


def _folder(path: str) -> str:
    return path.rpartition("/")[0] or "."
