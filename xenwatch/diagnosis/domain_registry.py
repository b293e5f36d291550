"""Who is domid 5 on which host? The domains of each host, never mixed: every host counts its domids from 1."""

from collections.abc import Callable, Mapping
from typing import Any

from xenwatch.diagnosis.host_domains import STUB_DOMAIN, HostDomains
from xenwatch.diagnosis.hosts import Origin
from xenwatch.model.subject import Subject

MOST_ORIGINS = 4096
_HERE = Origin()


class DomainRegistry:
    """What is learnt with an origin is kept apart until `divide` says which host it is of; all else is of this host."""

    def __init__(self) -> None:
        self._all = HostDomains()
        self._elsewhere: dict[str, HostDomains] = {}
        """Beside a host that is watched: of each pool."""
        self._by_origin: dict[Origin, HostDomains] = {}
        self._by_host: dict[str | None, HostDomains] | None = None

    def learn(self, fields: Mapping[str, str | None], at: float, origin: Origin = _HERE) -> None:
        """Take `domain`, `domid` and `uuid` of one moment, two of which teach something."""
        self._taught_by(origin).learn(fields, at)

    def notice_owner(self, owner: Subject | None, at: float, origin: Origin = _HERE) -> None:
        """There is a log of that guest's own, or of its stub domain's."""
        if owner is not None and owner.kind == "domain" and not owner.name.isdigit():
            self._taught_by(origin).notice(owner.name.removesuffix(STUB_DOMAIN), at)

    def notice(self, domain: Subject, at: float) -> None:
        """A line named that guest."""
        self._of(domain.host).notice(domain.name, at)

    def forget(self, domain: Subject) -> None:
        """That is no guest's name, but that of a file."""
        self._of(domain.host).forget(domain.name)

    def complete(self, subject: Subject, at: float) -> Subject:
        """The subject with its name where the domid or uuid is known to have one at that time."""
        return self._of(subject.host).complete(subject, at)

    def named(self, subject: Subject, at: float) -> Subject:
        """The subject with the name its domid had; nothing is guessed of what a guest wrote."""
        return self._of(subject.host).named(subject, at)

    def newest(self, host: str | None = None) -> int:
        """The highest domid that was ever given out there: within one boot they only grow."""
        return self._of(host).newest()

    def names(self, host: str | None = None) -> frozenset[str]:
        """The guests of that host that anything named."""
        return self._of(host).known()

    def changes(self, host: str | None = None) -> int:
        """Changes whenever another name, domid or uuid is known there than before."""
        return self._of(host).changes

    def name_of(self, domid: int, at: float, host: str | None = None) -> str | None:
        """The name the domid had nearest to that time."""
        return self._of(host).name_of(domid, at)

    def divide(self, host_of: Callable[[Origin], str | None]) -> None:
        """What was learnt since the last time goes to the host that it is of; None stands for the only host."""
        hosts = self._by_host if self._by_host is not None else {}
        for origin, domains in self._by_origin.items():
            own = hosts.setdefault(host_of(origin), HostDomains())
            for fields, at in domains.lessons():
                own.learn(fields, at)
        self._by_host, self._by_origin = hosts, {}

    def state(self) -> dict[str, Any]:
        return self._all.state()

    def restore(self, state: dict[str, Any]) -> None:
        self._all.restore(state)

    def _taught_by(self, origin: Origin) -> HostDomains:
        if not origin.folder:
            return self._of(origin.host or origin.header)
        if origin not in self._by_origin and len(self._by_origin) >= MOST_ORIGINS:
            origin = Origin(origin.host, header=origin.header)
        domains = self._by_origin.get(origin)
        if domains is None:
            domains = self._by_origin[origin] = HostDomains()
        return domains

    def _of(self, host: str | None) -> HostDomains:
        if self._by_host is None:
            return self._all if host is None else self._elsewhere.setdefault(host, HostDomains())
        domains = self._by_host.get(host)
        if domains is None:
            domains = self._by_host[host] = HostDomains()
        return domains
