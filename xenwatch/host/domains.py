"""The one list of domains that all collectors share, asked of Xen and libvirt together."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from xenwatch.base.clock import Clock
from xenwatch.base.errors import HostError, Unavailable
from xenwatch.host.inventory import DomainInventory, JoinedSources, join
from xenwatch.host.libvirt.client import Libvirt
from xenwatch.host.libvirt.connection import Session
from xenwatch.host.libvirt.domains import ReadMarks, VirDomain, list_domains, marked, read_marks
from xenwatch.host.toolstack.protocol import Toolstack

T = TypeVar("T")

MARKS_SECONDS = 30.0
"""How long it may take to see that a domain's autostart was switched."""


class Domains:
    """Asking for the inventory twice within a moment asks the host once."""

    def __init__(self, clock: Clock, toolstack: Toolstack | None, libvirt: Libvirt | None) -> None:
        self.last: DomainInventory | None = None
        self._clock, self._toolstack, self._libvirt = clock, toolstack, libvirt
        self._virtual: list[VirDomain] = []
        self._marks, self._marks_at = ReadMarks(None, None), 0.0
        self._marked: set[str] = set()
        self._asking: asyncio.Task[DomainInventory] | None = None

    async def current(self, max_age: float = 2.0, deadline: float = 4.0) -> DomainInventory:
        """The inventory, at most `max_age` seconds old. HostError where no source answers.

        Where Xen's list can be read it decides what runs: without it the answer is an error, not half the guests.
        """
        if self.last is not None and self._clock.now() - self.last.at <= max_age:
            return self.last
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask(deadline))
            self._asking.add_done_callback(_seen)
        return await asyncio.shield(self._asking)

    async def known(self, max_age: float = 2.0) -> DomainInventory:
        """For those who can do with less: the inventory, or the last one, or an empty one where there never was any."""
        try:
            return await self.current(max_age)
        except HostError:
            return self.last or DomainInventory(self._clock.now(), ())

    async def _ask(self, deadline: float) -> DomainInventory:
        if self._toolstack is None and self._libvirt is None:
            raise Unavailable("no toolstack: neither xl, xend nor libvirt is there to list domains")
        listed, virtual = await asyncio.gather(
            _or_error(self._toolstack.domains(deadline) if self._toolstack else None),
            _or_error(self._libvirt.run("domains", self._list, deadline) if self._libvirt else None),
        )
        if isinstance(listed, HostError):
            raise listed
        if isinstance(virtual, HostError) and listed is None:
            raise virtual
        fresh = isinstance(virtual, list)
        if isinstance(virtual, list):
            self._virtual = virtual
        return self._keep(join(listed, self._virtual, fresh=fresh))

    def _list(self, session: Session) -> list[VirDomain]:
        """In libvirt's thread. A new domain is looked at at once, others for their marks only now and then."""
        domains, now = list_domains(session, self._marks), self._clock.monotonic()
        uuids = {domain.uuid for domain in domains}
        if now - self._marks_at > MARKS_SECONDS or uuids - self._marked:
            self._marks, self._marks_at = read_marks(session), now
            domains = [marked(domain, self._marks) for domain in domains]
        self._marked = uuids
        return domains

    def _keep(self, joined: JoinedSources) -> DomainInventory:
        names = frozenset(domain.name for domain in joined.domains)
        by_domid = {domain.domid: domain for domain in joined.domains if domain.domid is not None}
        before = self.last
        same = before is not None and before.names == names and before.by_domid.keys() == by_domid.keys()
        version = (before.version if before else 0) + (0 if same else 1)
        self.last = DomainInventory(
            at=self._clock.now(),
            domains=joined.domains,
            nameless=joined.nameless,
            zombies=joined.zombies,
            version=version,
            by_domid=by_domid,
            domids=joined.domids,
            names=names,
        )
        return self.last


def _seen(task: asyncio.Task[DomainInventory]) -> None:
    """All who asked may have given up by now; then nobody looks at the error, and asyncio must not print it."""
    if not task.cancelled():
        task.exception()


async def _or_error(work: Awaitable[T] | None) -> T | HostError | None:
    try:
        return None if work is None else await work
    except HostError as error:
        return error
