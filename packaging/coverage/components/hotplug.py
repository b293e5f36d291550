"""The hotplug scripts, by what their text says; run against a failing world they may say more."""

import re
from collections.abc import Iterator

from component import Component, Tree
from message import Line, Message
from shell_source import read as read_shell


def _read(name: str, text: str, _tree: Tree) -> Iterator[Message]:
    return read_shell(name, text)


def _line(message: Message, text: str, _tree: Tree) -> Line:
    """`fatal` and `log` go to syslog with the script's own path in front; what is echoed is bare."""
    if message.call == "echo":
        return Line("hotplug", text)
    return Line("syslog", f"Jul 14 14:18:02 dom0 root: /etc/xen/scripts/{message.file}: {text}")


COMPONENT = Component(
    name="hotplug",
    paths=("tools/hotplug/Linux/*",),
    read=_read,
    line=_line,
    leave_out=re.compile(r"Makefile|\.rules|init\.d|systemd|\.in$"),
)
