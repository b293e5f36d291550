"""What is captured is a closed class of characters, so that a guest's name cannot swallow the rest of the line."""

from collections.abc import Iterable, Iterator

from xenwatch.base.errors import Problem
from xenwatch.diagnosis.authoring.lint import Library, Lint, problem
from xenwatch.diagnosis.matching.bytes_regex import Node, parse_tree
from xenwatch.diagnosis.matching.log_scope import GUEST_STREAM

_IDENTITY = ("domain", "domid", "uuid")


def _check(library: Library) -> Iterator[Problem]:
    for rule in library.rules:
        for index, signature in enumerate(rule.signatures):
            key = f"signatures[{index}].regex"
            nodes, _ = parse_tree(signature.regex)
            if any(_wide(inner) for inner in _captures(nodes)):
                yield problem(rule, key, r"captures `.*` or `.+`: name the characters, such as [^'\n]+", signature.line)
            guests = GUEST_STREAM in signature.streams
            if guests and any(f"(?P<{name}>" in signature.regex for name in _IDENTITY):
                message = f"captures who it is about from the stream {GUEST_STREAM}: a guest may claim to be any other"
                yield problem(rule, key, message, signature.line)


def _captures(nodes: Iterable[Node]) -> Iterator[list[Node]]:
    for name, arg in nodes:
        if name == "GROUP":
            if arg[0] is not None:
                yield arg[3]
            yield from _captures(arg[3])
        elif name == "REPEAT":
            yield from _captures(arg[2])
        elif name == "BRANCH":
            for branch in arg:
                yield from _captures(branch)


def _wide(nodes: list[Node]) -> bool:
    """Whether it is an endless repeat of `.`."""
    return any(name == "REPEAT" and arg[1] is None and [op for op, _ in arg[2]] == ["ANY"] for name, arg in nodes)


LINT = Lint("captures are closed classes of characters", _check)
