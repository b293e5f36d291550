"""Lines that are built to hold an expression up: what it wants, and then one of its own repeats without end."""

from collections.abc import Iterable, Iterator
from itertools import islice

from xenwatch.diagnosis.matching.bytes_regex import Node, members_of, parse_tree

LIKED = b"a1 ,(.-/:[\"'=x\n"
"""Characters that an attacker repeats, where a repeat takes them."""
LONGEST_REPEAT = 20


def attacks(regex: str, length: int, most: int = 100) -> list[str]:
    """Texts of that length against one expression, none twice."""
    nodes, flags = parse_tree(regex)
    bodies = dict.fromkeys(pair for pair in _bodies(nodes, flags) if pair[1])
    return [(prefix + body * (length // len(body) + 1))[:length] for prefix, body in islice(bodies, most)]


def _bodies(nodes: list[Node], flags: int) -> Iterator[tuple[str, str]]:
    """Beginnings, and what to go on with."""
    whole = sample(nodes, flags)
    yield "", whole or "a"
    for before, inner in _repeats(nodes, flags, ""):
        for body in _turns(inner, flags):
            yield before, body
            yield "", before + body
            yield "", body


def _repeats(nodes: Iterable[Node], flags: int, before: str) -> Iterator[tuple[str, list[Node]]]:
    """Each repeat, with a text that leads up to it."""
    for node in nodes:
        name, arg = node
        if name == "REPEAT":
            if arg[1] is None or arg[1] > LONGEST_REPEAT:
                yield before, arg[2]
            yield from _repeats(arg[2], flags, before)
        elif name == "GROUP":
            yield from _repeats(arg[3], (flags | arg[1]) & ~arg[2], before)
        elif name == "BRANCH":
            for branch in arg:
                yield from _repeats(branch, flags, before)
        before += sample([node], flags)


def _turns(inner: list[Node], flags: int) -> Iterator[str]:
    """What one turn of a repeat may be: each liked character, or a sample."""
    members = members_of(inner[0], flags) if len(inner) == 1 else None
    if members is None:
        yield sample(inner, flags)
        return
    yield from (chr(liked) for liked in LIKED if liked in members)


def sample(nodes: Iterable[Node], flags: int) -> str:
    """A text that the nodes match, or nearly."""
    return "".join(_one(node, flags) for node in nodes)


def _one(node: Node, flags: int) -> str:
    name, arg = node
    if name in ("GROUP", "BRANCH"):
        return sample(arg[3] if name == "GROUP" else arg[0], flags)
    if name == "REPEAT":
        return sample(arg[2], flags) * max(1, min(int(arg[0]), 3))
    if name == "LITERAL":
        return chr(int(arg))
    members = members_of(node, flags)
    liked = [m for m in b"a1 x-./" if members and m in members]
    return chr(liked[0]) if liked else ""
