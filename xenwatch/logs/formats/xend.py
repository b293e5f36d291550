"""xend.log, all header forms from Xen 3.0.2 to 4.4; the source of truth is xen/xend/XendLogging.py of each version."""

from xenwatch.base import lazy_re as re
from xenwatch.logs.formats._shapes import level, named
from xenwatch.logs.timestamps import iso_time
from xenwatch.model.record import Header, LogFormat, TimeHint

_LEVEL = "TRACE|DEBUG|INFO|WARNING|ERROR|CRITICAL"
# 3.0.2 has the logger, 3.0.3 logger and pid, 3.1 and later the pid; some vendors add milliseconds and a thread id.
_STAMP = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:,\d+)?"
_HEADER = re.compile(
    rf"(?:\[(?:(?P<at>{_STAMP}) ?)?(?P<logger>xend[\w.]*)?(?: ?(?P<pid>\d+))?(?: \d+)?\] )?"
    rf"(?P<level>{_LEVEL}) \((?P<module>[\w.<>-]+):\d+\) ?"
)
_START = (
    rb"(?:\[(?:\d{4}-\d\d-\d\d |xend)[^\]\n]{0,60}\] )?(?:TRACE|DEBUG|INFO|WARNING|ERROR|CRITICAL) \([\w.<>-]+:\d+\)"
)


def _parse(text: str, hint: TimeHint) -> Header:
    found = _HEADER.match(text)
    if not found:
        return Header()
    fields = {name: value for name in ("pid", "module") if (value := found[name])}
    at = iso_time(found["at"], hint) if found["at"] else None
    severity = level(found["level"])
    # 3.0 logs each line that xc_save and xc_restore print, progress too, as an error.
    if severity == "error" and found["module"] == "XendCheckpoint" and "%" in text and "iter" in text:
        severity = "info"
    return Header(at=at, level=severity, length=found.end(), fields=fields)


FORMAT = LogFormat(
    name="xend",
    title="xend.log of the xend toolstack",
    toolstack="xm",
    carries=frozenset({"stderr", "xend-debug", "domain-builder", "bootloader"}),
    names_device_models=True,
    names=named(r"xend\.log", r"[\w]*-xend\.log"),
    sniff=re.compile(rb"^" + _START, re.MULTILINE),
    rank=10,
    record_start=re.compile(_START),
    parse=_parse,
    headers=(_HEADER,),
)
