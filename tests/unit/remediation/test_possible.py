"""What the shipped rules propose can happen: each action acts on what its rule is about."""

import pytest

from xenwatch.diagnosis.ruleset import cache_folder, rules_with
from xenwatch.remediation.policy.inventory import ManagedInventory
from xenwatch.remediation.policy.policy import PolicyRule, Rung
from xenwatch.remediation.possible import Failure, impossible
from xenwatch.remediation.registry import load_catalogue

ACTIONS = load_catalogue()
PARAMS = {"by": "1GiB", "max": "2GiB", "unit": "libvirtd", "mib": "512"}


@pytest.mark.parametrize("known", rules_with((), cache_folder()), ids=lambda known: known.id)
def test_an_action_that_a_known_failure_names_can_act_on_it(known):
    selector = "tag:auto" if known.subject == "domain" else "host:xen1"
    params = {action: {name: PARAMS[name] for name in ACTIONS[action].required} for action in known.actions}
    ladder = tuple(Rung(action, params[action]) for action in known.actions)
    rule = PolicyRule("r", "auto", "L3", known.id, "", "", {}, 0.0, (selector,), 1, (), ladder)
    failure = Failure(known.id, known.class_, known.subject)
    assert list(impossible(rule, ManagedInventory("xen1"), ACTIONS, [failure])) == []
