"""Finds calls in C and Python text without compiling it: names, balanced arguments, the function around."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_C_SKIP = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
C_STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.){1,4}\'', re.DOTALL)
PYTHON_STRING = re.compile(
    r'[rRuUbB]{0,2}(?:"""(?:[^\\]|\\.)*?"""|\'\'\'(?:[^\\]|\\.)*?\'\'\''
    r'|"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\')',
    re.DOTALL,
)
_OPEN, _CLOSE = "([{", ")]}"


@dataclass(frozen=True, slots=True)
class Call:
    """A call as it is written; `at` is where its name begins."""

    name: str
    at: int
    args: tuple[str, ...]


def without_comments(text: str) -> str:
    """C text in which comments are blanks, so that every place keeps its number; strings stay."""
    both = re.compile(f"{C_STRING.pattern}|(?P<skip>{_C_SKIP.pattern})", re.DOTALL)
    return both.sub(lambda m: re.sub(r"[^\n]", " ", m[0]) if m["skip"] else m[0], text)


def calls(text: str, names: re.Pattern[str], string: re.Pattern[str]) -> Iterator[Call]:
    """Every call of a name that `names` matches, with its arguments as text. Definitions of macros are passed over."""
    for found in re.finditer(rf"(?<![\w.>#\"])({names.pattern})\s*\(", text):
        if re.search(r"#\s*define[^\n]*$", text[text.rfind("\n", 0, found.start()) + 1 : found.start()]):
            continue
        inside = balanced(text, found.end(), string)
        if inside is not None:
            yield Call(found[1], found.start(), tuple(split(inside, ",", string)))


def balanced(text: str, start: int, string: re.Pattern[str]) -> str | None:
    """The text from `start` to the bracket that closes what was opened before it; None: nothing closes it."""
    depth, at = 1, start
    while at < len(text):
        if word := string.match(text, at):
            at = word.end()
            continue
        depth += (text[at] in _OPEN) - (text[at] in _CLOSE)
        if depth == 0:
            return text[start:at]
        at += 1
    return None


def split(text: str, separator: str, string: re.Pattern[str]) -> list[str]:
    """Parts of an expression at a separator that stands in no bracket and no string."""
    parts, depth, begin, at = [], 0, 0, 0
    while at < len(text):
        if word := string.match(text, at):
            at = word.end()
            continue
        depth += (text[at] in _OPEN) - (text[at] in _CLOSE)
        if depth == 0 and text[at] == separator:
            parts.append(text[begin:at].strip())
            begin = at + 1
        at += 1
    last = text[begin:].strip()
    return [*parts, last] if last or parts else []


class Functions:
    """Which function a place in a text belongs to."""

    def __init__(self, text: str, head: re.Pattern[str]) -> None:
        """`head` matches where a function begins, with its name in the group `name`."""
        self._heads = [(m.start(), m["name"]) for m in head.finditer(text)]

    def at(self, place: int) -> str:
        """The function that begins last before it."""
        return next((name for start, name in reversed(self._heads) if start < place), "")


C_HEAD = re.compile(
    r"^(?!#|\s|typedef|return|else)[\w*][^;:{}=\"#]*?\b(?P<name>(?!if|for|while|switch)\w+)\s*\([^;{}\"#]*\)[^;{}\"(#]*\{",
    re.MULTILINE,
)
PYTHON_HEAD = re.compile(r"^[ \t]*def\s+(?P<name>\w+)", re.MULTILINE)
