"""Fills a rule's words with what was captured; values in commands are quoted for the shell."""

import shlex
from collections.abc import Callable, Iterable, Mapping

from xenwatch.base import lazy_re as re
from xenwatch.diagnosis.rules.patterns import compiled
from xenwatch.diagnosis.rules.rule import Rule
from xenwatch.model.numbers import in_words, numbers_told
from xenwatch.model.subject import Subject

PLACE = re.compile(r"\{([a-z_][a-z0-9_]*)\}")
"""A `{field}` in a rule's words; `{print $1}` of an awk command is none."""

_ASIDE = re.compile(r"\s?\([^()]*\{[a-z_][a-z0-9_]*\}[^()]*\)")
"""A parenthesis with a place in it: prose does without it where the place stays empty."""

SUBJECT_FIELDS = frozenset({"domain", "domid", "uuid", "subject"})
"""Places that the subject fills, captured or not."""

EXCEPTION_FIELDS = frozenset({"exception", "message", "frame", "call"})
"""Fields of a signature that reads an exception; none of them is certain."""


def capture_names(rule: Rule) -> frozenset[str]:
    """Names that any signature of the rule may capture."""
    captured = (name for signature in rule.signatures for name in compiled(signature.regex).groupindex)
    return frozenset(captured) | (EXCEPTION_FIELDS if any(s.exception for s in rule.signatures) else frozenset())


class TemplateFiller:
    """The words of one rule, for one set of fields."""

    def __init__(self, rule: Rule, fields: Mapping[str, str], subject: Subject) -> None:
        self._names = capture_names(rule) | SUBJECT_FIELDS | fields.keys()
        self._values = {**_subject_values(subject), **fields}

    def text(self, template: str) -> str:
        """Prose: an unknown field takes its parenthesis away; outside of one it stays visible as `<field>`."""
        return self._filled(_ASIDE.sub(self._aside, template), in_words)

    def cause(self, template: str) -> str:
        """Prose, and after it the numbers that the error ended with and the prose does not name."""
        named = set(PLACE.findall(template))
        values = " ".join(self._values.values()).lower()
        numbers = [f"{name} {words}" for name, words in numbers_told(self._values) if name not in named]
        new = [text for text in numbers if text.rpartition(": ")[2].rstrip(")") not in values]
        text = self.text(template)
        return f"{text} It ended with {' and '.join(new)}." if new else text

    def commands(self, templates: Iterable[str]) -> tuple[str, ...]:
        """Lines to paste: what came out of a log is one word to the shell, whatever a guest is named."""
        return tuple(self._filled(template, lambda _name, value: shlex.quote(value)) for template in templates)

    def _aside(self, found: re.Match[str]) -> str:
        empty = {name for name in PLACE.findall(found[0]) if name in self._names} - self._values.keys()
        return "" if empty else found[0]

    def _filled(self, template: str, quote: Callable[[str, str], str]) -> str:
        def value(found: re.Match[str]) -> str:
            name = found[1]
            if name in self._values:
                return quote(name, self._values[name])
            return f"<{name}>" if name in self._names else found[0]

        return PLACE.sub(value, template)


def _subject_values(subject: Subject) -> dict[str, str]:
    """What the subject fills; nothing for one without a name: `xl list unknown` would be a wrong command."""
    values = {"subject": subject.name} if subject.is_named else {}
    if subject.kind == "domain":
        values |= {"domain": subject.name} if subject.is_named else {}
        values |= {"domid": str(subject.domid)} if subject.domid is not None else {}
        values |= {"uuid": subject.uuid} if subject.uuid else {}
    return values
