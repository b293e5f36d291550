"""Where in a chunk errors may stand: the words of errors, without the lines that say of themselves that they are none.

xend polls `'failed': '0'` by the thousand at debug level. What nothing else was found in is dropped here, before its
record is cut out and read.
"""

from bisect import bisect_left
from collections.abc import Sequence

from xenwatch.diagnosis.matching.errors import is_debug
from xenwatch.diagnosis.matching.prefilter import Candidate
from xenwatch.model.record import LogFormat

_HEAD = 80
_DIGITS = bytes.maketrans(b"123456789", b"0" * 9)


def places_of_errors(
    errors: Sequence[Candidate], others: Sequence[Candidate], data: bytes, format_: LogFormat
) -> list[int]:
    """Offsets of the errors' words. `others` are what else was found, in order: a record with any of it is read."""
    if format_.record_start is None or not errors:
        return [at for at, _ in errors]
    kept: list[int] = []
    known: dict[bytes, bool] = {}
    """Whether a record at debug level begins so; lines that differ in their digits alone are asked once."""
    end, quiet = -1, False
    next_other = other = -1
    """Which of the others follows, and where the record begins in which it stands."""
    for at, _ in errors:
        if at - 1 > end:
            start, end = data.rfind(b"\n", 0, at - 1) + 1, data.find(b"\n", at - 1)
            end = len(data) if end < 0 else end
            head = data[start : start + _HEAD].translate(_DIGITS)
            begins_quiet = known.get(head)
            if begins_quiet is None:
                begins_quiet = is_debug(head) and format_.record_start.match(data, start) is not None
                known[head] = begins_quiet
            quiet = begins_quiet
            if quiet and (following := bisect_left(others, (start + 1, 0))) != next_other:
                next_other = following
                found = following < len(others)
                other = format_.bounds(data, others[following][0] - 1)[0] if found else -1
            quiet = quiet and other != start
        if not quiet:
            kept.append(at)
    return kept
