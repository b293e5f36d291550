"""Durations and sizes as people write them: `90s`, `1h30m`, `256MiB`."""

from functools import lru_cache

from xenwatch.base import lazy_re as re
from xenwatch.base.errors import InvalidValue

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d|w)")
_SIZES = {"": 1, "B": 1, **{f"{p}{b}": 1024**n for n, p in enumerate("KMGT", 1) for b in ("", "iB", "B")}}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?i?B?)")


def parse_duration(text: str) -> float:
    """Seconds in `text`, such as `30s`, `5m`, `1h30m`, `250ms`. InvalidValue says what was expected."""
    parts = _PART.findall(text)
    if not parts or "".join(n + u for n, u in parts) != text:
        raise InvalidValue(f"{text!r} is not a duration; write it like 30s, 5m, 1h30m or 250ms")
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


@lru_cache(maxsize=1024)
def format_duration(seconds: float) -> str:
    """The two largest units of a duration: `3s`, `5m`, `1h30m`, `2d4h`."""
    if seconds < 1:
        return f"{seconds * 1000:.0f}ms" if seconds > 0 else "0s"
    rest, words = round(seconds), []
    for unit in ("d", "h", "m", "s"):
        count, rest = divmod(rest, int(_UNITS[unit]))
        if count:
            words.append(f"{count}{unit}")
    return "".join(words[:2])


def parse_size(text: str) -> int:
    """Bytes in `text`, such as `4096`, `256K`, `1MiB`. Units are powers of 1024. InvalidValue otherwise."""
    found = _SIZE.fullmatch(text.strip())
    if not found or found[2] not in _SIZES:
        raise InvalidValue(f"{text!r} is not a size; write it like 4096, 256K, 1MiB or 2GiB")
    return int(float(found[1]) * _SIZES[found[2]])


def format_size(count: float) -> str:
    """A size for people: `512 B`, `1.5 KiB`, `2.0 GiB`."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024:  # noqa: PLR2004
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} TiB"
