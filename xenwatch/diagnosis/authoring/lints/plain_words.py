"""Rules speak modern English: whoever reads them has just been woken."""

import re
from collections.abc import Iterator

from xenwatch.base.errors import Problem
from xenwatch.diagnosis.authoring.lint import Library, Lint, problem
from xenwatch.diagnosis.authoring.rule_texts import every_text

_ARCHAIC = re.compile(
    r"\b(?:hence|whose|whom|anew|moreover|befell|befalls?|thereof|therein|thereby|whereby|wherein|lest|albeit|"
    r"laid to|to be had|be had|for want of|goes its way|shall|upon|has not (?:the|enough)|have not the|"
    r"gets? at|does the like|takes? part of|stands (?:in|beside|twice|still written)|is told)\b",
    re.IGNORECASE,
)


def _check(library: Library) -> Iterator[Problem]:
    for rule in library.rules:
        for key, text in every_text(rule):
            for word in dict.fromkeys(found[0].lower() for found in _ARCHAIC.finditer(text)):
                yield problem(rule, key, f"says {word!r}: write it as you would say it to a colleague today")


LINT = Lint("words are modern and plain", _check)
