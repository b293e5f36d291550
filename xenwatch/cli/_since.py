"""What `--since` takes: a duration back from the end, a date, `today` or `yesterday`."""

import math
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

import click

from xenwatch.base.durations import parse_duration
from xenwatch.base.zones import Zone, as_tzinfo, offset_at_wall

Since = Callable[[float, Zone], float]
"""The moment that is meant, from the end of the logs (or now, on a running host) and the zone.

Made of functions with names, so that it can be sent to a worker process.
"""

_DAYS_BACK = {"today": 0, "yesterday": 1}
_DAY = 86400.0
_EXAMPLES = (
    "write a duration such as 2h or 7d, a date such as 2026-11-28 or '2026-11-28 14:30', today, yesterday, or all"
)


def last(seconds: float) -> Since:
    """The last so many seconds; infinity is all there is."""
    return partial(_before_end, seconds)


def parse_since(_ctx: click.Context, _param: click.Parameter, text: str | None) -> Since | None:
    """What `text` means; None where the option is not given."""
    if text is None:
        return None
    if text == "all":
        return last(math.inf)
    if text in _DAYS_BACK:
        return partial(_midnight, _DAYS_BACK[text])
    try:
        return last(parse_duration(text))
    except ValueError:
        return _date(text)


def _date(text: str) -> Since:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(_EXAMPLES) from None
    if moment.tzinfo is not None:
        return partial(_at_moment, moment.timestamp())
    return partial(_on_wall_clock, moment.replace(tzinfo=UTC).timestamp())


def _before_end(seconds: float, end: float, _zone: Zone) -> float:
    return end - seconds


def _at_moment(moment: float, _end: float, _zone: Zone) -> float:
    return moment


def _on_wall_clock(wall: float, _end: float, zone: Zone) -> float:
    return _at_wall(wall, zone)


def _midnight(days_back: int, end: float, zone: Zone) -> float:
    day = datetime.fromtimestamp(end, as_tzinfo(zone)).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=UTC)
    return _at_wall(day.timestamp() - days_back * _DAY, zone)


def _at_wall(wall: float, zone: Zone) -> float:
    return wall - offset_at_wall(wall, zone)
