"""Every message of the catalogue, filled with what a host could print, gives the right incident and fields."""

from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml
from catalogue.values import KINDS, PLACE, fill
from catalogue.wrapping import WRAPS

from xenwatch.base.registry import load_parts
from xenwatch.diagnosis.correlation.engine import CorrelationEngine
from xenwatch.diagnosis.incidents.tracker import IncidentTracker
from xenwatch.diagnosis.matching.scanner import Scanner
from xenwatch.diagnosis.ruleset import rules_with
from xenwatch.logs import formats
from xenwatch.model.incident import Incident
from xenwatch.model.record import Chunk, LogFormat, Position, Source, TimeHint

FAILURES: list[dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "failures.yaml").read_text())
KNOWN_FAILURES = 274
TIMES = 6
NOW = 1_700_000_000.0


class Host:
    """All rules, and logs of which each is of another host: one scanner reads them all."""

    def __init__(self, scanner: Scanner, dialects: dict[str, LogFormat]) -> None:
        self.scanner, self._formats = scanner, dialects
        self._rules = rules_with([], None)
        self._fresh = scanner.state()

    def told(self, format_: str, text: str) -> list[Incident]:
        """The incidents that a log with this text alone gives, the first to be read first."""
        self.scanner.restore(self._fresh)
        chunk = Chunk(
            Source("a.log", self._formats[format_]), f"{text}\n".encode(), Position("a", 0), TimeHint(NOW), final=True
        )
        events = self.scanner.feed(chunk)
        incidents = IncidentTracker(self._rules, at_rest=True)
        incidents.apply(CorrelationEngine(self._rules, self.scanner.registry).observe(events, now=NOW), NOW, events)
        return incidents.all()


@pytest.fixture(scope="module")
def host() -> Host:
    dialects = {part.name: part for part in load_parts(formats, "FORMAT", LogFormat).values()}
    return Host(Scanner(rules_with([], None)), dialects)


def messages(*, wrong: bool) -> list[Any]:
    return [pytest.param(f, id=f["id"]) for f in FAILURES if wrong != ("nothing_wrong" in f)]


@pytest.mark.parametrize("failure", messages(wrong=True))
def test_a_failure_is_told_by_its_class_rule_and_fields(host: Host, failure: dict[str, Any]) -> None:
    for message in failure["messages"]:
        for time in range(TIMES):
            random = Random(f"{message['template']}{time}")
            filled = fill(message["template"], random)
            format_, text = WRAPS[message["stream"]](filled.text, random)
            incidents = host.told(format_, text)
            assert incidents, f"nothing was said to: {text}"
            first = incidents[0].diagnosis
            # Where a number decides, as an exit status or an errno does, there are several.
            classes = message["class"] if isinstance(message["class"], list) else [message["class"]]
            assert first.rule == message["rule"], text
            assert first.class_ in classes, text
            wrong = {
                name: first.fields.get(name) for name in filled.fields if first.fields.get(name) != filled.fields[name]
            }
            assert not wrong, f"{wrong} in: {text}"


@pytest.mark.parametrize("failure", messages(wrong=True))
def test_the_incident_is_that_of_the_domain_that_the_message_numbers(host: Host, failure: dict[str, Any]) -> None:
    for message in failure["messages"]:
        kinds = [place["kind"] for place in PLACE.finditer(message["template"])]
        if kinds.count("domid") != 1:
            continue
        random = Random(message["template"])
        filled = fill(message["template"], random)
        subject = host.told(*WRAPS[message["stream"]](filled.text, random))[0].diagnosis.subject
        if subject.kind == "domain":
            assert str(subject.domid) == filled.values[kinds.index("domid")], filled.text


@pytest.mark.parametrize("failure", messages(wrong=False))
def test_what_only_sounds_like_a_failure_is_known_and_gives_no_incident(host: Host, failure: dict[str, Any]) -> None:
    assert failure["nothing_wrong"]
    for message in failure["messages"]:
        random = Random(message["template"])
        before = host.scanner.matches[message["rule"]]
        assert not host.told(*WRAPS[message["stream"]](fill(message["template"], random).text, random))
        assert host.scanner.matches[message["rule"]] > before, message["template"]


def test_the_catalogue_is_whole() -> None:
    assert len({failure["id"] for failure in FAILURES}) == len(FAILURES) == KNOWN_FAILURES
    assert all(failure["messages"] for failure in FAILURES)


def test_the_catalogue_names_only_kinds_and_streams_that_there_are_and_uses_each() -> None:
    said = [message for failure in FAILURES for message in failure["messages"]]
    assert {message["stream"] for message in said} == set(WRAPS)
    assert {place["kind"] for message in said for place in PLACE.finditer(message["template"])} == set(KINDS)
