"""No signature takes long on text made to hurt it: guests write into names, paths and consoles."""

import time
from collections.abc import Iterable, Iterator

from xenwatch.base.errors import Problem
from xenwatch.diagnosis.authoring.lint import Library, Lint, problem
from xenwatch.diagnosis.matching.bytes_regex import Node, members_of, parse_tree
from xenwatch.diagnosis.rules.patterns import compiled
from xenwatch.diagnosis.rules.rule import Rule

BOUND = 0.25
"""Seconds on a record of 3000 characters; a healthy signature takes a thousandth of it."""
_LENGTHS = (*range(12, 40, 2), 60, 90, 135, 200, 300, 450, 700, 1000, 1500, 3000)
"""Slowly longer, so that an exponential pattern is stopped soon after the bound."""


def _check(library: Library) -> Iterator[Problem]:
    return hanging(library.rules)


def hanging(rules: Iterable[Rule]) -> Iterator[Problem]:
    """A problem for each signature that can be made to hang; a few milliseconds a signature."""
    for rule in rules:
        for index, signature in enumerate(rule.signatures):
            message = _message(signature.regex)
            if message:
                yield problem(rule, f"signatures[{index}].regex", message, signature.line)


def _message(regex: str) -> str | None:
    nodes, flags = parse_tree(regex)
    if _nested(nodes, flags):
        return "repeats a repeat of the same characters: `(a+)+` takes for ever on text that nearly matches"
    for prefix, body in _adversaries(nodes, flags):
        for length in _LENGTHS:
            text = prefix + (body * length)[:length]
            took = _seconds(regex, text)
            if took > BOUND:
                shown = f"{prefix}{body * 3}…"
                return f"took {took:.1f} s on {len(text)} characters like {shown!r}: leave one way to match, not many"
    return None


def _seconds(regex: str, text: str) -> float:
    started = time.thread_time()  # a busy machine is not the pattern's fault
    compiled(regex).search(text)
    return time.thread_time() - started


def _nested(nodes: Iterable[Node], flags: int) -> bool:
    """Whether an unbounded repeat stands directly inside another with nothing fixed between its turns."""
    return any(_is_nested(node) or any(_nested(inner, flags) for inner in _inside(node)) for node in nodes)


def _is_nested(node: Node) -> bool:
    name, arg = node
    if name != "REPEAT" or not _endless(arg[1]):
        return False
    inner = _solid(arg[2])
    return len(inner) == 1 and _is_repeat(inner[0])


def _endless(high: int | None) -> bool:
    return high is None or high > 100  # noqa: PLR2004  as bad as unbounded


def _inside(node: Node) -> list[list[Node]]:
    name, arg = node
    if name == "REPEAT":
        return [arg[2]]
    if name == "GROUP":
        return [arg[3]]
    return list(arg) if name == "BRANCH" else []


def _solid(nodes: Iterable[Node]) -> list[Node]:
    return [node for node in nodes if node[0] != "AT"]


def _is_repeat(node: Node) -> bool:
    name, arg = node
    if name == "GROUP":
        inner = _solid(arg[3])
        return len(inner) == 1 and _is_repeat(inner[0])
    if name == "BRANCH":
        return any(len(_solid(branch)) == 1 and _is_repeat(_solid(branch)[0]) for branch in arg)
    return name == "REPEAT" and _endless(arg[1])


def _adversaries(nodes: list[Node], flags: int) -> Iterator[tuple[str, str]]:
    """Beginnings, and what to go on with: what the pattern wants up to a repeat, then the repeat's own characters."""
    prefix = ""
    for node in nodes:
        for inner in _repeats(node):
            body = _sample(inner, flags) or "a"
            yield prefix, body
            yield "", prefix + body
        prefix += _sample([node], flags)
    yield "", prefix or "a"


def _repeats(node: Node) -> Iterator[list[Node]]:
    if node[0] == "REPEAT":
        yield node[1][2]
    for inner in _inside(node):
        for deeper in inner:
            yield from _repeats(deeper)


def _sample(nodes: Iterable[Node], flags: int) -> str:
    return "".join(_one(node, flags) for node in nodes)


def _one(node: Node, flags: int) -> str:
    name, arg = node
    if name in ("GROUP", "BRANCH"):
        return _sample(arg[3] if name == "GROUP" else arg[0], flags)
    if name == "REPEAT":
        return _sample(arg[2], flags) * max(1, min(int(arg[0]), 3))
    if name == "LITERAL":
        return chr(int(arg))
    members = members_of(node, flags)
    liked = [m for m in b"a1 x-./" if members and m in members]
    return chr(liked[0]) if liked else ""


LINT = Lint("no signature can be made to hang", _check)
