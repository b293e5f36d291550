"""What LVM's and device-mapper's commands say when they fail or warn."""

from xenwatch.base import lazy_re as re
from xenwatch.logs.formats._shapes import named, syslog_header
from xenwatch.model.record import LogFormat

FORMAT = LogFormat(
    name="lvm",
    title="messages of LVM commands",
    carries=frozenset({"stderr", "syslog"}),
    names=named(r"lvm(?:2)?\.log", r"(?:lv|vg|pv)\w*\.(?:log|err)"),
    sniff=re.compile(
        rb"^ {0,4}(?:Volume group \"|Logical volume |Insufficient free (?:extents|space)"
        rb"|Can't remove open logical volume|Couldn't find device with uuid"
        rb"|device-mapper: \w+ ioctl|(?:WARNING: )?Device for PV|Failed to find (?:logical|physical) volume"
        rb"|Cannot process volume group)",
        re.MULTILINE,
    ),
    rank=30,
    parse=syslog_header,
)
