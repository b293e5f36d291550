"""The lines of host-written logs that say two of name, domid and UUID of one guest."""

from xenwatch.base import lazy_re as re

_STATES = "r-----|-b----|--p---|---s--|----c-|-----d|------"
"""Of a domain in `xl list`."""
_VIRSH_STATES = "running|idle|paused|in shutdown|crashed|dying"

NAMINGS: tuple[re.Pattern[str], ...] = tuple(
    map(
        re.compile,
        (
            r"Domain has (?:crashed|shutdown): name=(?P<domain>[^\s=]+) id=(?P<domid>\d+)",
            r"Domain (?P<domain>[\w.:+-]+) \((?P<domid>\d+)\) (?:unpaused|started|paused)",
            r"Waiting for domain (?P<domain>[\w.:+-]+) \(domid (?P<domid>\d+)\) to die",
            r"/usr/\S*qemu-\S+ .{0,200}?-d (?P<domid>\d+) .{0,200}?-domain-name (?P<domain>[\w.:+-]+)",
            r"qemu-system-\w+ -xen-domid (?P<domid>\d+) .{0,400}?-name (?:guest=)?(?P<domain>[\w.:+-]+)",
            r"'domid': '?(?P<domid>\d+)'?, .{0,400}?'name': '(?P<domain>[\w.:+-]+)'",
            r"\['name', '(?P<domain>[\w.:+-]+)'\].{0,800}?\['uuid', '(?P<uuid>[0-9a-f-]{36})'\]",
            r"\(domain \(domid (?P<domid>\d+)\).{0,400}?\(name (?P<domain>[\w.:+-]+)\)",
            # xend and libvirt, of a guest that could not be saved and of one that they mark
            r"Save failed on domain (?P<domain>[\w.:+-]+) \((?P<domid>\d+)\)",
            r"Domain id=(?P<domid>\d+) name='(?P<domain>[\w.:+-]+)'(?: uuid=(?P<uuid>[0-9a-f-]{36}))?",
            # xapi and xenopsd
            r"\bVM = (?P<uuid>[0-9a-f-]{36}); domid = (?P<domid>\d+)",
            r"\bVM = '?(?P<uuid>[0-9a-f-]{36})'? \((?P<domain>[\w.:+-]+)\)",
            # what xe shows below an error: each parameter, a VM with its name label
            r"^[ \t>]*(?:vm|VM|self): (?P<uuid>[0-9a-f-]{36}) \((?P<domain>[\w.:+-]+)\)(?=[ \t\r]*$)",
            # a line of `xl list` or `xm list`, of `virsh list`, of `xenstore-ls -f`
            rf"^[ \t>]*(?P<domain>[\w.:+-]+) +(?P<domid>\d+) +\d+ +\d+ +(?:{_STATES}) +\d+\.\d",
            rf"^[ \t>]*(?P<domid>\d+) +(?P<domain>[\w.:+-]+) +(?:{_VIRSH_STATES})(?=[ \t\r]*$)",
            r"/local/domain/(?P<domid>\d+)/name = \"(?P<domain>[\w.:+-]+)\"",
            # xenstored's access log; A is dom0's connection, a guest's own would be D<domid>
            r"^A\d+(?:\.\d+)? +write +/local/domain/(?P<domid>\d+)/name (?P<domain>[\w.:+-]+)(?=\s|$)",
        ),
    )
)
"""What says two of name, domid and uuid in one record of a host-written log."""
