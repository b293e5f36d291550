"""xenconsoled and the client that shows a console."""

import re

from c_source import Says
from component import Component, Tree, c_reader
from message import Line, Message

_SAYS = [
    Says(re.compile(r"dolog|syslog")),
    Says(re.compile(r"errx?"), "error"),
    Says(re.compile(r"fprintf"), "error", needs=re.compile(r"\bstderr\b")),
]


def _line(message: Message, text: str, _tree: Tree) -> Line:
    if message.call in ("dolog", "syslog"):
        return Line("syslog", f"Jul 14 14:18:02 dom0 xenconsoled: {text}")
    reason = ": Invalid argument" if message.call == "err" else ""
    return Line("stderr", f"{'xenconsole: ' if message.call.startswith('err') else ''}{text}{reason}")


COMPONENT = Component(
    name="xenconsoled",
    paths=("tools/console/*.c", "tools/console/daemon/*.c", "tools/console/client/*.c"),
    read=c_reader(_SAYS),
    line=_line,
)
