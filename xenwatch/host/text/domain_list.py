"""Output of `xl list`, `xl list -v`, `xm list` of any age, and `xl vcpu-list`."""

import re
from typing import NamedTuple

_STATES = "rbpscd"
STATE_WORDS = dict(zip(_STATES, ("running", "blocked", "paused", "shutdown", "crashed", "dying"), strict=True))
_ROW = re.compile(
    r"^(?P<name>\S.*?)\s+(?P<id>\d+)?\s+(?P<mem>\d+)\s+(?P<vcpus>\d+)\s+(?P<state>[rbpscd-]{4,6})?\s+(?P<time>\d+\.\d+)"
    r"(?:\s+(?P<uuid>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}))?"
)
_VCPU = re.compile(
    r"^(?P<name>\S.*?)\s+(?P<domid>\d+)\s+(?P<vcpu>\d+)\s+(?P<cpu>\d+|-)\s+(?P<state>\S+)\s+"
    r"(?P<time>[\d.]+)\s+(?P<affinity>.+)$"
)


class DomainRow(NamedTuple):
    """One domain. `domid` is None for one that is not running; `state` is a word, None where no letter is set."""

    name: str
    domid: int | None
    memory_bytes: int
    vcpus: int
    state: str | None
    cpu_seconds: float
    uuid: str | None


class VcpuRow(NamedTuple):
    """One vcpu. `cpu` is None while it is not running anywhere; `affinity` as printed."""

    name: str
    domid: int
    vcpu: int
    cpu: int | None
    state: str
    cpu_seconds: float
    affinity: str


def parse_domain_list(text: str) -> list[DomainRow]:
    """Rows of `xl list` or `xm list`; lines of another shape are passed over."""
    return [_domain(found) for line in text.splitlines() if (found := _ROW.match(line))]


def parse_vcpu_list(text: str) -> list[VcpuRow]:
    """Rows of `xl vcpu-list`."""
    return [
        VcpuRow(
            found["name"],
            int(found["domid"]),
            int(found["vcpu"]),
            int(found["cpu"]) if found["cpu"].isdigit() else None,
            found["state"],
            float(found["time"]),
            found["affinity"].strip(),
        )
        for line in text.splitlines()
        if (found := _VCPU.match(line))
    ]


def _domain(found: re.Match[str]) -> DomainRow:
    letters = (found["state"] or "").replace("-", "")
    # A crashed domain also carries s, a dying one whatever it was before: the last letter is the worst.
    state = STATE_WORDS[max(letters, key=_STATES.index)] if letters else None
    domid = int(found["id"]) if found["id"] else None
    memory = int(found["mem"]) * 1024**2
    return DomainRow(found["name"], domid, memory, int(found["vcpus"]), state, float(found["time"]), found["uuid"])
