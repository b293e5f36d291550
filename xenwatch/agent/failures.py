"""The rules as the web shows them."""

from collections.abc import Iterable

from xenwatch.diagnosis.rules.rule import Rule
from xenwatch.web.context import KnownFailure


def known_failures(rules: Iterable[Rule]) -> list[KnownFailure]:
    """Everything that a rule can tell, by id; quiet rules tell nothing."""
    return [
        KnownFailure(
            rule.id,
            rule.class_,
            rule.severity,
            rule.title,
            rule.cause,
            rule.impact,
            rule.verify,
            rule.remedy,
            tuple(signature.template for signature in rule.signatures if signature.template),
            rule.references,
            rule.aliases,
        )
        for rule in sorted(rules, key=lambda rule: rule.id)
        if not rule.noise
    ]
