"""Our formats as lnav reads them, so that its view of Xen's logs has their times and levels."""

import re
from collections.abc import Sequence
from typing import Any

from xenwatch.model.record import LogFormat

_TIMES = [
    "%Y-%m-%d %H:%M:%S,%L",
    "%Y-%m-%d %H:%M:%S.%L%z",
    "%Y-%m-%d %H:%M:%S %Z",
    "%Y-%m-%d %H:%M:%S",
    "%Y%m%dT%H:%M:%S.%LZ",
    "%Y%m%d %H:%M:%S",
]
_LEVELS = {
    "critical": "(?i)^ *(crit|critical|fatal|alert|emerg)",
    "error": "(?i)^ *err",
    "warning": "(?i)^ *warn",
    "info": "(?i)^ *(info|notice)",
    "debug": "(?i)^ *(debug|detail|progress|verbose)",
    "trace": "(?i)^ *trace",
}


def lnav_name(part: LogFormat) -> str:
    """What lnav calls it, and the table of its lines."""
    return f"xen_{part.name.replace('-', '_')}_log"


def lnav_format(part: LogFormat, samples: Sequence[str]) -> dict[str, Any]:
    """A format of lnav's format-v1; lnav refuses one without samples, or with one that it cannot read."""
    levels = {"level-field": "level", "level": _LEVELS} if any("level" in h.groupindex for h in part.headers) else {}
    return {
        "title": part.title,
        "description": f"{part.title}; made from xenwatch/logs/formats",
        "file-pattern": "|".join(name.pattern for name in part.names),
        "regex": {f"header{number}": {"pattern": _pattern(header)} for number, header in enumerate(part.headers, 1)},
        "timestamp-format": _TIMES,
        **levels,
        "sample": [{"line": line} for line in samples],
    }


def has_time(part: LogFormat, line: str) -> bool:
    """Whether a line begins with a header of the format that says when it was written."""
    return any((found := header.match(line)) and found["at"] for header in part.headers)


def _pattern(header: re.Pattern[str]) -> str:
    """PCRE reads what Python does; lnav has names of its own for the groups, and wants the whole line."""
    return f"^{header.pattern.replace('(?P<at>', '(?P<timestamp>')}(?<body>.*)$"
