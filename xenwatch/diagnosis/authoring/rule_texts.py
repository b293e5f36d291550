"""The sentences and commands of a rule with the keys that they stand under, for the lints that read them."""

from collections.abc import Iterator

from xenwatch.diagnosis.rules.rule import Rule


def prose(rule: Rule) -> Iterator[tuple[str, str]]:
    """Sentences that are filled in and shown as they are."""
    yield from (("title", rule.title), ("impact", rule.impact), ("cause", rule.cause))
    yield from ((f"hypotheses[{index}].cause", one.cause) for index, one in enumerate(rule.hypotheses))


def steps(rule: Rule) -> Iterator[tuple[str, str]]:
    """What the operator is asked to do or type."""
    for key, texts in (("verify", rule.verify), ("remedy", rule.remedy)):
        yield from ((f"{key}[{index}]", text) for index, text in enumerate(texts))


def every_text(rule: Rule) -> Iterator[tuple[str, str]]:
    """All that a person reads of the rule."""
    yield from prose(rule)
    yield from steps(rule)
    yield from ((f"look[{index}].says", look.says) for index, look in enumerate(rule.look))
    yield from ((f"hypotheses[{index}].tell", one.tell) for index, one in enumerate(rule.hypotheses))
    yield ("noise", rule.noise or "")
