"""A title names one direction (attach, not detach) only where the messages do."""

import re
from collections.abc import Iterator

from xenwatch.base.errors import Problem
from xenwatch.diagnosis.authoring.lint import Library, Lint, problem
from xenwatch.diagnosis.rules.rule import Rule, Signature

_PAIRS = (
    (r"(?<!de)(?<!de-)(?:re-?)?assign\w*", r"de-?assign\w*"),
    (r"\badd(?:ed|ing|s|_)?\b", r"\b(?:remov\w*|del(?:ete\w*)?)\b"),
    (r"(?<!de)(?<!de-)attach\w*", r"de-?tach\w*"),
    (r"\bon-?line\b", r"\boff-?line\w*"),
    (r"(?<!un)(?<!un-)mount(?:ed|ing|s)?\b", r"\bu(?:n-?)?mount\w*"),
    (r"(?<!un)(?<!un-)pause\w*", r"un-?pause\w*"),
    (r"(?<!un)(?<!hot-un)(?<!hot un)plug(?:ged|ging|s)?\b", r"un-?plug\w*"),
)  # fmt: skip
_BOTH_WAYS = tuple(
    (re.compile(one, re.IGNORECASE), re.compile(other, re.IGNORECASE))
    for pair in _PAIRS
    for one, other in (pair, pair[::-1])
)


def _check(library: Library) -> Iterator[Problem]:
    for rule in library.rules:
        for direction, opposite in _BOTH_WAYS:
            word = direction.search(rule.title)
            if word and not opposite.search(rule.title):
                yield from _against(rule, word[0], direction, opposite)


def _against(rule: Rule, word: str, direction: re.Pattern[str], opposite: re.Pattern[str]) -> Iterator[Problem]:
    for index, signature in enumerate(rule.signatures):
        text = _words(signature)
        if opposite.search(text) and not direction.search(text):
            message = f"the title says {word!r}, this message the opposite: make the title neutral or move it"
            yield problem(rule, f"signatures[{index}].regex", message, signature.line)


def _words(signature: Signature) -> str:
    """What the pattern spells out, without groups' names and escapes."""
    return re.sub(r"\(\?P<\w+>|\(\?[:!=<]+|\\.|_", " ", signature.regex)


LINT = Lint("titles agree with the direction of their messages", _check)
