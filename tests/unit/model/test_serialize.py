"""Model values as JSON and back, and what the version before wrote."""

from typing import Any

import pytest

from xenwatch.model.diagnosis import Diagnosis, Evidence
from xenwatch.model.event import Event
from xenwatch.model.fact import Fact
from xenwatch.model.incident import Incident
from xenwatch.model.public_json import public_incident
from xenwatch.model.record import LogFormat, LogRecord, Position, Source
from xenwatch.model.sample import Metric, Sample
from xenwatch.model.serialize import (
    event_from_json,
    event_json,
    fact_from_json,
    fact_json,
    record_from_json,
    record_json,
    sample_from_json,
    sample_json,
    subject_from_json,
    subject_json,
)
from xenwatch.model.subject import Subject

SOURCE = Source("/var/log/xen/console/guest-web.log", LogFormat("console", "console of a guest"), host="xen1")
RECORD = LogRecord(SOURCE, "panic", 10.0, True, Position("1:2:3", 40, 7), guest=True)
SAMPLE = Sample(Metric("xen_bridge_ports", "gauge", "Ports.", ("bridge",)), ("xenbr0",), 0.0)
FACT = Fact("bridge.names", Subject("host", "dom0"), ("br0", "br1"), 12.0, "ip link")


@pytest.mark.parametrize("subject", [Subject("domain", "web", "u-1", 5), Subject("array", "md0", host="xen1")])
def test_a_subject_comes_back_equal(subject: Subject):
    assert subject_from_json(subject_json(subject)) == subject


def test_a_subject_of_one_host_is_written_without_it():
    assert "host" not in subject_json(Subject("domain", "web"))


@pytest.mark.parametrize(
    ("value", "write", "read"),
    [
        (RECORD, record_json, record_from_json),
        (SAMPLE, sample_json, sample_from_json),
        (FACT, fact_json, fact_from_json),
        (Event("panic", Subject("domain", "web"), 10.0, {"why": "oops"}, RECORD, "r"), event_json, event_from_json),
        (Event("timer", Subject("domain", "web"), 10.0), event_json, event_from_json),
    ],
)  # fmt: skip
def test_a_value_comes_back_equal(value: Any, write: Any, read: Any):
    assert read(write(value)) == value


def test_what_correlation_wrote_as_lists_is_read():
    record = ["/var/log/xen/console/guest-web.log", "console", "panic", 10.0, True, ["1:2:3", 40, 7], True]
    event = {
        "kind": "panic",
        "subject": ["domain", "web", None, 5],
        "at": 10.0,
        "fields": {},
        "rule": "r",
        "record": record,
    }
    read = event_from_json(event)
    assert read.subject == Subject("domain", "web", None, 5)
    assert read.record is not None
    assert read.record.guest
    assert fact_from_json(["bridge.names", ["host", "dom0", None, None], ["br0", "br1"], 12.0, "ip link"]) == FACT


def test_the_public_shape_tells_records_samples_and_facts_each_record_once():
    evidence = (
        Evidence(10.0, "it panicked", RECORD), Evidence(10.0, "again", RECORD), Evidence(11.0, "few ports", SAMPLE),
        Evidence(12.0, "bridges", FACT), Evidence(13.0, "in words"),
    )  # fmt: skip
    diagnosis = Diagnosis("r", "c", Subject("domain", "web"), "error", "T", "s", "why", 10.0, evidence=evidence)
    shown = public_incident(Incident("i", diagnosis, "open", 10.0, 13.0), lambda at: None if at is None else f"t{at:g}")
    assert shown["evidence"] == [
        {"summary": "it panicked", "at": "t10", "file": SOURCE.path, "line": 7, "text": "panic"},
        {
            "summary": "few ports", "at": "t11",
            "metric": "xen_bridge_ports", "labels": {"bridge": "xenbr0"}, "value": 0.0,
        },
        {"summary": "bridges", "at": "t12", "fact": "bridge.names", "value": ["br0", "br1"], "origin": "ip link"},
        {"summary": "in words", "at": "t13"},
    ]  # fmt: skip
