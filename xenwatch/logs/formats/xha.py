"""xha.log: the high-availability daemon of XenServer and XCP-ng, which says why it let its host reboot."""

from xenwatch.base import lazy_re as re
from xenwatch.logs.formats._shapes import named
from xenwatch.logs.timestamps import english_time
from xenwatch.model.record import Header, LogFormat, TimeHint

# `%s %02d %02d:%02d:%02d %s %04d [%s] ` of xha's daemon/log.c: the year stands behind the zone.
_HEAD = re.compile(
    r"(?P<day>[A-Z][a-z]{2} \d\d \d\d:\d\d:\d\d) (?P<zone>[A-Z]\w{1,5}) (?P<year>\d{4}) \[(?P<level>\w+)\] "
)
_LEVELS = {
    "emerg": "critical",
    "panic": "critical",
    "alert": "critical",
    "crit": "critical",
    "err": "error",
    "error": "error",
    "warning": "warning",
    "warn": "warning",
    "notice": "info",
    "info": "info",
    "debug": "debug",
}


def _parse(text: str, hint: TimeHint) -> Header:
    head = _HEAD.match(text)
    if not head:
        return Header()
    zone = TimeHint(hint.near, 0) if head["zone"] in ("UTC", "GMT") else hint
    return Header(
        english_time(f"Mon {head['day']} {head['year']}", zone), _LEVELS.get(head["level"].lower()), head.end()
    )


FORMAT = LogFormat(
    name="xha",
    title="xha.log, the high-availability daemon of XenServer or XCP-ng",
    carries=frozenset({"xapi"}),
    names=named(r"xha\.log"),
    sniff=re.compile(rb"^[A-Z][a-z]{2} \d\d \d\d:\d\d:\d\d [A-Z]\w{1,5} \d{4} \[\w+\] ", re.MULTILINE),
    rank=20,
    parse=_parse,
)
