r"""What the engine looks for on behalf of a signature: its most telling part, or all of it where no part tells enough.

`VM (\S+) restarting too fast \(Elapsed: …` is met as often as ` restarting too fast (Elapsed: ` alone, and plain
text compiles and scans faster than what lies around it. Every match of the whole holds a match of the part.
"""

from collections.abc import Iterator

from xenwatch.base import lazy_re as re
from xenwatch.diagnosis.matching.bytes_regex import Node, any_case, groups_of, parse_tree, raw_form, written
from xenwatch.diagnosis.matching.literals import demanded_text, literals, rarity

TELLING = 10.0
"""Rarity from which a part may stand for the whole."""
TELLING_WORDS = 4.0
"""Rarity from which its literals alone may: ten patterns with an open repeat among two thousand halve the speed."""
_OPEN = re.compile(r"\{\d+,\}")
_LONG_REPEAT = 4

Part = tuple[list[Node], int]
"""Adjoining nodes, and the flags that hold for all of them."""


def scan_form(regex: str) -> str | None:
    """The pattern, for bytes, that an engine looks for; None where nothing is left that could be looked for."""
    try:
        nodes, flags = parse_tree(regex)
    except (re.error, RecursionError, OverflowError):
        return None
    best, text = TELLING, None
    for part, flags_there in _parts(nodes, flags):
        found = demanded_text(part, flags_there)
        score = min(map(rarity, found)) if found else 0.0
        if score >= best:
            form = written(part, flags_there, groups_of(nodes))
            best, text = (score, form) if form is not None else (best, text)
    raw = text if text is not None else raw_form(regex)
    return _words(regex) or raw if raw is None or _OPEN.search(raw) else raw


def _words(regex: str) -> str | None:
    found = literals(regex)
    if not found or min(map(rarity, found)) < TELLING_WORDS:
        return None
    return f"(?:{'|'.join(map(any_case, found))})"


def _parts(nodes: list[Node], flags: int) -> Iterator[Part]:
    """The pattern cut at its long repeats and where its flags change."""
    part: list[Node] = []
    part_flags = flags
    for node, there in _flat(nodes, flags):
        long = node[0] == "REPEAT" and (node[1][1] is None or node[1][1] > _LONG_REPEAT)
        if long or there != part_flags:
            yield part, part_flags
            part, part_flags = [], there
        if not long:
            part.append(node)
    yield part, part_flags


def _flat(nodes: list[Node], flags: int) -> Iterator[tuple[Node, int]]:
    for node in nodes:
        if node[0] == "GROUP":
            _, added, removed, inner = node[1]
            yield from _flat(inner, (flags | added) & ~removed)
        else:
            yield node, flags
