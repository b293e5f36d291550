"""The shared list of domains when its sources are slow, dead, or come and go."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hosts.node import UUID, own_node

from xenwatch.base.clock import ManualClock
from xenwatch.base.errors import TimedOut, Unavailable
from xenwatch.host.domains import Domains
from xenwatch.host.libvirt.client import Libvirt
from xenwatch.host.parse.xl_list import XlDomain
from xenwatch.host.toolstack.xl import XlVcpu


class Listed:
    """A toolstack whose list a test writes."""

    name = "xl"
    up = True

    def __init__(self, *domains: XlDomain) -> None:
        self.domains_now = list(domains)
        self.asked = 0
        self.failure: Exception | None = None

    async def domains(self, deadline: float = 5.0) -> list[XlDomain]:
        self.asked += 1
        await asyncio.sleep(0)
        if self.failure is not None:
            raise self.failure
        return self.domains_now

    async def vcpus(self, deadline: float = 5.0) -> list[XlVcpu]:
        return []

    async def info(self, deadline: float = 5.0) -> dict[str, str]:
        return {}


def listed(domid: int, name: str, uuid: str = UUID) -> XlDomain:
    return XlDomain(domid, name, uuid, 1024, 1, "-b----", 1.0, None)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def libvirt(clock: ManualClock, tmp_path: Path) -> AsyncIterator[Libvirt]:
    door = Libvirt(own_node(tmp_path), clock)
    yield door
    await door.close()


async def test_collectors_that_ask_together_ask_the_host_once(clock: ManualClock) -> None:
    xl = Listed(listed(1, "web"))
    domains = Domains(clock, xl, None)
    first, second = await asyncio.gather(domains.current(), domains.current())
    assert first is second
    await domains.current()
    assert xl.asked == 1
    clock.advance(5)
    await domains.current()
    assert xl.asked == 2


async def test_a_caller_that_gives_up_does_not_take_the_answer_from_the_others(clock: ManualClock) -> None:
    domains = Domains(clock, Listed(listed(1, "web")), None)
    impatient, patient = (asyncio.ensure_future(domains.current()) for _ in range(2))
    await asyncio.sleep(0)
    impatient.cancel()
    assert (await patient).names == {"web"}


async def test_both_sources_are_joined_by_uuid(clock: ManualClock, libvirt: Libvirt) -> None:
    inventory = await Domains(clock, Listed(listed(1, "test"), listed(7, "by-xl", "u")), libvirt).current()
    assert {d.name: d.known_to for d in inventory.domains} == {"test": {"xl", "libvirt"}, "by-xl": {"xl"}}


async def test_when_xens_own_list_fails_half_a_list_is_not_taken_for_all(clock: ManualClock, libvirt: Libvirt) -> None:
    xl = Listed(listed(1, "test"), listed(7, "by-xl", "u"))
    domains = Domains(clock, xl, libvirt)
    await domains.current()
    xl.failure = TimedOut("xl list: killed")
    clock.advance(5)
    with pytest.raises(TimedOut):
        await domains.current()
    assert (await domains.known()).names == {"test", "by-xl"}


async def test_when_libvirt_fails_xens_list_goes_on(clock: ManualClock, tmp_path: Path) -> None:
    away = Libvirt(f"test+unix:///default?socket={tmp_path}/none", clock)
    inventory = await Domains(clock, Listed(listed(1, "test")), away).current()
    assert [(d.name, d.persistent) for d in inventory.domains] == [("test", None)]
    await away.close()


async def test_with_no_source_at_all_it_says_so(clock: ManualClock) -> None:
    with pytest.raises(Unavailable, match="neither xl, xend nor libvirt"):
        await Domains(clock, None, None).current()
    assert (await Domains(clock, None, None).known()).domains == ()


async def test_the_version_grows_only_when_somebody_came_or_went(clock: ManualClock) -> None:
    xl = Listed(listed(1, "web"))
    domains = Domains(clock, xl, None)
    versions = []
    for domid in (1, 1, 2):
        xl.domains_now = [listed(domid, "web")]
        clock.advance(5)
        versions.append((await domains.current()).version)
    assert versions == [1, 1, 2]
