"""Shapes that several formats share: file names, the syslog header, libxl's context and level, lines that continue."""

from xenwatch.base import lazy_re as re
from xenwatch.logs.rotated_name import NAME_BEGINS, ROTATED
from xenwatch.logs.timestamps import ISO, SYSLOG, iso_time, syslog_time
from xenwatch.model.record import Header, TimeHint

_LEVELS = {
    **dict.fromkeys(("trace", "debug", "verbose", "detail", "progress"), "debug"),
    **dict.fromkeys(("info", "notice"), "info"),
    **dict.fromkeys(("warn", "warning"), "warning"),
    **dict.fromkeys(("err", "error"), "error"),
    **dict.fromkeys(("crit", "critical", "alert", "emerg", "fatal"), "critical"),
}

SYSLOG_LINE = rf"(?:<\d{{1,3}}>)?(?:{SYSLOG}|\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)) "
"""Pattern of the time that starts a line of syslog, or of `journalctl -o short-iso`."""

_SYSLOG_HEADER = re.compile(
    rf"(?:<\d{{1,3}}>)?(?:(?P<old>{SYSLOG})|(?P<iso>{ISO})) (?:(?!\(XEN\))(?P<host>[\w.:-]+) "
    r"(?=(?P<tag>[\w./@()-]+)(?:\[(?P<pid>\d+)\])?: ?))?"
)
XTL_HEADER = re.compile(rf"(?:(?P<at>{ISO}):? )?(?:\[(?P<pid>\d+)\] )?(?=(?P<context>[a-z]\w*): (?P<level>[a-z]+): )")
XTL_DOMAIN = re.compile(r"\bDomain\s+(?P<domid>\d+):")

CONTINUED = re.compile(
    rb"[ \t]+\S|Device \S+ is mounted (?:read-write )?in |File \S+ is (?:loopback-mounted|read-only)"
    rb"|and so (?:cannot|I will)|which is mounted|mount it read-write|If you are using iptables"
    rb"|\d+:[A-Za-z]|File \"[^\"\n]+\", line \d+"
    rb"|[A-Za-z_][\w.]*(?:Error|Exception|Fault|Interrupt|Exit): "
)
"""Lines without a header that belong to the one before: tracebacks, messages of the hotplug scripts, hard wraps."""

_STRANGERS = (
    r"(?:sshd(?:-session)?|dhcpd|dnsmasq(?:-dhcp)?|(?:in\.)?(?:t?ftpd|telnetd|rshd|rlogind)|named|unbound|avahi-daemon"
    r"|[sn]mbd(?:_audit)?|winbindd|snmpd|xinetd|vsftpd|proftpd|pure-ftpd|postfix/[\w/]+|sendmail|sm-mta"
    r"|exim\d?|dovecot|imapd|httpd|apache2|nginx|squid|slapd|radvd|openvpn|pppd|radiusd|freeradius)"
)
BELIEVED = re.compile(
    # Toolstacks, their daemons and helpers, and device models.
    r"(?:xl|xm|libxl|xen[\w.-]*|oxenstored|launch-xenstore|libvirtd|virt\w+d|xapi\d*|SM\w*|squeezed|forkexecd|v6d"
    r"|message-switch|xcp-[\w-]+|tap-ctl|emu-manager[\w-]*|tapdisk\w*|tapback|TAPDISK|TAPBACK|BLKTAP\w*|blktap\w*|qemu[\w.-]*"
    r"|qubes[\w-]*|qvm-\w+|vm\.[\w-]+|ganeti[\w-]*|stubdom[\w.-]*"
    # What runs the host's devices, disks and networks. The manager of a user's own units has another pid than 1.
    r"|kernel|hypervisor|systemd(?=\[1\]|:)|systemd-(?:udevd|modules-load|networkd|coredump|journald|shutdown|fsck)|udevd?(?:-work)?"
    r"|\(?udev-worker\)?|multipathd?|dmeventd|(?:lv|vg|pv)\w+|iscsi\w*|drbd[\w-]*|mdadm|smartd|rpc\.\w+|mount[\w.]*|automount"
    r"|ovs-\w+|openvswitch|network|NetworkManager|ifup|dracut[\w-]*|modprobe|watchdog\w*|mcelog|rasdaemon|abrtd?"
    r"|ntpd|chronyd|auditd|audispd|setroubleshootd?)(?:\[\d+\])?: "
    # What only runs another program passes on what a tool of Xen's prints, from its first word on.
    r"|(?:timeout|nohup|nice|ionice|flock|setsid|env|sh|bash|dash|systemd-run|ssh)(?:\[\d+\])?: "
    r"(?:(?:libxl|xc|xl):|ssh: connect to host)\s"
    # Anybody may call logger: it is believed where it says which script of Xen's speaks.
    r"|(?:root|logger)(?:\[\d+\])?: /(?:etc/xen|usr/lib(?:exec)?/xen|opt/xensource|etc/xapi\.d)[\w./-]*(?:: |\[)"
)
"""Programs of the host in syslog that say nothing but their own words about guests."""

GUEST_WORDS = re.compile(
    # Names of users, hosts and files that whoever is on the network sends, a guest as well.
    rf"(?:\A|(?<= )){_STRANGERS}(?:\[\d+\])?: (?P<words>.*)\Z"
    # The kernel quotes a value that the frontend wrote (drivers/block/xen-blkback/xenbus.c, connect_ring).
    r"|\bunknown fe protocol (?P<protocol>.*)\Z"
    # btrfs prints the label of each file system that udev finds on a guest's disk (fs/btrfs/volumes.c).
    r"|\bdevice (?:label|fsid) (?P<label>[^\n]{1,300}) devid \d+ transid"
    # Whoever makes a USB device names it (drivers/usb/core/hub.c, announce_device); so do disks and their makers.
    r"|\busb [\d.-]+: (?:Product|Manufacturer|SerialNumber): (?P<usb>.*)\Z"
    r"|\binput: (?P<input>[^\n]{1,300}) as /devices/"
    # systemd calls a disk what its maker calls it (src/core/device.c).
    r"|\bFound device (?P<device>.*)\Z",
    re.DOTALL,
)
"""In syslog and the kernel's log: what others chose and the host repeats."""

WRAPPED = rb"[a-z(][^:\n]*(?:\n|\Z)"
"""A line that began in the middle: mail programs and forums break long lines, and hardly a message has no colon."""


def named(*stems: str) -> tuple[re.Pattern[str], ...]:
    """Patterns for paths that end in such a name; a log that was rotated is called so too."""
    return tuple(re.compile(rf"{NAME_BEGINS}{stem}){ROTATED}") for stem in stems)


def level(word: str) -> str | None:
    """One of our five levels for a word of theirs (`WARN`, `notice`, `critical`); None for another word."""
    return _LEVELS.get(word.lower())


def syslog_header(text: str, hint: TimeHint) -> Header:
    """Reads time and host. The message keeps its tag (`xenstored: …`): it says who speaks."""
    found = _SYSLOG_HEADER.match(text)
    if not found:
        return Header()
    at = syslog_time(found["old"], hint) if found["old"] else iso_time(found["iso"], hint)
    fields = {name: value for name in ("host", "tag", "pid") if (value := found[name])}
    return Header(at=at, length=found.end(), fields=fields)


def xtl_header(text: str, hint: TimeHint) -> Header:
    """Reads xentoollog's `[date zone [pid] ]context: level: message`. The message keeps context and level."""
    found = XTL_HEADER.match(text)
    if not found:
        return Header(fields=domain_field(text))
    fields = domain_field(text) | ({"pid": found["pid"]} if found["pid"] else {})
    at = iso_time(found["at"], hint) if found["at"] else None
    return Header(at=at, level=level(found["level"]), length=found.end(), fields=fields)


def domain_field(text: str) -> dict[str, str]:
    """The domid libxl since 4.9 writes into its messages, `Domain 5:`."""
    found = XTL_DOMAIN.search(text, 0, 400)
    return {"domid": found["domid"]} if found else {}
