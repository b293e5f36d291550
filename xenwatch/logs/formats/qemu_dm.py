"""The device model's log: qemu-dm.<pid>.log (3.0, 3.1), qemu-dm-<domid>.log (3.2), qemu-dm-<name>.log (3.3 and xl)."""

from xenwatch.base import lazy_re as re
from xenwatch.logs.formats._shapes import CONTINUED, named
from xenwatch.logs.rotated_name import ROTATED
from xenwatch.model.record import LogFormat

FORMAT = LogFormat(
    name="qemu-dm",
    title="log of a guest's device model (qemu)",
    names=named(r"qemu-dm\.\d+\.log", r"qemu-dm[-.][^/]+\.log", r"qemu-dm\.log", r"qemu-[^/]+\.log"),
    sniff=re.compile(
        rb"^(?:qemu(?:-system-\w+|-dm)?: |xs_read(?:_watch)?\(|domid: \d+$|Strip off blktap sub-type prefix"
        rb"|shared page at pfn"
        rb"|xen be(?: core)?: |Log-dirty command |qemu: )",
        re.MULTILINE,
    ),
    rank=20,
    continues=CONTINUED,
    guest_prompts=True,  # the guest writes whole lines through the platform device's log port
    subject=re.compile(
        r"(?:^|/)qemu-dm(?:\.(?P<pid>\d+)|-(?P<domid>\d{1,5})(?=\.log)"
        r"|-(?P<domain>[^/]+?))\.log" + ROTATED
    ),
)
