"""The short memory of numbers on disk, so that a restart of the agent does not empty the small lines of its pages.

One file: a line of JSON that says what follows, then the values as 32-bit floats in the byte order of the machine.
It is written whole beside the old one and renamed; a file that cannot be read is worth nothing but a message.
"""

import json
import logging
import os
import sys
from array import array
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from xenwatch.web.trends import SERIES, SPANS, Kept, Trends

log = logging.getLogger(__name__)

NAME = "trends.bin"
EVERY = 600.0
"""Seconds between two writings."""
_VERSION = 1
_LARGEST = 64 * 1024 * 1024
_KEYS = [(span, name) for span in SPANS for name in SERIES]


def save_trends(at: float | None, guests: Mapping[str, Kept], file: Path) -> None:
    """Write what was kept until `at`. OSError: the old file is still there."""
    if at is None:
        return
    sizes = {guest: [len(kept[key]) for key in _KEYS] for guest, kept in guests.items()}
    head = {"version": _VERSION, "byteorder": sys.byteorder, "at": at, "keys": _KEYS, "guests": sizes}
    partial = file.with_suffix(".part")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        out.write(json.dumps(head).encode() + b"\n")
        for kept in guests.values():
            for key in _KEYS:
                out.write(kept[key].tobytes())
    partial.replace(file)


def load_trends(file: Path) -> Trends:
    """What an agent before this one kept; empty where there is nothing to read."""
    try:
        with file.open("rb") as source:
            return _read(source.read(_LARGEST))
    except FileNotFoundError:
        return Trends()
    except (OSError, ValueError, KeyError, TypeError) as error:
        log.warning("%s cannot be read, so the pages begin with empty lines: %s", file, error)
        return Trends()


def _read(content: bytes) -> Trends:
    line, _, values = content.partition(b"\n")
    head: dict[str, Any] = json.loads(line)
    if (head["version"], head["byteorder"]) != (_VERSION, sys.byteorder):
        raise ValueError(f"it is of version {head['version']} and {head['byteorder']}-endian")
    keys = [(str(span), str(name)) for span, name in head["keys"]]
    guests: dict[str, Kept] = {}
    place = 0
    for guest, sizes in head["guests"].items():
        kept: Kept = {}
        for key, size in zip(keys, sizes, strict=True):
            kept[key] = array("f", values[place : place + 4 * size])
            place += 4 * size
        guests[guest] = kept
    if place != len(values):
        raise ValueError(f"it has {len(values)} bytes of values in place of {place}")
    return Trends(guests, float(head["at"]))
