r"""Takes the lookarounds out of an expression, so that RE2 can read it: each becomes a place, and is asked afterwards.

`failed: (?!Permission denied)(?P<reason>[^\n]+)` is looked for as `failed: ()(?P<reason>[^\n]+)`; what stands at the
place of `()` must then not be `Permission denied`.
"""

from typing import NamedTuple

from xenwatch.base import lazy_re as re

_TOKEN = re.compile(
    r"(?P<escape>\\.)|(?P<set>\[\^?\]?(?:\\.|[^\]\\])*\])|(?P<look>\(\?<?[=!])|(?P<plain>\(\?:|\(\?[a-z]+[:)]|\(\?P=\w+\))"
    r"|(?P<open>\((?:\?P<\w+>)?)|(?P<close>\))|(?P<other>.)",
    re.DOTALL,
)
_GAP = re.compile(r"\{0?,(\d{3,})\}\?")
_REPEATED = re.compile(r"[*+]|\{\d*,\d*\}|\{(?:[2-9]|\d\d)")


class Lookaround(NamedTuple):
    """What must (`wanted`) or must not stand before or behind a place; `group` is the number of that place."""

    group: int
    inner: str
    wanted: bool
    behind: bool
    longest: int | None = None
    """The place is a gap that may not be longer: counting to 400 costs RE2 a thousand states."""


def without_lookarounds(regex: str) -> tuple[str, list[Lookaround]] | None:
    """The expression with places, and what is asked there; None where one stands in a repeat or in another."""
    kept, asked, groups = "", list[Lookaround](), 0
    at = 0
    while at < len(regex):
        token = _TOKEN.match(regex, at)
        if token is None:
            return None
        if token["look"]:
            end = _end_of(regex, at)
            inner = regex[token.end() : end - 1]
            if _is_repeated(regex, at) or "(?=" in inner or "(?!" in inner or "(?<" in inner:
                return None
            at = end
            if token[0] == "(?=" and _is_last(regex, end):
                kept += f"(?:{inner})"  # what is read there is captured by nothing, and nothing follows
                continue
            groups += 1
            kept += "()"
            asked.append(Lookaround(groups, inner, token["look"].endswith("="), "<" in token["look"]))
            continue
        gap = _GAP.match(regex, token.end()) if token["set"] or token[0] == "." else None
        if gap is not None:
            groups += 1
            kept += f"({token[0]}*?)"
            asked.append(Lookaround(groups, "", wanted=True, behind=False, longest=int(gap[1])))
            at = gap.end()
            continue
        groups += token["open"] is not None
        kept += token[0]
        at = token.end()
    return kept, asked


def _end_of(regex: str, start: int) -> int:
    """Behind the parenthesis that closes the one at `start`."""
    depth = 0
    for token in _TOKEN.finditer(regex, start):
        depth += _opens(token) - (token["close"] is not None)
        if depth == 0:
            return token.end()
    return len(regex)


def _is_last(regex: str, end: int) -> bool:
    """Whether a match ends there: nothing follows but the ends of groups, and other branches."""
    while end < len(regex):
        if regex[end] == "|":
            end = _end_of_branches(regex, end)
        elif regex[end] == ")":
            end += 1
        else:
            return False
    return True


def _end_of_branches(regex: str, start: int) -> int:
    """Where the group that holds the place ends."""
    depth = 0
    for token in _TOKEN.finditer(regex, start):
        if token["close"] is not None and depth == 0:
            return token.start()
        depth += _opens(token) - (token["close"] is not None)
    return len(regex)


def _opens(token: re.Match[str]) -> bool:
    return bool(token["open"] or token["look"] or (token["plain"] and not token[0].endswith(")")))


def _is_repeated(regex: str, place: int) -> bool:
    """Whether a group around the place is repeated: then it is a place in each turn, and only the last is known."""
    return any(
        _REPEATED.match(regex, _end_of(regex, token.start())) is not None
        for token in _TOKEN.finditer(regex)
        if token.start() < place < _end_of(regex, token.start()) and _opens(token)
    )
