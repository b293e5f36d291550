"""xend: what it logs, and the exceptions that xm prints."""

import re
from collections.abc import Iterator

from component import Component, Tree
from message import Line, Message
from python_source import read as read_python

_LOGGED = ("error", "exception", "warn", "warning", "critical")


def _read(name: str, text: str, _tree: Tree) -> Iterator[Message]:
    return read_python(name, text)


def _line(message: Message, text: str, _tree: Tree) -> Line:
    """What is raised ends in xend.log as the last line of a traceback."""
    module = message.file.removesuffix(".py")
    if message.call in _LOGGED:
        level = "WARNING" if message.severity == "warning" else "ERROR"
        return Line("xend", f"[2010-07-14 14:18:02 4321] {level} ({module}:{message.line}) {text}")
    head = f"[2010-07-14 14:18:02 4321] ERROR ({module}:{message.line}) {message.function} failed."
    place = f'  File "/usr/lib/python/xen/xend/{message.file}", line {message.line}, in {message.function}'
    return Line(
        "xend", f"{head}\nTraceback (most recent call last):\n{place}\n    raise {message.call}\n{message.call}: {text}"
    )


COMPONENT = Component(
    name="xend",
    paths=("tools/python/xen/xend/**/*.py", "tools/python/xen/util/**/*.py", "tools/python/xen/web/**/*.py"),
    read=_read,
    line=_line,
    leave_out=re.compile(r"/tests?/"),
)
