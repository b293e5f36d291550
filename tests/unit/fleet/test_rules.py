"""Each rule of the fleet says itself when it fires and when it stays quiet."""

import pytest

from xenwatch.diagnosis.ruleset import shipped_rules
from xenwatch.fleet.host_report import HostIncident
from xenwatch.fleet.incident import FleetIncident, fleet_incident_of, judged
from xenwatch.fleet.rule import FleetRule, fleet_rules

RULES = fleet_rules()
CASES = [(rule, case) for rule in RULES for case in rule.tests]


def incident(
    number: int, host: str, rule: str, fields: dict[str, str], state: str = "open", class_: str = "none",
    subject: str = "host/dom0",
) -> HostIncident:  # fmt: skip
    return HostIncident(host, f"i{number}", rule, class_, "error", subject, "…", state, 0.0, fields, number)


@pytest.mark.parametrize(("rule", "case"), CASES, ids=[f"{rule.id}: {case['name']}" for rule, case in CASES])
def test_a_rule_does_what_it_says_of_itself(rule: FleetRule, case: dict):
    given = [
        incident(
            number,
            g["host"],
            g.get("rule", "other"),
            g.get("fields", {}),
            class_=g.get("class", "none"),
            subject=g.get("subject", "host/dom0"),
        )
        for number, g in enumerate(case["given"])
        if "rule" in g or "class" in g
    ]
    facts = {g["host"]: g["facts"] for g in case["given"] if "facts" in g}
    found = list(judged([rule], given, {}, facts).values())
    expected = case.get("expect")
    assert [(i.key, list(i.hosts)) for i in found] == ([(expected["key"], expected["hosts"])] if expected else [])


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_has_a_test_that_fires_and_one_that_stays_quiet_and_names_rules_that_exist(rule: FleetRule):
    assert {"expect" in case for case in rule.tests} == {True, False}
    texts = {path.stem: path.read_text() for path in shipped_rules().rglob("*.yaml")}
    assert rule.rules <= texts.keys()
    classes = {line for text in texts.values() for line in text.splitlines() if line.startswith("class: ")}
    assert {f"class: {one}" for one in rule.classes - {"*"}} <= classes
    about = "".join(texts[name] for name in rule.rules)
    assert [name for name in rule.key if f"<{name}>" not in about] == [], "fields that no line of these rules has"


def storm(hosts: int, state: str = "open") -> list[HostIncident]:
    return [incident(n, f"xen{n}", "nfs-not-responding", {"server": "10.0.0.9"}, state) for n in range(hosts)]


def test_hosts_stand_in_the_order_in_which_etcd_has_them_not_in_that_of_their_clocks():
    given = [HostIncident(**{**_body(i), "opened": -600.0 * i.order}) for i in reversed(storm(4))]
    (found,) = judged(RULES, given, {}).values()
    assert found.hosts == ("xen0", "xen1", "xen2", "xen3")


def test_it_ends_with_the_last_host_and_not_when_it_is_below_the_number_that_opened_it():
    known = judged(RULES, storm(3), {})
    (still,) = judged(RULES, storm(1), known).values()
    assert (still.is_open, still.hosts) == (True, ("xen0",))
    (over,) = judged(RULES, storm(3, "resolved"), {still.id: still}).values()
    assert (over.is_open, over.hosts) == (False, ("xen0",))


def test_what_is_over_opens_again_only_on_enough_hosts():
    (first,) = judged(RULES, storm(3), {}).values()
    over = {first.id: FleetIncident(**{**_body(first), "state": "resolved"})}
    assert judged(RULES, storm(2), over) == {}
    assert judged(RULES, storm(3), over)[first.id].is_open


def test_what_is_kept_of_it_comes_back_as_it_was_and_other_text_is_none():
    (found,) = judged(RULES, storm(3), {}).values()
    assert fleet_incident_of(found.as_json()) == found
    assert fleet_incident_of("[]") is None
    assert fleet_incident_of('{"id": "x"}') is None


def _body(value: HostIncident | FleetIncident) -> dict:
    return {name: getattr(value, name) for name in value.__slots__}
