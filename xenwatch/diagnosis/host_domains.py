"""Who is domid 5 on one host? Learnt from what toolstacks write, with the time of it, since Xen uses a domid again."""

import re
from bisect import bisect_left, insort
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from operator import attrgetter
from typing import Any, NamedTuple

from xenwatch.model.subject import HOST, UNKNOWN, Subject

MOST_DOMAINS = 4096
_MOST_NAMES = 32
"""Names that one domid is remembered to have had."""

STUB_DOMAIN = "-dm"
"""What libxl and xend put behind the name of a guest to name the stub domain of its device model."""

_SAME_LIFE = 600.0
"""Seconds within which the same words about a domid teach nothing new."""

_at = attrgetter("at")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")


class Naming(NamedTuple):
    """At that moment the domid belonged to that name."""

    at: float
    name: str


class HostDomains:
    """The domains of one host. Bounded: the domains seen longest ago are forgotten first."""

    def __init__(self) -> None:
        self._names: OrderedDict[int, list[Naming]] = OrderedDict()
        self._uuids: OrderedDict[str, str] = OrderedDict()
        self._seen: OrderedDict[str, float] = OrderedDict()
        self.changes = 0
        """How often something became known that was not, or is known no more."""

    def learn(self, fields: Mapping[str, str | None], at: float) -> None:
        """Take `domain`, `domid` and `uuid` of one moment, two of which teach something."""
        name, uuid, domid = fields.get("domain"), fields.get("uuid"), fields.get("domid")
        if uuid and not name:
            name = self._uuids.get(uuid)
            if name is None and domid and domid.isdigit() and domid != "0":
                self._bind(int(domid), Naming(at, uuid))  # what xapi calls it, until something says its name
        if not name or name == UNKNOWN or name.isdigit() or _UUID.match(name):
            return
        self._note(self._seen, name, at)
        if uuid:
            self._note(self._uuids, uuid, name)
        if domid and domid.isdigit() and domid != "0" and name != "Domain-0":
            self._name_uuids(int(domid), name, at)
            self._bind(int(domid), Naming(at, name))

    def complete(self, subject: Subject, at: float) -> Subject:
        """The subject with its name where the domid or uuid is known to have one at that time."""
        if subject.kind != "domain":
            return subject
        if not subject.is_named:
            return HOST.on(subject.host)  # nobody's, until the operation that it stands in names the guest
        name = subject.name
        uuid = subject.uuid or (name if is_uuid(name) else None)  # a command may call the guest by it
        nameless = name.isdigit() or name == uuid
        if nameless and subject.domid is not None:
            name = self.name_of(subject.domid, at) or name
        if nameless and uuid is not None:
            name = self._uuids.get(uuid, name)
        return self._served(_renamed(subject, name))

    def named(self, subject: Subject, at: float) -> Subject:
        """The subject with the name its domid had; nothing is guessed of what a guest wrote."""
        name = self.name_of(subject.domid, at) if subject.domid is not None and subject.name.isdigit() else None
        return self._served(_renamed(subject, name or subject.name))

    def newest(self) -> int:
        """The highest domid that was ever given out: within one boot they only grow."""
        return max(self._names, default=0)

    def known(self) -> frozenset[str]:
        """The names that were seen."""
        return frozenset(self._seen)

    def name_of(self, domid: int, at: float) -> str | None:
        """The name the domid had nearest to that time."""
        names = self._names.get(domid)
        if not names:
            return None
        name = min(names, key=lambda n: abs(n.at - at)).name
        return self._uuids.get(name, name)

    def lessons(self) -> Iterator[tuple[dict[str, str | None], float]]:
        """What was learnt here, to be learnt elsewhere."""
        for domid, names in self._names.items():
            for naming in names:
                known_by = "uuid" if _UUID.match(naming.name) else "domain"
                yield {known_by: naming.name, "domid": str(domid)}, naming.at
        for uuid, name in self._uuids.items():
            yield {"domain": name, "uuid": uuid}, self._seen.get(name, 0.0)
        for name, at in self._seen.items():
            yield {"domain": name}, at

    def notice(self, name: str, at: float) -> None:
        """A line named a guest so."""
        if not _UUID.match(name):
            self._note(self._seen, name, at)

    def forget(self, name: str) -> None:
        """That was no guest's name."""
        self.changes += 1
        self._seen.pop(name, None)

    def state(self) -> dict[str, Any]:
        return {
            "names": {str(domid): [[n.at, n.name] for n in names] for domid, names in self._names.items()},
            "uuids": dict(self._uuids),
            "seen": dict(self._seen),
        }

    def restore(self, state: dict[str, Any]) -> None:
        names = {int(d): [Naming(float(at), str(name)) for at, name in kept] for d, kept in state["names"].items()}
        uuids, seen = OrderedDict(state["uuids"]), OrderedDict(state["seen"])
        self._names, self._uuids, self._seen = OrderedDict(names), uuids, seen
        self.changes += 1

    def _served(self, subject: Subject) -> Subject:
        """Of a stub domain the guest that it serves; any other subject as it is."""
        served = subject.name.removesuffix(STUB_DOMAIN)
        if served == subject.name or served not in self._seen:
            return subject
        return Subject(subject.kind, served, host=subject.host)  # domid and uuid are the stub domain's

    def _name_uuids(self, domid: int, name: str, at: float) -> None:
        """What the domid was known by in that life is the UUID of that name."""
        for naming in self._names.get(domid, ()):
            if _UUID.match(naming.name) and abs(naming.at - at) <= _SAME_LIFE:
                self._note(self._uuids, naming.name, name)

    def _bind(self, domid: int, naming: Naming) -> None:
        names = self._names.setdefault(domid, [])
        self._names.move_to_end(domid)
        if names and names[-1].name == naming.name and -_SAME_LIFE <= names[-1].at - naming.at < _SAME_LIFE:
            return
        start = bisect_left(names, naming.at - _SAME_LIFE, key=_at)
        if not any(
            other.name == naming.name for other in names[start : bisect_left(names, naming.at + _SAME_LIFE, key=_at)]
        ):
            self.changes += 1
            insort(names, naming)
            del names[:-_MOST_NAMES]
        if len(self._names) > MOST_DOMAINS:
            self.changes += 1
            self._names.popitem(last=False)

    def _note(self, where: "OrderedDict[str, Any]", key: str, value: Any) -> None:
        self.changes += key not in where or (where is self._uuids and where[key] != value)
        where[key] = value
        where.move_to_end(key)
        if len(where) > MOST_DOMAINS:
            self.changes += 1
            where.popitem(last=False)


def is_uuid(name: str) -> bool:
    """Whether it is a UUID: a guest is called so where nothing says its name."""
    return _UUID.match(name) is not None


def _renamed(subject: Subject, name: str) -> Subject:
    """The subject under that name; a UUID is none that anybody gave, and says itself to be one."""
    if name == subject.name:
        return subject
    return replace(subject, name=name, uuid=name if is_uuid(name) else subject.uuid)
