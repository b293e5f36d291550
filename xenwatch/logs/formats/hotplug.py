"""xen-hotplug.log: stderr of the commands that the hotplug scripts run; no time, no script name, no pid."""

from xenwatch.base import lazy_re as re
from xenwatch.logs.formats._shapes import CONTINUED, named, syslog_header
from xenwatch.model.record import LogFormat

FORMAT = LogFormat(
    name="hotplug",
    title="xen-hotplug.log, stderr of the hotplug scripts",
    carries=frozenset({"syslog"}),
    names=named(r"xen-hotplug\.log", r"hotplug\.log"),
    sniff=re.compile(
        rb"^(?:RTNETLINK answers: |can't add \S+ to bridge|xenstore-read: couldn't read|ioctl: LOOP_"
        rb"|\++ (?:xenstore|brctl|ip) "
        rb"|\S+: ERROR while getting interface flags|iptables(?:-\S+)?: )",
        re.MULTILINE,
    ),
    rank=30,
    continues=CONTINUED,
    # Where logger(1) fails, and where people cut the scripts' lines out of syslog, the lines carry a syslog header.
    parse=syslog_header,
)
