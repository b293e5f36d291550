"""Reads the messages out of C: calls such as LOGED(ERROR, domid, "…") and printk(XENLOG_ERR "…")."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from message import Message
from scan import C_HEAD, C_STRING, Call, Functions, calls, without_comments

_LEVEL = re.compile(r"(?:^|_)(?P<level>CRITICAL|ERROR|ERR|WARNING|WARN|ALERT|CRIT|EMERG)\b")
_DEFINE = re.compile(
    r"^[ \t]*#[ \t]*define[ \t]+(?P<name>\w+)[ \t]+(?P<text>(?:\w+[ \t]+)*\"(?:[^\"\\\n]|\\.)*\"[^\n]*)", re.MULTILINE
)
_INTEGERS = {"8": "hh", "16": "h", "32": "", "64": "l", "MAX": "l", "PTR": "l"}
_FORMATS = re.compile(r"PRI(?P<kind>[diouxX])(?P<bits>8|16|32|64|MAX|PTR)")
_ESCAPES = {"n": "\n", "t": "\t", "r": "", "0": "", "a": "", "b": ""}
_PIECES = re.compile(rf"{C_STRING.pattern}|\w+|\S")


@dataclass(frozen=True, slots=True)
class Says:
    """A family of calls that say something: what they are called, and how bad it is."""

    names: re.Pattern[str]
    severity: str | None = None
    """None: one of the arguments says it, as in LOG(ERROR, …) and printk(XENLOG_WARNING …)."""
    needs: re.Pattern[str] | None = None
    """What an argument before the format must be, as `stderr` of fprintf."""


def read(name: str, text: str, says: Sequence[Says], defines: Mapping[str, str]) -> Iterator[Message]:
    """The messages of one file; `defines` are macros that stand for text."""
    text = without_comments(text)
    defines = {**defines, **texts_defined(text)}
    functions = Functions(text, C_HEAD)
    for kind in says:
        for call in calls(text, kind.names, C_STRING):
            found = _message(call, kind, defines)
            if found is not None:
                severity, format_, args, before = found
                line = text.count("\n", 0, call.at) + 1
                yield Message(name, line, functions.at(call.at), call.name, severity, format_, args, before)


def texts_defined(text: str) -> dict[str, str]:
    """Macros that stand for text: `#define PFX "AMD-Vi: "`."""
    return {m["name"]: m["text"] for m in _DEFINE.finditer(text)}


def _message(
    call: Call, kind: Says, defines: Mapping[str, str]
) -> tuple[str, str, tuple[str, ...], tuple[str, ...]] | None:
    place = next((i for i, arg in enumerate(call.args) if '"' in _expanded(arg, defines)), None)
    if place is None:
        return None
    before, format_ = call.args[:place], _expanded(call.args[place], defines)
    if kind.needs is not None and not any(kind.needs.search(arg) for arg in before):
        return None
    severity = kind.severity or _severity((*before, _words(call.args[place])))
    told = literal(format_)
    return (severity, told, call.args[place + 1 :], before) if severity and told.strip() else None


def _expanded(arg: str, defines: Mapping[str, str]) -> str:
    return _PIECES.sub(lambda m: defines.get(m[0], m[0]), arg) if '"' in arg or arg in defines else arg


def _words(arg: str) -> str:
    return C_STRING.sub(" ", arg)


def _severity(args: Sequence[str]) -> str | None:
    """The worst that is named; a call at debug or info level tells of no error."""
    found = next((m["level"] for arg in args for word in re.findall(r"\w+", arg) if (m := _LEVEL.search(word))), None)
    return None if found is None else "warning" if found.startswith("WARN") else "error"


def literal(arg: str) -> str:
    """Adjacent literals as one text; of `cond ? "a" : "b"` the first; macros of <inttypes.h> as what they stand for."""
    told, seen = "", False
    for piece in _PIECES.findall(arg):
        if piece.startswith('"'):
            told += _unescaped(piece[1:-1])
            seen = True
        elif found := _FORMATS.fullmatch(piece):
            told += _INTEGERS[found["bits"]] + found["kind"]
        elif piece == ":" and seen:
            break
        elif re.search(r"%[-#0 +\d]*$", told):  # a macro of Xen's own, such as PRI_xen_pfn
            told += "ld" if piece == "PRI_stime" else "lx"
    return told


def _unescaped(text: str) -> str:
    return re.sub(r"\\(?:x[0-9a-fA-F]{2}|[0-7]{1,3}|(.))", lambda m: _ESCAPES.get(m[1] or "0", m[1] or ""), text)
