"""Output of `dmsetup ls` and `dmsetup ls --tree`: device-mapper names and what they stand on."""

from xenwatch.base import lazy_re as re

_LS = re.compile(r"^(?P<name>\S+)\s+\((?P<major>\d+)[:,] ?(?P<minor>\d+)\)$")
_BELOW = re.compile(r"^[\s│├└─|`+-]+(?:(?P<name>[\w.+-]+) )?\((?P<number>\d+:\d+)\)$")


def parse_dmsetup(text: str) -> dict[str, tuple[str, ...]]:
    """Devices below each top one, as `major:minor` or by name; an empty tuple from the form without the tree."""
    found: dict[str, list[str]] = {}
    current = ""
    for line in text.splitlines():
        if top := _LS.match(line):
            current = top["name"]
            found[current] = []
        elif current and (below := _BELOW.match(line)):
            found[current].append(below["name"] or below["number"])
    return {name: tuple(below) for name, below in found.items()}
