"""What a regex captures each time that it matches, whichever of its branches did."""

from collections.abc import Iterable

from xenwatch.diagnosis.matching.bytes_regex import Node, parse_tree
from xenwatch.diagnosis.rules.patterns import compiled
from xenwatch.diagnosis.rules.rule import Signature


def always_captured(signatures: Iterable[Signature]) -> frozenset[str]:
    """Names that every one of these signatures fills."""
    names = [_filled_by(signature.regex) for signature in signatures]
    return frozenset.intersection(*names) if names else frozenset()


def _filled_by(regex: str) -> frozenset[str]:
    groups = _groups_of(parse_tree(regex)[0])
    return frozenset(name for name, group in compiled(regex).groupindex.items() if group in groups)


def _groups_of(nodes: Iterable[Node]) -> set[int]:
    found: set[int] = set()
    for name, arg in nodes:
        if name == "GROUP":
            found |= _groups_of(arg[3]) | ({arg[0]} if arg[0] is not None else set())
        elif name == "REPEAT" and arg[0] > 0:
            found |= _groups_of(arg[2])
        elif name == "BRANCH":
            found |= set.intersection(*(_groups_of(branch) for branch in arg))
    return found
