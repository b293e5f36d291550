"""What a rule looks at is told with its diagnosis, and never decides whether it is made."""

import re
from pathlib import Path

import pytest

from xenwatch.diagnosis.correlation.enrichment import enrich
from xenwatch.diagnosis.correlation.fact_store import FactStore
from xenwatch.diagnosis.ruleset import rules_with
from xenwatch.model.fact import Fact
from xenwatch.model.subject import HOST, Subject

ROOT = Path(__file__).parents[3]
WEB = Subject("domain", "web", domid=5)


@pytest.fixture
def seen(kit):
    def look(items, fields, *facts):
        book = FactStore()
        book.learn(facts)
        return enrich(kit.one("gone: (?P<vg>[a-z]+)", more=f"look: {items}\n"), WEB, fields, book.find)

    return look


def test_a_size_is_written_for_people_and_names_where_it_was_learnt(seen):
    fact = Fact("vg.free_bytes", Subject("vg", "prueba"), 3 * 1024**3, 7.0, "vgs")
    found = seen("[{fact: vg.free_bytes, of: 'vg/{vg}', says: '{vg} has {value} free'}]", {"vg": "prueba"}, fact)
    assert [(e.at, e.summary) for e in found.evidence] == [(7.0, "prueba has 3.0 GiB free (vgs)")]
    assert found.evidence[0].origin is fact


def test_the_fact_of_another_thing_is_not_taken_for_it(seen):
    fact = Fact("vg.free_bytes", Subject("vg", "other"), 1, 7.0, "vgs")
    found = seen("[{fact: vg.free_bytes, of: 'vg/{vg}', says: '{value}'}]", {"vg": "prueba"}, fact)
    assert (found.evidence, found.unchecked) == ((), ("vg.free_bytes of prueba is not known here",))


def test_what_needs_a_field_that_was_not_captured_is_passed_over(seen):
    found = seen("[{fact: vg.free_bytes, of: 'vg/{vg}', says: '{value}'}]", {})
    assert (found.evidence, found.unchecked) == ((), ())


def test_a_check_that_does_not_hold_or_cannot_be_told_says_nothing(seen):
    fact = Fact("memory.free_bytes", HOST, 5, 7.0, "xl info")
    for check in ("value > 9", "value > int(fields.x)"):
        assert seen(f"[{{fact: memory.free_bytes, check: '{check}', says: a}}]", {}, fact).evidence == ()


def test_what_is_worked_out_is_a_field_for_the_words_of_the_rule(seen):
    fact = Fact("memory.free_bytes", HOST, 1024, 7.0, "")
    compute = "{missing_bytes: 'int(fields.kib) * 1024 - value'}"
    items = f"[{{fact: memory.free_bytes, compute: {compute}, says: '{{missing_bytes}}'}}]"
    found = seen(items, {"kib": "3"}, fact)
    assert (dict(found.fields), found.evidence[0].summary) == ({"missing_bytes": "2048"}, "2.0 KiB")


def test_a_path_is_judged_by_the_mount_it_lies_on():
    book = FactStore()
    book.learn(
        Fact("disk.free_bytes", Subject("mount", point), size, 7.0, "") for point, size in (("/", 1), ("/var", 2))
    )
    near, far = (
        book.find("disk.free_bytes", Subject("mount", path)) for path in ("/var/lib/xen/save/web", "/variable")
    )
    assert (near and near.value, far and far.value) == (2, 1)


def test_every_fact_that_a_rule_looks_at_is_documented():
    documented = set(re.findall(r"`([\w.]+)`", (ROOT / "docs" / "facts.md").read_text()))
    looked_at = {look.fact for rule in rules_with([], None) for look in rule.look}
    assert looked_at
    assert looked_at <= documented
