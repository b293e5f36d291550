r"""Rewrites a `re` pattern into a wider one for raw bytes: it finds every place `re` would, and a few more.

Hyperscan only has to say which records might match; `re` decides. So anchors and lookarounds are dropped, quantifiers
at both ends trimmed, backreferences replaced by what they refer to, and every set of characters becomes an explicit set
of bytes in which all of UTF-8's are welcome wherever `re` would take any character outside ASCII.
"""

import importlib
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from xenwatch.diagnosis.rules.patterns import FLAGS

# The parser of `re` itself: the only one that agrees with it in every corner. Its module is private from 3.11 on.
_parser: Any = importlib.import_module("re._parser")
_constants: Any = importlib.import_module("re._constants")

NEWLINE = 10
LONGEST_REPEAT = 16
"""A longer bounded repeat becomes unbounded: Hyperscan would unroll it."""
_BYTES_A_CHARACTER = 4
_HIGH = frozenset(range(0x80, 0x100))
_ALL = frozenset(range(0x100))
_DIGIT = frozenset(b"0123456789")
_SPACE = frozenset(b" \t\n\r\f\v")
_WORD = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")
_CATEGORIES = {
    "CATEGORY_DIGIT": _DIGIT, "CATEGORY_NOT_DIGIT": _ALL - _DIGIT,
    "CATEGORY_SPACE": _SPACE, "CATEGORY_NOT_SPACE": _ALL - _SPACE,
    "CATEGORY_WORD": _WORD, "CATEGORY_NOT_WORD": _ALL - _WORD,
}  # fmt: skip

Node = tuple[str, Any]
"""Operation name and argument of the parse tree, after `parse_tree` has made repeats of all kinds alike."""


@lru_cache(maxsize=8192)  # each format's database asks for the same ones
def raw_form(regex: str) -> str | None:
    """The wider pattern, for bytes; None where nothing is left that could be looked for."""
    try:
        tree, flags = parse_tree(regex)
    except (re.error, RecursionError, OverflowError):
        return None
    return written(tree, flags, groups_of(tree))


def written(nodes: list[Node], flags: int, groups: dict[int, Node]) -> str | None:
    """The wider pattern of some adjoining nodes; None where it would match the empty text."""
    trimmed = _trim(_trim(_zero_width_dropped(nodes), first=True), first=False)
    text = _Writer(groups).sequence(trimmed, flags)
    return text if trimmed and not re.compile(text.encode("latin-1")).search(b"") else None


def groups_of(nodes: list[Node]) -> dict[int, Node]:
    """The groups of a pattern by number, for its backreferences."""
    return dict(_groups(nodes))


def parse_tree(regex: str) -> tuple[list[Node], int]:
    """The nodes of `regex` as `re` reads them, and its flags."""
    parsed = _parser.parse(regex, FLAGS)
    return [_node(item) for item in parsed], parsed.state.flags


def any_case(text: bytes) -> str:
    """A pattern of that text, in capitals or not."""
    return "".join(_literal(byte, re.IGNORECASE) if byte < 0x80 else f"\\x{byte:02x}" for byte in text)  # noqa: PLR2004


def _node(item: Any) -> Node:  # noqa: PLR0911  one return a kind of node
    name, arg = str(item[0]), item[1]
    if name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
        low, high, inner = arg
        unbounded = high is _constants.MAXREPEAT
        return "REPEAT", (int(low), None if unbounded else int(high), [_node(i) for i in inner])
    if name == "SUBPATTERN":
        group, added, removed, inner = arg
        return "GROUP", (group, added, removed, [_node(i) for i in inner])
    if name == "ATOMIC_GROUP":
        return "GROUP", (None, 0, 0, [_node(i) for i in arg])
    if name == "BRANCH":
        return "BRANCH", [[_node(i) for i in branch] for branch in arg[1]]
    if name == "GROUPREF_EXISTS":
        _, yes, no = arg
        return "BRANCH", [[_node(i) for i in yes], [_node(i) for i in no or ()]]
    if name in ("ASSERT", "ASSERT_NOT"):
        return "AT", None
    return name, arg


def _groups(nodes: Iterable[Node]) -> Iterable[tuple[int, Node]]:
    for name, arg in nodes:
        if name == "GROUP":
            if arg[0] is not None:
                yield arg[0], (name, arg)
            yield from _groups(arg[3])
        elif name == "REPEAT":
            yield from _groups(arg[2])
        elif name == "BRANCH":
            for branch in arg:
                yield from _groups(branch)


def _zero_width_dropped(nodes: list[Node]) -> list[Node]:
    return [node for node in nodes if node[0] not in ("AT", "FAILURE")]


def _trim(nodes: list[Node], *, first: bool) -> list[Node]:
    """Without the optional part at one end: `could not (.*)` is looked for as `could not `."""
    nodes = _zero_width_dropped(nodes)
    while nodes:
        index = 0 if first else -1
        kept = _trim_one(nodes[index], first=first)
        if kept is not None:
            nodes[index] = kept
            return nodes
        del nodes[index]
    return nodes


def _trim_one(node: Node, *, first: bool) -> Node | None:
    name, arg = node
    if name == "REPEAT":
        low, _, inner = arg
        return None if low == 0 else ("REPEAT", (low, low, inner))
    if name == "GROUP":
        inner = _trim(list(arg[3]), first=first)
        return ("GROUP", (*arg[:3], inner)) if inner else None
    if name == "BRANCH":
        branches = [_trim(list(branch), first=first) for branch in arg]
        return ("BRANCH", branches) if all(branches) else None
    return node


class _Writer:
    def __init__(self, groups: dict[int, Node]) -> None:
        self._groups = groups
        self._inside: set[int] = set()

    def sequence(self, nodes: Iterable[Node], flags: int) -> str:
        return "".join(self._one(node, flags) for node in nodes)

    def _one(self, node: Node, flags: int) -> str:
        name, arg = node
        if name == "GROUP":
            return f"(?:{self.sequence(arg[3], (flags | arg[1]) & ~arg[2])})"
        if name == "BRANCH":
            return f"(?:{'|'.join(self.sequence(branch, flags) for branch in arg)})"
        if name == "REPEAT":
            low, high, inner = arg
            return self._repeat(low, high, inner, flags)
        if name == "GROUPREF":
            return self._reference(arg, flags)
        if name == "LITERAL":
            return _literal(arg, flags)
        members = members_of(node, flags)
        return "" if members is None else _character(members)

    def _repeat(self, low: int, high: int | None, inner: list[Node], flags: int) -> str:
        low = min(low, LONGEST_REPEAT)
        if high is not None and high > LONGEST_REPEAT:
            high = None
        text = self.sequence(inner, flags)
        if not text or high == 0:
            return ""
        return f"(?:{text}){{{low},{'' if high is None else high}}}"

    def _reference(self, group: int, flags: int) -> str:
        if group in self._inside:
            return ""
        self._inside.add(group)
        text = self._one(self._groups[group], flags | re.IGNORECASE)
        self._inside.discard(group)
        return text


def members_of(node: Node, flags: int) -> frozenset[int] | None:
    """The bytes a one-character node takes, all high ones where it takes anything outside ASCII; None: no such node."""
    name, arg = node
    if name == "ANY":
        return _ALL if flags & re.DOTALL else _ALL - {NEWLINE}
    if name == "NOT_LITERAL":
        return _ALL - _cased({arg}, flags)
    if name == "IN":
        return _set(arg, flags)
    if name == "LITERAL" and arg < 0x80:  # noqa: PLR2004  ASCII
        return frozenset(_cased({arg}, flags))
    return None


def _set(items: Iterable[Any], flags: int) -> frozenset[int]:
    negated, members = False, set[int]()
    for op, arg in items:
        name = str(op)
        if name == "NEGATE":
            negated = True
        elif name == "LITERAL":
            members |= _bytes_of(arg, arg)
        elif name == "RANGE":
            members |= _bytes_of(*arg)
        elif name == "CATEGORY":
            members |= _CATEGORIES[str(arg)]
    cased = _cased(members, flags)
    # A negated set may name some characters outside ASCII; the others are still welcome, and share their bytes.
    return frozenset((_ALL - cased) | _HIGH if negated else cased)


def _bytes_of(low: int, high: int) -> set[int]:
    ascii_part = set(range(low, min(high, 0x7F) + 1))
    return ascii_part | _HIGH if high >= 0x80 else ascii_part  # noqa: PLR2004  ASCII


def _cased(members: set[int], flags: int) -> set[int]:
    if not flags & re.IGNORECASE:
        return members
    letters = {m for m in members if m < 0x80 and chr(m).isalpha()}  # noqa: PLR2004  ASCII
    return members | {ord(chr(m).swapcase()) for m in letters}


def _literal(code: int, flags: int) -> str:
    if code == NEWLINE:
        return r"\r?\n"  # the record's text has plain newlines, whatever the file has
    if code >= 0x80:  # noqa: PLR2004  ASCII
        return "".join(f"\\x{byte:02x}" for byte in chr(code).encode("utf-8", "surrogatepass"))
    members = sorted(_cased({code}, flags))
    return f"\\x{code:02x}" if len(members) == 1 else "[" + "".join(f"\\x{m:02x}" for m in members) + "]"


def _character(members: frozenset[int]) -> str:
    one = "[" + "".join(_ranges(sorted(members))) + "]" if members else "[^\\x00-\\xff]"
    if members & _HIGH:
        one = f"{one}{{1,{_BYTES_A_CHARACTER}}}"
    return f"(?:\\r?{one})" if NEWLINE in members else f"(?:{one})"


def _ranges(members: list[int]) -> Iterable[str]:
    start = previous = members[0]
    for member in [*members[1:], -1]:
        if member != previous + 1:
            yield f"\\x{start:02x}" if start == previous else f"\\x{start:02x}-\\x{previous:02x}"
            start = member
        previous = member
