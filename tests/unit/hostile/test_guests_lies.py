"""What a guest writes speaks of that guest alone: it accuses nobody, excuses nobody and forges no record."""

from pathlib import Path

import pytest

from xenwatch.diagnosis.pipeline import Pipeline
from xenwatch.diagnosis.rules.loader import parse_rule
from xenwatch.diagnosis.rules.rule import GivenLine, Rule
from xenwatch.diagnosis.ruleset import rules_with, shipped_rules
from xenwatch.logs.format import all_formats
from xenwatch.model.incident import Incident
from xenwatch.model.record import Chunk, Position, Source, TimeHint
from xenwatch.model.subject import Subject

NOW = 1_305_752_200.0
MALLORY = Subject("domain", "mallory", domid=7)
CRASH = "[2011-05-18 20:55:04 xend 3456] WARNING (XendDomainInfo:874) Domain has crashed: name=web id=5.\n"


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> tuple[Rule, ...]:
    return rules_with((), tmp_path_factory.mktemp("cache"))


def tell(
    pipeline: Pipeline, format_: str, text: str, *, owner: Subject | None = None, path: str = ""
) -> list[Incident]:
    source = Source(path or f"{format_}.log", all_formats()[format_], owner)
    pipeline.read(Chunk(source, text.encode(), Position("1", 0, 1), TimeHint(NOW), final=True))
    pipeline.conclude(NOW)
    return pipeline.incidents.all()


def sample_lines() -> str:
    """A line of every rule's own tests, as a guest would copy them from the documentation."""
    rules = [parse_rule(path.read_text(), path) for path in sorted(shipped_rules().rglob("*.yaml"))]
    given = [item for rule in rules for test in rule.tests[:1] for item in test.given]
    return "\n".join(item.line for item in given if isinstance(item, GivenLine)) + "\n"


@pytest.fixture(scope="module")
def lines() -> str:
    return sample_lines()


def test_a_console_that_recites_every_known_failure_accuses_only_its_own_guest(
    rules: tuple[Rule, ...], lines: str
) -> None:
    pipeline = Pipeline(rules, prefilter="re")
    tell(pipeline, "xend", CRASH)
    found = tell(pipeline, "console", lines, owner=MALLORY, path="guest-mallory.log")
    assert {str(i.diagnosis.subject) for i in found} == {"domain/web", "domain/mallory"}


def test_the_ring_quotes_a_guest_and_believes_it_only_about_itself(rules: tuple[Rule, ...], lines: str) -> None:
    pipeline = Pipeline(rules, prefilter="re")
    quoted = "".join(f"(XEN) (d7) {line}\n" for line in lines.splitlines())
    found = tell(pipeline, "hypervisor", quoted)
    assert {i.diagnosis.subject.domid for i in found} == {7}


def test_a_device_models_log_says_nothing_of_another_guest(rules: tuple[Rule, ...]) -> None:
    pipeline = Pipeline(rules, prefilter="re")
    found = tell(pipeline, "qemu-dm", "Domain has crashed: name=web id=5.\n", owner=MALLORY, path="qemu-dm-mallory.log")
    assert "domain/web" not in {str(i.diagnosis.subject) for i in found}
    assert pipeline.scanner.registry.name_of(5, NOW) is None


def test_a_host_log_is_believed_about_any_guest(rules: tuple[Rule, ...]) -> None:
    pipeline = Pipeline(rules, prefilter="re")
    assert {str(i.diagnosis.subject) for i in tell(pipeline, "xend", CRASH)} == {"domain/web"}
    assert pipeline.scanner.registry.name_of(5, NOW) == "web"


CAUSE = """\
id: {id}
class: a-class
title: A title
severity: error
subject: domain
cause: c
remedy: [r]
reach: host
explains: [symptom]
signatures: [{{streams: [{stream}], regex: 'the (?P<device>\\w+) is gone'}}]
"""
SYMPTOM = """\
id: symptom
class: b-class
title: A title
severity: error
depth: symptom
subject: domain
cause: c
remedy: [r]
signatures: [{streams: [xend], regex: 'no (?P<device>\\w+) for (?P<domain>\\w+)'}]
"""


@pytest.mark.parametrize(
    ("stream", "owner", "state"),
    [("console", MALLORY, "open"), ("libxl", MALLORY, "open"), ("libxl", Subject("domain", "web"), "explained")],
)
def test_a_guest_explains_nothing_away_and_a_host_does_of_that_guest(stream: str, owner: Subject, state: str) -> None:
    rules = [
        parse_rule(CAUSE.format(id="cause", stream=stream), Path("cause.yaml")),
        parse_rule(SYMPTOM, Path("symptom.yaml")),
    ]
    pipeline = Pipeline(rules, prefilter="re")
    tell(pipeline, "xend", "[2011-05-18 20:55:04 xend 1] ERROR (a:1) no xvda for web\n")
    found = tell(pipeline, stream, "2011-05-18 20:55:03 UTC the xvda is gone\n", owner=owner)
    (symptom,) = [i for i in found if i.diagnosis.rule == "symptom"]
    assert symptom.state == state
