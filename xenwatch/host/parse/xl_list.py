"""Output of `xl list`, `xl list -v` and `xm list` of any age."""

from collections.abc import Iterable
from typing import NamedTuple

from xenwatch.base import lazy_re as re

SHUTDOWN_REASONS = {0: "poweroff", 1: "reboot", 2: "suspend", 3: "crash", 4: "watchdog", 5: "soft_reset"}
"""xen/include/public/sched.h, SHUTDOWN_*."""

_ROW = re.compile(
    r"^(?P<name>\S(?:.*?\S)?)?(?:\s+(?P<domid>\d+))?\s+(?P<mem>\d+)\s+(?P<vcpus>\d+)(?:\s+(?P<flags>[rbpscd-]{4,6}))?"
    r"\s+(?P<seconds>\d+\.\d+)"
    r"(?:\s+(?P<uuid>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|-)(?:\s+(?P<reason>-|[0-9a-f]+)(?=\s|$))?(?:\s.*)?)?"
    r"(?P<rest>.*)$"
)
STATE_LETTERS = (
    ("d", "dying"),
    ("c", "crashed"),
    ("s", "shutdown"),
    ("p", "paused"),
    ("b", "blocked"),
    ("r", "running"),
)


class XlDomain(NamedTuple):
    """An active domain; a nameless one (`(null)`: dying, its xenstore entries gone) has no name."""

    domid: int
    name: str | None
    uuid: str | None
    memory_bytes: int
    vcpus: int
    flags: str
    cpu_seconds: float
    shutdown_reason: str | None


class XlListRow(NamedTuple):
    """One line of the list, as far as it could be read."""

    name: str
    """As printed: `(null)` or empty for a nameless domain."""
    domid: int | None
    """None for a domain that xend manages and that does not run."""
    memory_bytes: int
    vcpus: int
    flags: str
    """One letter or `-` for each of running, blocked, paused, shutdown, crashed, dying; empty where xm prints none."""
    cpu_seconds: float
    uuid: str | None
    shutdown_reason: str | None
    rest: str
    """What stands behind the columns that are known; empty in a sound list. A strict caller refuses the row."""


def parse_xl_list(text: str) -> list[XlListRow]:
    """The rows of the table. Lines of another shape are passed over: a strict caller counts the lines itself."""
    return [_row(found) for line in text.splitlines() if (found := _ROW.match(line))]


def active(rows: Iterable[XlListRow]) -> list[XlDomain]:
    """The rows of domains that have a domid."""
    return [
        XlDomain(
            domid=row.domid,
            name=None if row.name in ("(null)", "") else row.name,
            uuid=row.uuid,
            memory_bytes=row.memory_bytes,
            vcpus=row.vcpus,
            flags=row.flags,
            cpu_seconds=row.cpu_seconds,
            shutdown_reason=row.shutdown_reason,
        )
        for row in rows
        if row.domid is not None
    ]


def state_of(flags: str) -> str:
    """A domain's state from the letters of `xl list` or `xentop`, which print the same letters in different orders.

    The worst letter decides: a crashed domain also carries `s`, a dying one whatever it was before. No letter at all
    is a domain that could run and waits for a cpu: running, to those who look at it.
    """
    return next((state for letter, state in STATE_LETTERS if letter in flags), "running")


def _row(found: re.Match[str]) -> XlListRow:
    return XlListRow(
        name=found["name"] or "",
        domid=int(found["domid"]) if found["domid"] else None,
        memory_bytes=int(found["mem"]) * 1024**2,
        vcpus=int(found["vcpus"]),
        flags=found["flags"] or "",
        cpu_seconds=float(found["seconds"]),
        uuid=None if found["uuid"] == "-" else found["uuid"],
        shutdown_reason=_shutdown_reason(found["reason"]),
        rest=found["rest"].strip(),
    )


def _shutdown_reason(text: str | None) -> str | None:
    return None if text is None or text == "-" else SHUTDOWN_REASONS.get(int(text, 16), text)
