"""Captured output beside captured commands: what was typed and what it printed are kept in files of one folder."""

import posixpath
from collections import defaultdict

from xenwatch.diagnosis.operations.marks import PlacedMark
from xenwatch.diagnosis.operations.phases import PHASES, phase_of
from xenwatch.model.event import Event
from xenwatch.model.operation import Operation

_NOBODY = ""
"""In place of the guest where a command names none: `xl restore /srv/web.save`."""


_OF_A_START = frozenset(PHASES[PHASES.index("make") : PHASES.index("running")]) - {"devices"}


def may_say(operation: Operation, event: Event) -> bool:
    """Whether what was done there may have printed that: who attaches a disk makes, builds and boots no guest."""
    record = event.record
    if record is None or not (operation.attaches or operation.detaches):
        return True
    return (event.phase or phase_of(record.text)) not in _OF_A_START


class TypedCommands:
    """By folder of captured files: the operations that the commands there began, by guest."""

    def __init__(self) -> None:
        self._by_folder: defaultdict[str, dict[str, str]] = defaultdict(dict)

    def notice(self, mark: PlacedMark, operation: str) -> None:
        """A command, or what a toolstack says first, in a captured file."""
        if mark.place.source.format.captured:
            self._by_folder[posixpath.dirname(mark.path)].setdefault(mark.target or _NOBODY, operation)

    def beside(self, event: Event) -> str | None:
        """The one operation that the captured files of the event's folder speak of; None where there are several."""
        record = event.record
        if record is None or record.guest or not record.source.format.captured:
            return None
        began = self._by_folder.get(posixpath.dirname(record.source.path), {})
        guests = [guest for guest in began if guest != _NOBODY]
        return began.get(guests[0] if guests else _NOBODY) if len(guests) <= 1 else None
