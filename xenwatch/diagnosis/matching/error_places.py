"""Where in a chunk errors may stand: the words of errors, without the lines that say of themselves that they are none.

xend polls `'failed': '0'` by the thousand at debug level, and an error's words are in many a healthy line: what nothing
else was found in is dropped here, before its record is cut out and read.
"""

from collections.abc import Sequence

from xenwatch.diagnosis.matching.errors import is_debug
from xenwatch.diagnosis.matching.prefilter import Candidate
from xenwatch.model.record import LogFormat


def places_of_errors(
    errors: Sequence[Candidate], others: Sequence[Candidate], data: bytes, format_: LogFormat
) -> list[int]:
    """Offsets of the errors' words. `others` are what else was found, in order: a record with any of it is read."""
    kept: list[int] = []
    end, dropped = -1, False
    waiting = iter(others)
    next_other = next(waiting, _NOTHING)[0]
    begins = format_.record_start
    for at, _ in errors:
        if at - 1 <= end:  # in the line that was judged just now
            if not dropped:
                kept.append(at)
            continue
        start, end = data.rfind(b"\n", 0, at - 1) + 1, data.find(b"\n", at - 1)
        end = len(data) if end < 0 else end
        while next_other <= start:
            next_other = next(waiting, _NOTHING)[0]
        dropped = (
            next_other > end + 1
            and begins is not None
            and is_debug(data[start : start + 80])
            and begins.match(data, start) is not None
            and begins.match(data, end + 1) is not None
        )
        if not dropped:
            kept.append(at)
    return kept


_NOTHING: Candidate = (1 << 62, 0)
