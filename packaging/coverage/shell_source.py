"""Reads the messages out of shell scripts: fatal "…", log err "…", and what they echo to stderr."""

import re
from collections.abc import Iterator

from message import Message
from scan import Functions

_SAID = re.compile(
    r"(?:^|[;&|{(]|\bthen\b|\belse\b|\bdo\b|&&|\|\|)[ \t]*"
    r"(?:(?P<fatal>fatal|die|error)|log[ \t]+(?P<level>err|error|warning|warn)|(?P<echo>echo)(?=[^\n;|]*>&2))"
    r"[ \t]+(?P<text>(?:-\w+[ \t]+)?(?:\"(?:[^\"\\]|\\.)*\"|'[^']*'|[^\"'\n;|&>])+)",
    re.MULTILINE,
)
_HEAD = re.compile(r"^[ \t]*(?:function[ \t]+)?(?P<name>\w+)[ \t]*\(\)", re.MULTILINE)
_VARIABLE = re.compile(r"\$\((?P<run>[^()]*)\)|`(?P<ran>[^`]*)`|\$\{(?P<long>\w+)[^}]*\}|\$(?P<short>\w+|[?*@#$!])")


def read(name: str, text: str) -> Iterator[Message]:
    """The messages of one script; a variable is a `%s` that its name fills."""
    functions = Functions(text, _HEAD)
    joined = text.replace("\\\n", "  ")
    for found in _SAID.finditer(joined):
        told = re.sub(r"^-\w+\s+", "", found["text"].strip()).replace('"', "").replace("'", "").replace("\\", "")
        args = tuple(m["long"] or m["short"] or m["run"] or m["ran"] or "" for m in _VARIABLE.finditer(told))
        severity = "warning" if (found["level"] or "").startswith("warn") else "error"
        call = found["fatal"] or found["echo"] or "log"
        line = joined.count("\n", 0, found.start("text")) + 1
        yield Message(name, line, functions.at(found.start()), call, severity, _as_format(told), args)


def _as_format(told: str) -> str:
    return _VARIABLE.sub("\0", told.replace("%", "%%")).replace("\0", "%s")
