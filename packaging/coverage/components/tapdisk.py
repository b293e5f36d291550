"""tapdisk of blktap2: what it writes to syslog about images and requests."""

import re

from c_source import Says
from component import Component, Tree, c_reader
from message import Line, Message

_SAYS = [
    Says(re.compile(r"P?E?PRINTF|PERROR|ERR|tlog_error|ERROR"), "error"),
    Says(re.compile(r"tlog_write|syslog|td_syslog")),
]


def _line(message: Message, text: str, _tree: Tree) -> Line:
    """EPRINTF goes to syslog as tap-err; ERR is kept in a ring, and written when the tapdisk ends."""
    reason = ": Invalid argument" if message.call in ("PERROR", "PEPRINTF") else ""
    before = f"tap-err:{message.function}: " if message.call.endswith(("EPRINTF", "PERROR")) else ""
    ring = f"TAPDISK ERROR: errno -5 at {message.function} (cnt = 1): " if message.call == "ERR" else ""
    return Line("syslog", f"Jul 14 14:18:02 dom0 tapdisk[4321]: {before}{ring}{text}{reason}")


COMPONENT = Component(
    name="tapdisk",
    paths=("tools/blktap2/drivers/*.c", "tools/blktap/drivers/*.c"),
    read=c_reader(_SAYS),
    line=_line,
    leave_out=re.compile(r"-util|qcow2raw|img2qcow|qcow-create|lock\.c"),
)
