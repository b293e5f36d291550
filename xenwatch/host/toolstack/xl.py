"""Asks the xl toolstack for domains and vcpus: one program run for all of them, never one a domain."""

import re
from typing import NamedTuple

from xenwatch.base.errors import HostError
from xenwatch.host.exec.runner import Runner
from xenwatch.host.parse.xl_info import parse_info
from xenwatch.host.parse.xl_list import XlDomain, active, parse_xl_list

_VCPU = re.compile(
    r"^(?P<name>.*?)\s+(?P<domid>\d+)\s+(?P<vcpu>\d+)\s+(?P<cpu>\d+|-)\s+(?P<flags>[rbp-]{3})\s+(?P<seconds>\d+\.\d)"
    r"\s+(?P<hard>any cpu|\S+)(?:\s+/\s+(?P<soft>\S+))?\s*$"
)


class XlVcpu(NamedTuple):
    """A line of `xl vcpu-list`."""

    domid: int
    vcpu: int
    cpu: int | None
    """Physical cpu it is on; None for one that is offline."""
    flags: str
    seconds: float
    hard: str
    soft: str | None


class Xl:
    """The toolstack of Xen 4.1 and later."""

    name = "xl"

    def __init__(self, runner: Runner) -> None:
        self.up = False
        """Whether it answered when last asked."""
        self._runner = runner

    async def domains(self, deadline: float = 5.0) -> list[XlDomain]:
        """All active domains, nameless and half-created ones included, which `xl list -l` fails on."""
        text = await self.say("list", "-v", deadline=deadline)
        return parse_list(text)

    async def vcpus(self, deadline: float = 5.0) -> list[XlVcpu]:
        return parse_vcpus(await self.say("vcpu-list", deadline=deadline))

    async def info(self, deadline: float = 5.0) -> dict[str, str]:
        """`xl info` by key, as printed; memory is in MiB."""
        return parse_info(await self.say("info", deadline=deadline))

    async def say(self, *words: str, deadline: float = 5.0) -> str:
        """What `xl <words>` prints. CommandFailed, TimedOut (it hangs for ever when xenstored is dead)."""
        self.up, text = False, (await self._runner.run(["xl", *words], deadline)).checked().text
        self.up = True
        return text


def parse_list(text: str) -> list[XlDomain]:
    """`xl list` or `xl list -v`. HostError where it is neither, so that a changed format is not "no domains"."""
    if not text.lstrip().startswith("Name"):
        raise HostError(f"xl list: expected its table, got {text[:80]!r}")
    return active(parse_xl_list(text))


def parse_vcpus(text: str) -> list[XlVcpu]:
    """`xl vcpu-list`."""
    return [
        XlVcpu(
            domid=int(found["domid"]),
            vcpu=int(found["vcpu"]),
            cpu=None if found["cpu"] == "-" else int(found["cpu"]),
            flags=found["flags"],
            seconds=float(found["seconds"]),
            hard=found["hard"],
            soft=found["soft"],
        )
        for line in text.splitlines()[1:]
        if (found := _VCPU.match(line))
    ]
