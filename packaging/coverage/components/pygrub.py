"""pygrub and the file system reader behind it: why no kernel came out of a guest's image."""

import re
from collections.abc import Iterator

from component import Component, Tree
from message import Line, Message
from python_source import read as read_python


def _read(name: str, text: str, _tree: Tree) -> Iterator[Message]:
    return read_python(name, text)


def _line(message: Message, text: str, _tree: Tree) -> Line:
    """What is raised ends a traceback; what is logged is a line of the logging module."""
    if message.call in ("error", "warning", "warn", "exception", "critical"):
        return Line("bootloader", f"{message.severity.upper()}:root:{text}")
    place = f'  File "/usr/lib/xen/bin/pygrub", line {message.line}, in {message.function or "<module>"}'
    raised = f"    raise {message.call}\n{message.call}: {text}"
    return Line("bootloader", f"Traceback (most recent call last):\n{place}\n{raised}")


COMPONENT = Component(
    name="pygrub",
    paths=("tools/pygrub/src/*", "tools/pygrub/src/pygrub"),
    read=_read,
    line=_line,
    leave_out=re.compile(r"\.c$|\.o$"),
)
