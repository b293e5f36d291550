"""What a signature makes of a record."""

from collections.abc import Mapping
from typing import NamedTuple

from xenwatch.model.record import LogRecord
from xenwatch.model.subject import Subject

_NO_FIELDS: Mapping[str, str] = {}


class Event(NamedTuple):
    """Something that happened, named by the signature that recognised it."""

    kind: str
    """The event's name, such as `vif.bridge-missing`."""
    subject: Subject
    at: float
    fields: Mapping[str, str] = _NO_FIELDS
    """The named groups of the signature that took part in the match."""
    record: LogRecord | None = None
    rule: str = ""
    """Id of the rule that the signature belongs to."""
    operation: str | None = None
    """Id of the operation during which it happened, where that is known."""
    phase: str | None = None
    """How far that operation had got: see diagnosis/operations/phases.py."""
    verb: str | None = None
    """What was being done: create, start, migrate, block-attach …"""
    target: str | None = None
    """Name of the guest to which it was done."""
    guest_phase: str | None = None
    """How far the guest's own software had got: firmware, loader or kernel; only where the rule asks for it."""
    times: int = 1
    """How many lines it stands for, of which each said the same of the same moment."""
