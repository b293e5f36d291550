"""Conditions over time: each kind holds when it should, stays quiet when it should, and survives a restart."""

import json
from types import SimpleNamespace

import pytest

from xenwatch.diagnosis.correlation.conditions import evaluate
from xenwatch.diagnosis.correlation.engine import MOST_DEADLINES, CorrelationEngine
from xenwatch.diagnosis.domain_registry import DomainRegistry
from xenwatch.model.event import Event
from xenwatch.model.fact import Fact
from xenwatch.model.sample import Metric, Sample, Snapshot
from xenwatch.model.subject import HOST, Subject

WEB, DB = Subject("domain", "web"), Subject("domain", "db")
FREE = Metric("xen_memory_free_bytes", "gauge", "free")
RESTARTS = Metric("xen_domain_restarts_total", "counter", "restarts", ("domain",))


def event(kind: str, at: float, subject: Subject = WEB, rule: str = "a-rule", **fields: str) -> Event:
    return Event(kind, subject, at, fields, None, rule)


@pytest.fixture
def engine(kit: SimpleNamespace):
    def make(when: str, more: str = "subject: domain\n", registry: DomainRegistry | None = None) -> CorrelationEngine:
        regex = "signatures: [{event: a, regex: aaa}, {event: b, regex: bbb}, {event: c, regex: ccc}]\n"
        return CorrelationEngine([kit.rule(f"{regex}when: {when}\n{more}")], registry)

    return make


def fired(engine: CorrelationEngine, *events: Event, now: float = 0.0) -> list[str]:
    return [str(d.subject) for d in engine.observe(events, now=now)]


def test_all_parts_must_come_for_one_subject(engine):
    both = "{all: [{type: event, event: a}, {type: event, event: b}]}"
    assert fired(engine(both), event("a", 1), event("b", 2, DB)) == []
    assert fired(engine(both), event("a", 1), event("b", 2)) == ["domain/web"]


def test_parts_further_apart_than_the_window_do_not_meet(engine):
    both = "{all: [{type: event, event: a}, {type: event, event: b}]}"
    assert fired(engine(both), event("a", 1), event("b", 500)) == []
    assert fired(engine(both, "subject: domain\nwindow: 10m\n"), event("a", 1), event("b", 500)) == ["domain/web"]


def test_logs_read_one_after_the_other_meet_all_the_same(engine):
    made = engine("{all: [{type: event, event: a}, {type: event, event: b}]}")
    assert fired(made, event("b", 20)) == []
    assert fired(made, event("a", 10)) == ["domain/web"]


def test_an_event_of_nobody_joins_any_domain(engine):
    made = engine("{all: [{type: event, event: a}, {type: event, event: b}]}")
    assert fired(made, event("a", 1, HOST)) == []
    assert fired(made, event("b", 2)) == ["domain/web"]


def test_enough_of_them_within_the_time_are_a_count(engine):
    three = "{all: [{type: count, event: a, at_least: 3, within: 60s}]}"
    assert fired(engine(three), *(event("a", t) for t in (0, 40, 61))) == []
    assert fired(engine(three), *(event("a", t) for t in (0, 30, 60))) == ["domain/web"]


def test_a_count_by_a_field_keeps_its_values_apart(engine):
    two = "{all: [{type: count, event: a, at_least: 2, within: 60s, by: [device]}]}"
    assert fired(engine(two), event("a", 1, device="xvda"), event("a", 2, device="xvdb")) == []
    assert fired(engine(two), event("a", 1, device="xvda"), event("a", 2, device="xvda")) == ["domain/web"]


def test_a_sequence_must_come_in_its_order(engine):
    run = "{all: [{type: sequence, events: [a, b, c], within: 60s}]}"
    assert fired(engine(run), event("c", 1), event("b", 2), event("a", 3)) == []
    assert fired(engine(run), event("a", 1), event("b", 2), event("c", 3)) == ["domain/web"]
    assert fired(engine(run), event("a", 1), event("b", 2), event("c", 99)) == []


def test_what_does_not_follow_in_time_is_absent(engine):
    made = engine("{all: [{type: absent, after: a, expect: b, within: 100s}]}")
    assert fired(made, event("a", 10), now=10) == []
    assert made.tick(109) == []
    assert [str(d.subject) for d in made.tick(110)] == ["domain/web"]
    assert made.tick(200) == []


def test_what_follows_in_time_is_not_absent(engine):
    made = engine("{all: [{type: absent, after: a, expect: b, within: 100s}]}")
    assert fired(made, event("a", 10), event("b", 50), now=500) == []


def test_a_deadline_survives_a_restart(engine):
    condition = "{all: [{type: absent, after: a, expect: b, within: 100s}]}"
    first = engine(condition)
    first.observe([event("a", 10)], now=10)
    second = engine(condition)
    second.restore(json.loads(json.dumps(first.state())))
    assert len(second.tick(110)) == 1


def test_a_window_survives_a_restart(engine):
    condition = "{all: [{type: sequence, events: [a, b], within: 60s}]}"
    first = engine(condition)
    first.observe([event("a", 1, device="x")], now=1)
    second = engine(condition)
    second.restore(json.loads(json.dumps(first.state())))
    [diagnosis] = second.observe([event("b", 2)], now=2)
    assert diagnosis.fields == {"device": "x"}


def test_where_decides_over_the_fields_of_an_event(engine):
    made = engine("{all: [{type: event, event: a, where: \"fields.exit == '1'\"}]}")
    assert fired(made, event("a", 1, exit="0")) == []
    assert fired(made, event("a", 2)) == []
    assert fired(made, event("a", 3, exit="1")) == ["domain/web"]


FACT = "{all: [{type: event, event: a}, {type: fact, fact: bridge.names, check: '!(fields.bridge in value)'%s}]}"


def test_a_known_fact_decides(engine):
    made = engine(FACT % "")
    known = [Fact("bridge.names", HOST, ("xenbr0",), 0.0, "brctl show")]
    assert made.observe([event("a", 1, bridge="xenbr0")], facts=known, now=1) == []
    [diagnosis] = made.observe([event("a", 2, bridge="xenbr7")], now=2)
    assert diagnosis.unchecked == ()
    assert any("brctl show" in e.summary for e in diagnosis.evidence)


def test_an_unknown_fact_holds_and_is_listed_as_unchecked(engine):
    [diagnosis] = engine(FACT % "").observe([event("a", 1, bridge="xenbr7")], now=1)
    assert diagnosis.unchecked == ("bridge.names is not known here",)


def test_an_unknown_fact_fails_where_the_rule_says_so(engine):
    assert engine(FACT % ", missing: fail").observe([event("a", 1, bridge="xenbr7")], now=1) == []


def snapshot(at: float, *samples: Sample) -> Snapshot:
    return Snapshot(at, samples)


def test_a_metric_must_hold_for_its_time(engine):
    made = engine("{all: [{type: metric, metric: xen_memory_free_bytes, check: 'value < 10.0', for: 60s}]}", "")
    told = [made.observe(snapshot=snapshot(t, Sample(FREE, (), v)), now=t) for t, v in ((0, 5), (40, 5), (50, 50))]
    assert told == [[], [], []]
    told = [made.observe(snapshot=snapshot(t, Sample(FREE, (), 5)), now=t) for t in (100, 130, 160)]
    assert [len(t) for t in told] == [0, 0, 1]


def test_a_rate_is_the_increase_a_second_and_starts_over_with_the_counter(engine):
    check = "{all: [{type: metric, metric: xen_domain_restarts_total, check: 'value > 0.05', rate: 60s}]}"
    made = engine(check)
    steady = [made.observe(snapshot=snapshot(t, Sample(RESTARTS, ("web",), 7)), now=t) for t in (0, 30, 60)]
    assert steady == [[], [], []]
    [diagnosis] = made.observe(snapshot=snapshot(90, Sample(RESTARTS, ("web",), 20)), now=90)
    assert diagnosis.subject == WEB
    assert made.observe(snapshot=snapshot(120, Sample(RESTARTS, ("web",), 1)), now=120) == []


def test_numbers_of_several_things_meet_in_the_subject_that_the_rule_names(engine):
    up, source = Metric("xen_up", "gauge", "up", ("daemon",)), Metric("source_up", "gauge", "up", ("source",))
    zero = "{type: metric, metric: %s, check: 'value == 0.0'}"
    made = engine(f"{{all: [{zero % 'xen_up'}, {zero % 'source_up'}]}}", "subject: daemon\nsubject_name: libvirtd\n")
    assert made.observe(snapshot=snapshot(1, Sample(up, ("libvirtd",), 0)), now=1) == []
    samples = Sample(up, ("libvirtd",), 0), Sample(source, ("libvirt",), 0)
    assert [str(d.subject) for d in made.observe(snapshot=snapshot(2, *samples), now=2)] == ["daemon/libvirtd"]


def test_a_domid_gets_the_name_it_had_at_the_time(engine):
    registry = DomainRegistry()
    registry.learn({"domain": "old", "domid": "5"}, 100.0)
    registry.learn({"domain": "new", "domid": "5"}, 9000.0)
    made = engine("{any: [{type: event, event: a}]}", registry=registry)
    nameless = Subject("domain", "5", domid=5)
    assert fired(made, event("a", 120, nameless), event("a", 9100, nameless)) == ["domain/old", "domain/new"]


def test_what_names_nobody_is_never_blamed_on_the_only_guest_known(engine):
    one = DomainRegistry()
    one.learn({"domain": "web", "domid": "5"}, 1.0)
    unknown = Subject("domain", "unknown")
    assert fired(engine("{any: [{type: event, event: a}]}", registry=one), event("a", 2, unknown)) == ["host/dom0"]


def test_a_rule_that_fails_is_fenced_and_counted_and_the_others_go_on(kit, monkeypatch, caplog):
    rules = [kit.one("aaa", "bad"), kit.one("bbb", "good", "when: {any: [{type: event, event: bad}]}\n")]
    made = CorrelationEngine(rules)
    real = made._plans[0].rule

    def judged(condition, world, fields):
        if world.plan.rule is real:
            raise ZeroDivisionError
        return evaluate(condition, world, fields)

    monkeypatch.setattr("xenwatch.diagnosis.correlation.engine.evaluate", judged)
    assert [d.rule for d in made.observe([event("bad", 1, rule="bad")], now=1)] == ["good"]
    assert made.failures == {"bad": 1}


def test_state_is_bounded(engine, monkeypatch):
    monkeypatch.setattr("xenwatch.diagnosis.correlation.windows.MOST_GROUPS", 10)
    monkeypatch.setattr("xenwatch.diagnosis.correlation.windows.MOST_EVENTS", 5)
    made = engine("{all: [{type: count, event: a, at_least: 1000, within: 1d}]}")
    made.observe((event("a", t, Subject("domain", f"vm{t % 50}")) for t in range(1000)), now=1000)
    assert len(made._windows) <= 50
    assert made._windows.forgotten == 1000 - len(made._windows)
    assert len(made._deadlines) < MOST_DEADLINES


def test_values_in_commands_are_one_word_to_the_shell(kit):
    regex = r"bridge (?P<bridge>[^\n]+) missing"
    more = "verify: ['ip link show {bridge}', \"awk '{print}' x\"]\ncause: 'no {bridge}, {unit}'\n"
    made = CorrelationEngine([kit.one(regex, more=more)])
    [diagnosis] = made.observe([event("a-rule", 1, HOST, bridge="x; reboot")], now=1)
    assert diagnosis.verify == ("ip link show 'x; reboot'", "awk '{print}' x")
    assert diagnosis.cause == "no x; reboot, {unit}"
