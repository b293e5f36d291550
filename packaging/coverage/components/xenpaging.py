"""xenpaging: pages of a guest that go to a file."""

import re

from c_source import Says
from component import Component, Tree, c_reader
from message import Line, Message


def _line(message: Message, text: str, _tree: Tree) -> Line:
    number = "(22 = Invalid argument)" if message.call == "PERROR" else ""
    return Line("libxl", f"paging: error: {text}{number}")


COMPONENT = Component(
    name="xenpaging",
    paths=("tools/xenpaging/*.c",),
    read=c_reader([Says(re.compile(r"P?ERROR"), "error")]),
    line=_line,
)
