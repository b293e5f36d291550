"""xm: the errors that it prints of its own, and those that it wraps in `Error: …`."""

import re
from collections.abc import Iterator

from component import Component, Tree
from message import Line, Message
from python_source import read as read_python


def _read(name: str, text: str, _tree: Tree) -> Iterator[Message]:
    return read_python(name, text)


def _line(_message: Message, text: str, _tree: Tree) -> Line:
    return Line("stderr", f"Error: {text}")


COMPONENT = Component(
    name="xm", paths=("tools/python/xen/xm/**/*.py",), read=_read, line=_line, leave_out=re.compile(r"/tests?/")
)
