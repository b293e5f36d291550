"""The log of the monitor that `xl create` leaves behind: xl's bare words and libxl's lines, mostly without times."""

from xenwatch.base import lazy_re as re
from xenwatch.logs.formats._shapes import CONTINUED, named, xtl_header
from xenwatch.logs.rotated_name import ROTATED
from xenwatch.model.record import LogFormat

FORMAT = LogFormat(
    name="xl",
    title="xl-<domain>.log, the monitor of a domain started with xl",
    toolstack="xl",
    carries_any=True,
    names=named(r"xl-[^/]+\.log", r"xl\.log"),
    sniff=re.compile(
        rb"^(?:Waiting for domain .{1,80} to die|Domain \d+ (?:has shut down, reason code|has been destroyed"
        rb"|needs to be cleaned up|is dead)"
        rb"|Action for shutdown reason code|Done\. (?:Exiting|Rebooting) now)",
        re.MULTILINE,
    ),
    rank=20,
    continues=CONTINUED,
    parse=xtl_header,
    subject=re.compile(r"(?:^|/)xl-(?!devd\.)(?P<domain>[^/]+?)\.log" + ROTATED),
)
