"""The hypervisor's ring holds 16 KiB and is read whole each time."""

import json

from hypothesis import given
from hypothesis import strategies as st

from xenwatch.base.clock import ManualClock
from xenwatch.logs.counters import SourceCounters
from xenwatch.logs.sources.hypervisor_ring import HypervisorRing
from xenwatch.model.record import LogFormat, Source

RING_BYTES = 16 * 1024


class Console:
    """A ring that is written to and polled."""

    def __init__(self) -> None:
        self.text = b""
        self.counters = SourceCounters()
        self.read: list[bytes] = []
        self.ring = self.poller()

    def poller(self, cursor=None) -> HypervisorRing:
        async def read() -> bytes:
            return self.text[-RING_BYTES:]

        source = Source("xl dmesg", LogFormat("hypervisor", "ring"))
        return HypervisorRing(source, read, ManualClock(), self.counters, cursor=cursor)

    async def poll(self) -> bytes:
        chunk = await self.ring.poll()
        self.read.append(chunk.data if chunk else b"")
        return self.read[-1]


async def test_only_new_lines_come():
    console = Console()
    console.text += b"(XEN) a\n(XEN) b\n"
    assert await console.poll() == b"(XEN) a\n(XEN) b\n"
    assert await console.poll() == b""
    console.text += b"(XEN) c\n(XEN) half"
    assert await console.poll() == b"(XEN) c\n"
    console.text += b" line\n"
    assert await console.poll() == b"(XEN) half line\n"


async def test_only_new_lines_come_after_the_ring_wrapped():
    console = Console()
    for number in range(5000):
        console.text += b"(XEN) line %d\n" % number
        if number % 100 == 0:
            await console.poll()
    await console.poll()
    assert b"".join(console.read) == console.text


async def test_the_same_line_again_is_new_while_the_ring_has_not_wrapped():
    console = Console()
    console.text = b"(XEN) same\n" * 3
    await console.poll()
    console.text += b"(XEN) same\n" * 2
    assert await console.poll() == b"(XEN) same\n" * 2


async def test_a_successor_goes_on_from_the_cursor_of_a_wrapped_ring():
    console = Console()
    console.text = b"".join(b"(XEN) line %d\n" % number for number in range(3000))
    await console.poll()
    console.ring = console.poller(json.loads(json.dumps(console.ring.cursor())))
    console.text += b"(XEN) new\n"
    assert await console.poll() == b"(XEN) new\n"


async def test_more_than_the_ring_holds_between_two_polls_is_counted():
    console = Console()
    console.text = b"(XEN) old\n"
    await console.poll()
    console.text += b"".join(b"(XEN) line %d\n" % number for number in range(3000))
    assert (await console.poll()).endswith(b"(XEN) line 2999\n")
    assert console.counters.truncations_without_copy == 1


async def test_a_cleared_ring_gives_what_came_after():
    console = Console()
    console.text = b"(XEN) old\n" * 10
    await console.poll()
    console.text = b"(XEN) after xl dmesg -c\n"
    assert await console.poll() == b"(XEN) after xl dmesg -c\n"


@given(st.lists(st.integers(1, 300), max_size=30))
async def test_whatever_comes_between_polls_comes_once(counts):
    console = Console()
    number = 0
    for count in counts:
        console.text += b"".join(b"(XEN) d%dv0 line\n" % n for n in range(number, number + count))
        number += count
        await console.poll()
    assert b"".join(console.read) == console.text
