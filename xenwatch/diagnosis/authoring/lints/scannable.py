"""Each signature can be looked for by every engine, and its literal is rare enough to live from."""

from collections.abc import Iterator

from xenwatch.base.errors import Problem
from xenwatch.diagnosis.authoring.lint import Library, Lint, problem
from xenwatch.diagnosis.matching.literals import literals, rarity
from xenwatch.diagnosis.matching.prefilter_factory import hyperscan_takes
from xenwatch.diagnosis.matching.reduce import scan_form

WEAKEST = 4.0
"""Rarity of a literal below which the fallback engine would ask `re` about every other line."""


def _check(library: Library) -> Iterator[Problem]:
    for rule in library.rules:
        for index, signature in enumerate(rule.signatures):
            message = _message(signature.regex)
            if message:
                yield problem(rule, f"signatures[{index}].regex", message, signature.line)


def _message(regex: str) -> str | None:
    form = scan_form(regex)
    if form is None or not hyperscan_takes(form):
        return "cannot be looked for in raw bytes: every record would be asked"
    found = literals(regex)
    if not found:
        return "demands no literal text: start with words that the message always has"
    weakest = min(found, key=rarity)
    if rarity(weakest) < WEAKEST:
        return f"its rarest literal is {weakest.decode('utf-8', 'replace')!r}, which is everywhere: add words around it"
    return None


LINT = Lint("signatures are cheap to look for", _check)
