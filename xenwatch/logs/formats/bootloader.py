"""bootloader.<domid>.log: what pygrub printed on its terminal while it looked for a guest's kernel."""

from xenwatch.base import lazy_re as re
from xenwatch.logs.formats._shapes import CONTINUED, named
from xenwatch.model.record import LogFormat

FORMAT = LogFormat(
    name="bootloader",
    title="bootloader log of a guest (pygrub)",
    names=named(r"bootloader(?:\.\d+)?\.log"),
    # pygrub's own traceback begins a line; within one it is quoted by a toolstack, and the log is that one's.
    sniff=re.compile(
        rb"^Traceback \(most recent call last\):\s+File \"[^\"\n]*pygrub\", line \d+"
        rb"|^(?:Using <class 'grub\.|WARNING:root:Unknown directive|linux \(kernel )",
        re.MULTILINE,
    ),
    rank=20,
    continues=CONTINUED,
    guest_prompts=True,  # titles and files of the menu are the guest's
    subject=re.compile(r"(?:^|/)bootloader\.(?P<domid>\d+)\.log"),
)
