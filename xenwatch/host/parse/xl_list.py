"""Output of `xl list`, `xl list -v` and `xm list` of any age."""

import re
from typing import NamedTuple

_STATES = "rbpscd"
STATE_WORDS = dict(zip(_STATES, ("running", "blocked", "paused", "shutdown", "crashed", "dying"), strict=True))
_ROW = re.compile(
    r"^(?P<name>\S.*?)\s+(?P<id>\d+)?\s+(?P<mem>\d+)\s+(?P<vcpus>\d+)\s+(?P<state>[rbpscd-]{4,6})?\s+(?P<time>\d+\.\d+)"
    r"(?:\s+(?P<uuid>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}))?"
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


def parse_domain_list(text: str) -> list[DomainRow]:
    """Rows of `xl list` or `xm list`; lines of another shape are passed over."""
    return [_domain(found) for line in text.splitlines() if (found := _ROW.match(line))]


def _domain(found: re.Match[str]) -> DomainRow:
    letters = (found["state"] or "").replace("-", "")
    # A crashed domain also carries s, a dying one whatever it was before: the last letter is the worst.
    state = STATE_WORDS[max(letters, key=_STATES.index)] if letters else None
    domid = int(found["id"]) if found["id"] else None
    memory = int(found["mem"]) * 1024**2
    return DomainRow(found["name"], domid, memory, int(found["vcpus"]), state, float(found["time"]), found["uuid"])
