"""xenstored in C: what it tells syslog and its own log; and what oxenstored logs."""

import re

from c_source import Says
from component import Component, Tree, c_reader
from message import Line, Message

_SAYS = [
    Says(re.compile(r"barf|barf_perror|corrupt"), "error"),
    Says(re.compile(r"eprintf|xprintf|log"), "error"),
    Says(re.compile(r"syslog")),
    Says(re.compile(r"fprintf"), "error", needs=re.compile(r"\bstderr\b")),
]


def _line(message: Message, text: str, _tree: Tree) -> Line:
    before = {"corrupt": "corruption detected by connection 5: err Invalid argument: ", "eprintf": "[ERR] "}
    told = "FATAL: " if message.call.startswith("barf") else before.get(message.call, "")
    reason = ": Invalid argument" if message.call == "barf_perror" else ""
    return Line("syslog", f"Jul 14 14:18:02 dom0 xenstored: {told}{text}{reason}")


COMPONENT = Component(
    name="xenstored",
    paths=("tools/xenstored/*.c", "tools/xenstore/xenstored_*.c"),
    read=c_reader(_SAYS, ["tools/xenstored/*.h", "tools/xenstore/*.h"]),
    line=_line,
    leave_out=re.compile(r"minios|solaris|netbsd|probes"),
)
