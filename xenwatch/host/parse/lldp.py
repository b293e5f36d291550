"""Output of `lldpctl -f json`: which switch is at the other end of each interface."""

import json
from collections.abc import Iterator
from typing import Any

_LONGEST = 100


def parse_lldpctl(text: str) -> dict[str, str]:
    """The switch's name and its chassis id, by interface; empty for any other text.

    The id belongs to it: a switch that nobody named is called `switch`, as the next one is.
    """
    try:
        return dict(_neighbours(json.loads(text)["lldp"].get("interface", [])))
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}


def _neighbours(found: Any) -> Iterator[tuple[str, str]]:
    """A single interface stands there without the list around it."""
    for group in found if isinstance(found, list) else [found]:
        for interface, about in group.items():
            chassis = about.get("chassis", {})
            name, said = next(iter(chassis.items())) if "id" not in chassis else ("", chassis)
            words = f"{name} {said.get('id', {}).get('value', '')}".split()
            if words:
                yield interface, " ".join(words)[:_LONGEST]
