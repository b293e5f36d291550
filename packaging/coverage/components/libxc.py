"""libxc: hypercalls, the domain builder, saving and restoring guests."""

import re

from c_source import Says
from component import Component, Tree, c_reader
from message import Line, Message

_REASONS = {
    "XC_INVALID_KERNEL": "Invalid kernel",
    "XC_INVALID_PARAM": "Invalid configuration",
    "XC_OUT_OF_MEMORY": "Out of memory",
}
"""What libxc puts behind a message for the code that it was given."""


def _line(message: Message, text: str, _tree: Tree) -> Line:
    if message.call == "xc_dom_panic":
        reason = next((words for code, words in _REASONS.items() if code in message.before), "Internal error")
        return Line("libxl", f"xc: error: panic: {message.file}:{message.line}: {text}: {reason}")
    number = " (22 = Invalid argument)" if message.call == "PERROR" else ""
    return Line("libxl", f"xc: error: {text}{number}: Internal error")


COMPONENT = Component(
    name="libxc",
    paths=("tools/libs/ctrl/*.c", "tools/libs/guest/*.c", "tools/libxc/*.c"),
    read=c_reader([Says(re.compile(r"P?ERROR|xc_dom_panic"), "error")], ["tools/libs/guest/*.h", "tools/libxc/*.h"]),
    line=_line,
    leave_out=re.compile(r"minios|netbsd|freebsd|solaris|ia64|powerpc"),
)
