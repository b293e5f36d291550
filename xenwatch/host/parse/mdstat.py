"""/proc/mdstat: software RAID arrays, their members and what is wrong with them."""

from typing import NamedTuple

from xenwatch.base import lazy_re as re

_ARRAY = re.compile(
    r"^(?P<name>md\S+) : (?P<state>\w+)(?: \((?:auto-)?read-only\))?(?: (?P<level>raid\d+|linear))? (?P<members>.+)$"
)
_SLOTS = re.compile(r"\[(?P<want>\d+)/(?P<have>\d+)\]")
_PROGRESS = re.compile(r"(?P<work>recovery|resync|reshape|check)\s*=\s*(?P<percent>[\d.]+)%")
_FAILED = "(F)"


class Array(NamedTuple):
    """`missing` is the number of slots without a working member; `work` is recovery, resync, reshape, check or None."""

    name: str
    active: bool
    level: str | None
    members: tuple[str, ...]
    failed: tuple[str, ...]
    missing: int
    work: str | None
    percent: float | None


def parse_mdstat(text: str) -> list[Array]:
    """Every array; a healthy one has no `failed` and no `missing` members."""
    arrays: list[Array] = []
    for line in text.splitlines():
        if found := _ARRAY.match(line):
            arrays.append(_array(found))
        elif arrays and line[:1].isspace():
            arrays[-1] = _more(arrays[-1], line)
    return arrays


def _array(found: re.Match[str]) -> Array:
    words = found["members"].split()
    members = tuple(word.split("[")[0] for word in words)
    failed = tuple(word.split("[")[0] for word in words if word.endswith(_FAILED))
    return Array(found["name"], found["state"] == "active", found["level"], members, failed, 0, None, None)


def _more(array: Array, line: str) -> Array:
    if slots := _SLOTS.search(line):
        array = array._replace(missing=int(slots["want"]) - int(slots["have"]))
    if progress := _PROGRESS.search(line):
        array = array._replace(work=progress["work"], percent=float(progress["percent"]))
    return array
