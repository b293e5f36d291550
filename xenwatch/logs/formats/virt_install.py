"""virt-install.log: the command-line installer's own log, written like virt-manager's."""

from xenwatch.base import lazy_re as re
from xenwatch.logs.formats._shapes import named
from xenwatch.logs.formats._virttools import header_of, start_of
from xenwatch.model.record import LogFormat

_PROGRAMS = "virt-(?:install|clone|image|convert|xml)"
_START = start_of(_PROGRAMS)

FORMAT = LogFormat(
    name="virt-install",
    title="virt-install.log",
    carries_any=True,
    names=named(rf"{_PROGRAMS}\.log"),
    sniff=re.compile(rb"^" + _START, re.MULTILINE),
    rank=15,
    record_start=re.compile(_START),
    parse=header_of(_PROGRAMS),
)
