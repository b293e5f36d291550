"""Reads the messages out of Python of any age: raise VmError("…" % x), log.error("…", x). It need not compile."""

import re
from collections.abc import Iterator

from message import Message
from scan import PYTHON_HEAD, PYTHON_STRING, Functions, calls, split

_LOGGED = re.compile(
    r"(?:self\.)?(?:log|logger|LOG|logging|util\.SMlog|SMlog)\.(?:error|exception|warn|warning|critical)"
)
_RAISED = re.compile(r"(?:\w+\.)*\w*(?:Error|Exception|Fault|Failure|Refused|exn|SROSError|XenError)")
_OLD_RAISE = re.compile(r"raise\s+(?P<name>[\w.]+)\s*,\s*(?P<text>[^\n]+)")
_ESCAPES = {"n": "\n", "t": "\t", "\n": ""}


def read(name: str, text: str) -> Iterator[Message]:
    """The messages of one file."""
    functions = Functions(text, PYTHON_HEAD)
    for call in (*calls(text, _LOGGED, PYTHON_STRING), *calls(text, _RAISED, PYTHON_STRING)):
        before = text[text.rfind("\n", 0, call.at) + 1 : call.at]
        raised = _RAISED.fullmatch(call.name) is not None
        if "#" in before or (raised and not re.search(r"\braise\s+$", before)):
            continue
        place = next((i for i, arg in enumerate(call.args) if PYTHON_STRING.search(arg)), None)
        if place is not None:
            yield _message(name, text, functions, call.at, call.name, call.args[place], call.args[place + 1 :])
    for found in _OLD_RAISE.finditer(text):
        if PYTHON_STRING.search(found["text"]):
            yield _message(name, text, functions, found.start(), found["name"], found["text"], ())


def _message(
    file: str, text: str, functions: Functions, at: int, name: str, told: str, rest: tuple[str, ...]
) -> Message:
    format_, args = as_format(told)
    severity = "warning" if name.endswith(("warn", "warning")) else "error"
    place = text.count("\n", 0, at) + 1
    return Message(file, place, functions.at(at), name.rsplit(".", 1)[-1], severity, format_, args or rest)


def as_format(expression: str) -> tuple[str, tuple[str, ...]]:
    """`"a %s" % x + y` as one format and what fills it."""
    told, args = "", []
    for part in split(expression.strip(), "+", PYTHON_STRING):
        halves = split(_bare(part), "%", PYTHON_STRING)
        words = PYTHON_STRING.findall(halves[0]) if halves else []
        if not words or not PYTHON_STRING.match(halves[0]):
            told += "%s"
            args.append(part)
            continue
        text = "".join(map(_text, words))
        told += text if len(halves) > 1 else text.replace("%", "%%") if not re.search(r"%[sdrix(]", text) else text
        if len(halves) > 1:
            args += split(_bare(halves[1]), ",", PYTHON_STRING)
    return re.sub(r"%\((\w+)\)", "%", told), tuple(args) or tuple(re.findall(r"%\((\w+)\)", told))


def _bare(text: str) -> str:
    text = text.strip()
    return text[1:-1].strip() if text.startswith("(") and text.endswith(")") else text


def _text(word: str) -> str:
    word = word.lstrip("rRuUbB")
    quote = 3 if word.startswith(('"""', "'''")) else 1
    return re.sub(r"\\(.)", lambda m: _ESCAPES.get(m[1], m[1]), word[quote:-quote], flags=re.DOTALL)
