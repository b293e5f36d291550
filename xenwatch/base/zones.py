"""Zones that local times are written in: seconds east of UTC, or an IANA zone, where the date decides how many."""

import os
import time
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from pathlib import Path

from xenwatch.base import lazy_re as re
from xenwatch.base.errors import InvalidValue

Zone = float | tzinfo
"""Seconds east of UTC all year round, or a zone with summer time."""

_OFFSET = re.compile(r"([+-])(\d\d):?(\d\d)")
_LOCALTIME = Path("/etc/localtime")
_EXAMPLES = "write UTC, local, an offset such as +02:00, or a zone such as Europe/Berlin"


def parse_zone(text: str) -> Zone:
    """The zone that `UTC`, `local`, `+02:00` or `Europe/Berlin` names. InvalidValue says what can be written."""
    if text == "local":
        return local_zone()
    if text.upper() in ("UTC", "Z"):
        return 0.0
    if offset := _OFFSET.fullmatch(text):
        return (1 if offset[1] == "+" else -1) * (int(offset[2]) * 3600 + int(offset[3]) * 60.0)
    from zoneinfo import ZoneInfo  # noqa: PLC0415  it takes longer to load than most commands need

    try:
        return ZoneInfo(text)
    except (ValueError, OSError, KeyError):  # ZoneInfoNotFoundError is a KeyError; a folder is an OSError
        raise InvalidValue(f"{text!r} is not a time zone that this host knows; {_EXAMPLES}") from None


def local_zone() -> Zone:
    """The zone of this host; its present offset where its rules cannot be read."""
    from zoneinfo import ZoneInfo  # noqa: PLC0415

    name = os.environ.get("TZ", "").removeprefix(":")
    try:
        if name:
            return ZoneInfo(name)
        with _LOCALTIME.open("rb") as file:
            return ZoneInfo.from_file(file)
    except (ValueError, OSError, KeyError):
        return float(time.localtime().tm_gmtoff)


def as_tzinfo(zone: Zone) -> tzinfo:
    """The zone as `datetime` takes it."""
    if isinstance(zone, tzinfo):
        return zone
    return timezone(timedelta(seconds=zone)) if zone else UTC


def offset_at_wall(wall: float, zone: Zone) -> float:
    """Seconds east of UTC where clocks in the zone show `wall` (seconds, read as if it were UTC).

    The hour that clocks show twice in autumn is taken for its first pass.
    """
    return _wall_offset(wall // 60 * 60, zone) if isinstance(zone, tzinfo) else zone


@lru_cache(maxsize=256)  # a log stays in one minute for many records
def _wall_offset(wall: float, zone: tzinfo) -> float:
    offset = datetime.fromtimestamp(wall, UTC).replace(tzinfo=zone).utcoffset()
    return offset.total_seconds() if offset is not None else 0.0
