"""domain-builder-ng.log: libxc's domain builder, appended by every build, with date and pid."""

from xenwatch.base import lazy_re as re
from xenwatch.logs.formats._shapes import named, xtl_header
from xenwatch.model.record import LogFormat

FORMAT = LogFormat(
    name="domain-builder",
    title="domain-builder-ng.log of libxc",
    carries=frozenset({"xl", "libxl"}),
    names=named(r"domain-builder(?:-ng)?\.log"),
    sniff=re.compile(rb"^[ \t]*(?:\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \S+ \[\d+\] )?domainbuilder: [a-z]+: ", re.MULTILINE),
    rank=15,
    record_start=re.compile(rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d|[a-z]\w*: [a-z]+: "),
    parse=xtl_header,
)
