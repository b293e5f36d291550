"""virt-manager.log: the graphical client, from 0.8's long dates to today's."""

from xenwatch.base import lazy_re as re
from xenwatch.logs.formats._shapes import named
from xenwatch.logs.formats._virttools import header_of, start_of
from xenwatch.model.record import LogFormat

_START = start_of("virt-manager")

FORMAT = LogFormat(
    name="virt-manager",
    title="virt-manager.log",
    carries_any=True,
    names=named(r"virt-manager\.log"),
    sniff=re.compile(rb"^" + _START + rb"|virtManager/\w+\.py\", line", re.MULTILINE),
    rank=15,
    # The text of its error dialogs, pasted without headers, starts with one of these sentences.
    record_start=re.compile(_START + rb"|Unable to |Error +\w+ing domain"),
    parse=header_of("virt-manager"),
)
