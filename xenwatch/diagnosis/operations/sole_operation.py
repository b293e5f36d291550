"""Logs at rest that speak of one guest alone: what was done to it claims the lines of other logs that say it failed.

A guest that is merely known is never blamed. Something must have been done to it, and the line must be about that.
"""

from collections.abc import Collection, Iterable

from xenwatch.base import lazy_re as re
from xenwatch.diagnosis.operations.marks import STARTING
from xenwatch.diagnosis.operations.phases import PHASES, phase_of
from xenwatch.diagnosis.operations.placement import time_of
from xenwatch.model.event import Event
from xenwatch.model.operation import Operation

_OF_A_START = frozenset(PHASES[: PHASES.index("kernel")])
_FAILED_START = re.compile(r"(?i)\bstart failed\b|\bfailed to (?:start|create)\b")
_ATTACH = re.compile(r"(?i)\battach")
_DETACH = re.compile(r"(?i)\bdetach")


def sole_operation(operations: Iterable[Operation], names: Collection[str]) -> Operation | None:
    """The newest of those that were said to be done, where all that is known is of one guest; `names` are known too."""
    known = list(operations)
    guests = {o.target or str(o.domid) for o in known if o.target or o.domid is not None} | set(names)
    numbers = {str(o.domid) for o in known if o.target and o.domid is not None}
    if len(guests - numbers) != 1:
        return None
    return next((o for o in reversed(known) if (o.target and o.verb) or _was_never_named(o)), None)


def _was_never_named(operation: Operation) -> bool:
    """A start of which the logs say nothing but the domid, where it failed."""
    return operation.target is None and operation.domid is not None and _is_start(operation)


def _is_start(operation: Operation) -> bool:
    return operation.verb in STARTING or (not operation.verb and operation.phase in _OF_A_START)


def is_of(operation: Operation, event: Event) -> bool:
    """Whether a line that names nobody, and that no log's order places, tells of what was done there."""
    if event.subject.kind != "domain" or event.subject.is_named or event.record is None:
        return False
    of_a_helper = event.record.source.format.guest_prompts  # a device model or a boot loader: a start has both
    if event.record.guest and not of_a_helper:
        return False
    if operation.started is not None and time_of(event) is not None:
        return False  # both have a time, which was judged and did not fit
    text = event.record.text
    if _is_start(operation):
        return of_a_helper or (event.phase or phase_of(text)) in _OF_A_START or _FAILED_START.search(text) is not None
    spoken = _ATTACH if operation.attaches else _DETACH if operation.detaches else None
    return spoken is not None and (of_a_helper or spoken.search(text) is not None)
