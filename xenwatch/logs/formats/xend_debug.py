"""xend-debug.log: stderr of the xend daemon, without times except for the banner of each start."""

from xenwatch.base import lazy_re as re
from xenwatch.logs.formats._shapes import CONTINUED, named
from xenwatch.logs.timestamps import ENGLISH, english_time
from xenwatch.model.record import Header, LogFormat, TimeHint

_BANNER = re.compile(rf"Xend started at (?P<at>{ENGLISH})")


def _parse(text: str, hint: TimeHint) -> Header:
    """The banner is the only clock here (since 3.0.4), and it stays part of the message."""
    found = _BANNER.match(text)
    return Header(at=english_time(found["at"], hint)) if found else Header()


FORMAT = LogFormat(
    name="xend-debug",
    title="xend-debug.log, what the xend daemon writes to stderr",
    toolstack="xm",
    carries=frozenset({"stderr", "xend", "domain-builder", "bootloader", "hotplug"}),
    names=named(r"xend-debug\.log"),
    sniff=re.compile(rb"^(?:Xend started at |Exception starting xend|xend \[ERROR\])", re.MULTILINE),
    rank=10,
    continues=CONTINUED,
    parse=_parse,
    # pygrub (GrubConf.py) names what it does not know in a guest's grub.conf.
    guest_text=re.compile(r"Unknown (?:image )?directive (?P<words>[^\n]*)"),
)
