"""hvmloader: what it prints when a guest's tables, devices or firmware do not fit; most of it is progress."""

import re
from collections.abc import Iterator

from c_source import Says
from component import Component, Tree, c_reader
from message import Line, Message

_TELLS_OF_TROUBLE = re.compile(
    r"fail|cannot|can't|could not|unable|error"
    r"|invalid|unsupported|unexpected|bad |missing|wrong|not (?:found|enough|fit)"
    r"|no (?:space|room|memory)|too (?:small|big|large|many|low)|unknown|\*\*\*|corrupt|exceed|out of",
    re.IGNORECASE,
)
_read_all = c_reader([Says(re.compile(r"printf|PRINTF"), "error"), Says(re.compile(r"panic"), "panic")])


def _read(name: str, text: str, tree: Tree) -> Iterator[Message]:
    return (message for message in _read_all(name, text, tree) if _TELLS_OF_TROUBLE.search(message.format))


def _line(_message: Message, text: str, _tree: Tree) -> Line:
    """The hypervisor's ring shows it behind the domain that wrote it."""
    return Line("hypervisor", "\n".join(f"(d7) {part}" for part in text.split("\n") if part.strip()))


COMPONENT = Component(
    name="hvmloader",
    paths=("tools/firmware/hvmloader/*.c",),
    read=_read,
    line=_line,
    leave_out=re.compile(r"mkhex|mk_dsdt|/tests\.c"),
)
