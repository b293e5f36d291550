"""S-expressions as xend and `xm list --long` write them."""

from collections.abc import Sequence
from typing import TypeAlias

from xenwatch.base import lazy_re as re
from xenwatch.base.errors import HostError

Sxp: TypeAlias = "str | list[Sxp]"

_TOKEN = re.compile(
    r"""\s*(?:(?P<open>\()|(?P<close>\))|'(?P<single>(?:[^'\\]|\\.)*)'|"(?P<double>(?:[^"\\]|\\.)*)"|(?P<word>[^\s()'"]+))"""
)
_DEEPEST = 64


def parse_sxp(text: str) -> list[Sxp]:
    """All expressions in `text`, one after another. HostError where parentheses do not fit."""
    stack: list[list[Sxp]] = [[]]
    at, end = 0, len(text.rstrip())
    while at < end:
        token = _TOKEN.match(text, at)
        if token is None or len(stack) > _DEEPEST:
            raise HostError(f"SXP: cannot be read at offset {at}: {text[at : at + 40]!r}")
        at = token.end()
        if token["open"]:
            stack.append([])
        elif token["close"]:
            if len(stack) == 1:
                raise HostError(f"SXP: a parenthesis too many at offset {at}")
            stack[-2].append(stack.pop())
        else:
            stack[-1].append(_atom(token))
    if len(stack) != 1:
        raise HostError("SXP: ends within an expression")
    return stack[0]


def _atom(token: "re.Match[str]") -> str:
    quoted = token["single"] if token["single"] is not None else token["double"]
    return token["word"] if quoted is None else re.sub(r"\\(.)", r"\1", quoted)


def child(expression: Sequence[object], name: str) -> str | None:
    """The value of `(name value)` directly inside an expression; None where there is none."""
    for part in expression:
        if isinstance(part, list) and len(part) > 1 and part[0] == name and not isinstance(part[1], list):
            return str(part[1])
    return None
