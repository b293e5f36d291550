"""Every way the logs of a Xen host write a moment, read into seconds since the epoch; called on hits only."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache

from xenwatch.base import lazy_re as re
from xenwatch.base.zones import Zone, offset_at_wall
from xenwatch.model.record import TimeHint

_MONTH = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
_MONTHS = {name: number for number, name in enumerate(_MONTH.split("|"), 1)}

ISO = r"\d{4}-?\d\d-?\d\d[ T]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d| [A-Z]{3,5}\b)?"
"""Pattern of what `iso_time` reads."""
SYSLOG = rf"(?:{_MONTH}) {{1,2}}\d{{1,2}} \d\d:\d\d:\d\d(?:\.\d{{1,9}})?"
"""Pattern of what `syslog_time` reads."""
ENGLISH = (
    rf"[A-Z][a-z]{{2}},? (?:\d{{1,2}} (?:{_MONTH}) \d{{4}} \d\d:\d\d:\d\d"
    rf"|(?:{_MONTH}) +\d{{1,2}} \d\d:\d\d:\d\d \d{{4}})"
)
"""Pattern of what `english_time` reads."""

_ISO = re.compile(
    r"(\d{4})-?(\d\d)-?(\d\d)[ T](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?(?:(Z)|([+-])(\d\d):?(\d\d)| ([A-Z]{3,5})\b)?"
)
_SYSLOG = re.compile(rf"({_MONTH}) {{1,2}}(\d{{1,2}}) (\d\d):(\d\d):(\d\d)(?:\.(\d{{1,9}}))?")
_DAY_FIRST = re.compile(rf"[A-Z][a-z]{{2}}, (\d{{1,2}}) ({_MONTH}) (\d{{4}}) (\d\d):(\d\d):(\d\d)")
_ASCTIME = re.compile(rf"[A-Z][a-z]{{2}} ({_MONTH}) +(\d{{1,2}}) (\d\d):(\d\d):(\d\d) (\d{{4}})")
_AHEAD = 26 * 3600.0
"""A log can be this far ahead of the clock that dates it: zones, and a file copied with an old time."""
_DAY = 86400.0
_YEARS = range(1970, 2101)
"""1970 is what a host without a clock battery writes; the year 1 or 9999 was forged, and would never be over."""
_UTC_NAMES = {"UTC", "GMT", "WET"}

TimeReader = Callable[[str, TimeHint], float | None]


@lru_cache(maxsize=256)  # many records are of one second
def iso_time(text: str, hint: TimeHint) -> float | None:
    """`2011-05-18 20:55:04`, `…,238`, `…+0200`, `20120101T12:00:00.123Z`, `… CET`; no zone means local time.

    Zone names other than UTC and GMT are taken for the log's local time: three letters do not name a zone uniquely.
    """
    match = _ISO.match(text)
    if not match:
        return None
    year, month, day, hour, minute, second, fraction, zulu, sign, hours, minutes, zone = match.groups()
    offset: Zone = hint.utc_offset
    if zulu or zone in _UTC_NAMES:
        offset = 0.0
    elif sign:
        offset = (1 if sign == "+" else -1) * (int(hours) * 3600.0 + int(minutes) * 60.0)
    return _moment((int(year), int(month), int(day)), (int(hour), int(minute), int(second)), fraction, offset)


@lru_cache(maxsize=256)
def syslog_time(text: str, hint: TimeHint) -> float | None:
    """`Jul 14 14:18:02`: local, without a year; the last such day that had come by `hint.near`, give or take a zone."""
    match = _SYSLOG.match(text)
    if not match:
        return None
    month, day = _MONTHS[match[1]], int(match[2])
    clock = int(match[3]), int(match[4]), int(match[5])
    near_year = datetime.fromtimestamp(hint.near, UTC).year
    candidates = [
        at
        for year in (near_year - 1, near_year, near_year + 1)
        if (at := _moment((year, month, day), clock, match[6], hint.utc_offset)) is not None
    ]
    past = [at for at in candidates if at <= hint.near + _AHEAD]
    return max(past, default=min(candidates, default=None))


def english_time(text: str, hint: TimeHint) -> float | None:
    """virt-manager's `Tue, 14 Jul 2009 14:18:02` and asctime's `Tue Jul 14 14:18:02 2009`, both local."""
    if match := _DAY_FIRST.match(text):
        day, month, year = int(match[1]), _MONTHS[match[2]], int(match[3])
        return _moment((year, month, day), (int(match[4]), int(match[5]), int(match[6])), None, hint.utc_offset)
    if match := _ASCTIME.match(text):
        month, day, year = _MONTHS[match[1]], int(match[2]), int(match[6])
        return _moment((year, month, day), (int(match[3]), int(match[4]), int(match[5])), None, hint.utc_offset)
    return None


def _moment(date: tuple[int, int, int], clock: tuple[int, int, int], fraction: str | None, zone: Zone) -> float | None:
    """None for a date that does not exist or that no log has; a leap second counts as the one before it."""
    hour, minute, second = clock
    midnight = _midnight(*date) if date[0] in _YEARS else None
    if midnight is None or hour > 23 or minute > 59:  # noqa: PLR2004  a clock's
        return None
    wall = midnight + hour * 3600.0 + minute * 60.0 + min(second, 59)
    offset = offset_at_wall(wall, zone)
    if abs(offset) >= _DAY:
        return None
    return wall - offset + (int(fraction) / 10 ** len(fraction) if fraction else 0.0)


@lru_cache(maxsize=64)  # a log stays in one day for thousands of records
def _midnight(year: int, month: int, day: int) -> float | None:
    try:
        return datetime(year, month, day, tzinfo=UTC).timestamp()
    except ValueError:
        return None
