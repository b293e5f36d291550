"""The rarest literal text that every match of a pattern must hold: what a prefilter lives from."""

from collections.abc import Iterable
from functools import lru_cache

from xenwatch.base import lazy_re as re
from xenwatch.diagnosis.matching.bytes_regex import NEWLINE, Node, members_of, parse_tree

MOST_CHOICES = 64
"""Alternations are expanded into so many literals at most; beyond, another part of the pattern must serve."""
_MOST_LETTERS = 4
_COMMON = frozenset(b"etaoinsrhldcu ")
_FREQUENT = (b"device", b"domain", b"error", b"failed", b"xend", b"xen", b"vbd", b"vif", b"info", b"debug", b"state")
_EVERYWHERE = re.compile(
    rb"/etc/xen/(?:scripts/)?|/local/domain/|/var/(?:log|lib|run)/(?:xen)?|/usr/lib|/dev/|backend/|hotplug-status"
    rb"|domain has shutdown: (?:name=)?|starting device model|xend\w*\.py|/?device/(?:vbd|vif|console)/|name: "
    rb"|[\['(]*(?:name|domid|uuid|domain|backend|frontend|state)'(?:[:,] '?)?"
    rb"|libxl: (?:(?:error|critical|warning|detail|verbose|debug): )?(?:libxl(?!\.c))?"
)
"""Long, and yet on many lines of a healthy log: it makes no text rarer."""
_LONG_AND_COMMON = 2.9
"""Such text is still met less often than two or three letters are."""

Run = tuple[bytes, ...]


@lru_cache(maxsize=8192)  # each format's prefilter asks for the same ones
def literals(regex: str) -> tuple[bytes, ...]:
    """Lower-case literals of which each match holds at least one; empty where the pattern demands none."""
    try:
        nodes, flags = parse_tree(regex)
    except (re.error, RecursionError, OverflowError):
        return ()
    return _best(_candidates(nodes, flags)) or ()


def demanded_text(nodes: list[Node], flags: int) -> tuple[bytes, ...] | None:
    """As `literals`, of adjoining nodes of a pattern."""
    return _best(_candidates(nodes, flags))


def rarity(literal: bytes) -> float:
    """How telling a literal is; below 3 it will be met on most lines of any log."""
    text = literal.lower()
    telling = _EVERYWHERE.sub(b"", text)
    score = 1.5 if telling.strip() in _FREQUENT else _score(telling)
    return score if telling == text else max(score, min(_score(text), _LONG_AND_COMMON))


def _score(text: bytes) -> float:
    return sum(0.5 if byte in _COMMON else 1.0 for byte in text)


def _best(candidates: Iterable[Run]) -> Run | None:
    return max(candidates, key=lambda run: min(map(rarity, run)) - 0.1 * len(run), default=None)


def _candidates(nodes: list[Node], flags: int) -> Iterable[Run]:
    """Runs of adjoining text, and what single parts demand."""
    run: Run = (b"",)
    for node in nodes:
        texts = _texts(node, flags)
        if texts is not None and len(run) * len(texts) <= MOST_CHOICES:
            run = tuple(a + b for a in run for b in texts)
            continue
        yield from _usable(run)
        run = texts if texts is not None else (b"",)
        if texts is None:
            yield from _demanded(node, flags)
    yield from _usable(run)


def _usable(run: Run) -> Iterable[Run]:
    if all(run):
        yield tuple(dict.fromkeys(run))


def _texts(node: Node, flags: int) -> Run | None:  # noqa: PLR0911  one return a kind of node
    """All texts the node can be, lower-case; None where they are too many. Zero-width nodes are the empty text."""
    name, arg = node
    if name in ("AT", "FAILURE"):
        return (b"",)
    if name == "LITERAL":
        return None if arg == NEWLINE else (chr(arg).encode("utf-8", "surrogatepass").lower(),)
    if name == "GROUP":
        return _sequence(arg[3], flags)
    if name == "BRANCH":
        branches = [_sequence(branch, flags) for branch in arg]
        alternatives = [b for b in branches if b is not None]
        return tuple(t for b in alternatives for t in b) if len(alternatives) == len(branches) else None
    if name == "REPEAT":
        low, high, inner = arg
        return _repeated(low, high, inner, flags)
    members = members_of(node, flags)
    if members is None or len(members) > _MOST_LETTERS or NEWLINE in members or max(members) > 0x7F:  # noqa: PLR2004
        return None
    return tuple({bytes([m]).lower() for m in members})


def _repeated(low: int, high: int | None, inner: list[Node], flags: int) -> Run | None:
    if high != 1:
        return None
    texts = _sequence(inner, flags)
    return texts if texts is None or low == 1 else (b"", *texts)


def _sequence(nodes: list[Node], flags: int) -> Run | None:
    run: Run = (b"",)
    for node in nodes:
        texts = _texts(node, flags)
        if texts is None or len(run) * len(texts) > MOST_CHOICES:
            return None
        run = tuple(a + b for a in run for b in texts)
    return run


def _demanded(node: Node, flags: int) -> Iterable[Run]:
    name, arg = node
    if name == "GROUP":
        yield from _candidates(arg[3], flags)
    elif name == "REPEAT" and arg[0] > 0:
        yield from _candidates(arg[2], flags)
    elif name == "BRANCH":
        best = [_best(_candidates(branch, flags)) for branch in arg]
        joined = tuple(text for run in best if run is not None for text in run)
        if None not in best and len(joined) <= MOST_CHOICES:
            yield tuple(dict.fromkeys(joined))
