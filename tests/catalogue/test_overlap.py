"""Every rule's samples against all rules: what several answer to is one incident (`rules lint` judges the pairs)."""

from collections.abc import Iterator

import pytest

from xenwatch.base.registry import load_parts
from xenwatch.diagnosis.authoring.testing import START, RuleTestBench
from xenwatch.diagnosis.incidents.tracker import IncidentTracker
from xenwatch.diagnosis.rules.cache import load_library
from xenwatch.diagnosis.rules.rule import Rule, RuleTest
from xenwatch.diagnosis.ruleset import shipped_rules
from xenwatch.logs import formats
from xenwatch.logs.owner import DeviceModels
from xenwatch.model.record import LogFormat

RULES = load_library([shipped_rules()], None)


@pytest.fixture(scope="module")
def bench() -> RuleTestBench:
    return RuleTestBench(
        RULES, {part.name: part for part in load_parts(formats, "FORMAT", LogFormat).values()}, new_owners=DeviceModels
    )


def samples(rule: Rule) -> Iterator[RuleTest]:
    """Stories of one item: longer ones may hold several troubles."""
    return (test for test in rule.tests if test.expect and len(test.given) == 1)


@pytest.mark.parametrize("rule", [rule for rule in RULES if any(samples(rule))], ids=lambda rule: rule.id)
def test_one_line_is_one_trouble_whoever_else_knows_it(bench: RuleTestBench, rule: Rule) -> None:
    for test in samples(rule):
        incidents = IncidentTracker(RULES, at_rest=True)
        incidents.apply(bench.diagnoses(test), START)
        assert rule.id in {incident.diagnosis.rule for incident in incidents.all()}, test.name
        roots = [
            f"{incident.diagnosis.rule} of {incident.diagnosis.subject}"
            for incident in incidents.all()
            if incident.explained_by is None and incident.diagnosis.severity != "info"
        ]
        assert len(roots) <= 1, f"{test.name}: {roots}"
