"""Facts that follow from others or from the time, for checks that ask about a host as a whole."""

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath

from xenwatch.model.fact import Fact, FactValue
from xenwatch.model.subject import HOST

DERIVED_TELLS = ("time.",)
"""What is always known."""
DERIVED_FROM = {"xen.command_line": "boot.xen_command_lines", "dump.free_bytes": "disk.free_bytes"}
"""Which fact tells another one, for whoever looks for what would tell it."""
_XEND_DUMPS, _DUMPS = "/var/xen/dump", "/var/lib/xen/dump"
"""Where xend and xl leave the memory of a guest that crashed."""


def derived(facts: Sequence[Fact], now: float) -> list[Fact]:
    """What the facts of one host leave to be concluded; nothing that is among them already."""
    known = {fact.name: fact for fact in facts if fact.subject.kind == "host"}
    host = facts[0].subject.its_host if facts else HOST
    made = [
        Fact("time.now_seconds", host, now, now),
        Fact("time.today", host, time.strftime("%Y-%m-%d", time.gmtime(now)), now),
    ]
    for name, value, origin in (*_boot(known), *_dumps(facts, known)):
        if name not in known:
            made.append(Fact(name, host, value, now, origin))
    return made


Row = tuple[str, FactValue, str]
"""Name, value and origin."""


def _boot(known: Mapping[str, Fact]) -> Iterator[Row]:
    """Xen before 4.1 does not tell its options, so the first entry of the boot menu stands for them."""
    running, menu = known.get("xen.command_line"), known.get("boot.xen_command_lines")
    options = None if running is None else str(running.value)
    if options is None and menu is not None and isinstance(menu.value, tuple) and menu.value:
        options = menu.value[0]
        yield "xen.command_line", options, f"{menu.origin}, its first entry for Xen"
    if options is not None and "crashkernel=" not in options:
        yield "kernel.crash_loaded", False, "no crashkernel= among Xen's options"


def _dumps(facts: Sequence[Fact], known: Mapping[str, Fact]) -> Iterator[Row]:
    """The room on the file system to which guests' memory is written."""
    folder = PurePosixPath(_XEND_DUMPS if "xend.enable_dump" in known else _DUMPS)
    room = {f.subject.name: f for f in facts if f.name == "disk.free_bytes" and f.subject.kind == "mount"}
    fact = next((room[place] for place in map(str, (folder, *folder.parents)) if place in room), None)
    if fact is not None:
        yield "dump.free_bytes", fact.value, f"{fact.origin}, of {fact.subject.name}"
