"""Two things of one kind that fail on one host are two incidents: md1 does not take md0's place."""

from pathlib import Path

import pytest

from xenwatch.diagnosis.pipeline import Pipeline
from xenwatch.diagnosis.rules.loader import load_rules
from xenwatch.logs.format import all_formats
from xenwatch.model.record import Chunk, Position, Source, TimeHint
from xenwatch.model.sample import Metric, Sample, Snapshot

STORAGE = Path(__file__).parents[3] / "rules/storage"
NOW = 1_700_000_000.0
STATE = Metric("xen_md_array_state", "stateset", "State.", ("array", "state"))


@pytest.fixture(scope="module")
def rules():
    return [rule for rule in load_rules([STORAGE]) if rule.class_ == "raid-degraded"]


@pytest.fixture
def pipeline(rules) -> Pipeline:
    return Pipeline(rules, prefilter="re")


def kernel(pipeline: Pipeline, *lines: str) -> None:
    data = "".join(f"{line}\n" for line in lines).encode()
    source = Source("/var/log/kern.log", all_formats()["kernel"])
    pipeline.read(Chunk(source, data, Position(source.path, 0), TimeHint(NOW), True))
    pipeline.conclude(NOW)


def degraded(pipeline: Pipeline, *arrays: str, at: float = NOW) -> None:
    pipeline.snapshot(Snapshot(at, tuple(Sample(STATE, (array, "degraded"), 1.0) for array in arrays)))
    pipeline.conclude(at)


def subjects(pipeline: Pipeline) -> set[str]:
    return {str(i.diagnosis.subject) for i in pipeline.incidents.all() if i.state != "resolved"}


def test_two_arrays_that_degrade_in_the_samples_are_two_incidents(pipeline: Pipeline):
    degraded(pipeline, "md0")
    degraded(pipeline, "md0", "md1", at=NOW + 30)
    assert subjects(pipeline) == {"array/md0", "array/md1"}


def test_two_arrays_that_degrade_in_the_log_are_two_incidents(pipeline: Pipeline):
    kernel(
        pipeline,
        "md/raid1:md0: Disk failure on sdb1, disabling device.",
        "md/raid1:md1: Disk failure on sdb2, disabling device.",
    )
    assert subjects(pipeline) == {"array/md0", "array/md1"}


def test_two_arrays_that_cannot_run_are_two_incidents(pipeline: Pipeline):
    kernel(pipeline, "md/raid1:md0: not enough operational mirrors.", "md/raid1:md1: not enough operational mirrors.")
    assert subjects(pipeline) == {"array/md0", "array/md1"}


def test_one_array_told_twice_is_one_incident(pipeline: Pipeline):
    kernel(
        pipeline,
        "md/raid1:md0: Disk failure on sdb1, disabling device.",
        "md/raid1:md0: active with 1 out of 2 mirrors",
    )
    assert subjects(pipeline) == {"array/md0"}


def test_a_failed_disk_of_an_array_that_is_not_named_is_the_hosts(pipeline: Pipeline):
    kernel(pipeline, "raid1: Disk failure on sdc, disabling device")
    assert subjects(pipeline) == {"host/dom0"}


def test_what_the_samples_say_of_one_array_explains_nothing_of_another(pipeline: Pipeline):
    kernel(pipeline, "md/raid1:md1: Disk failure on sdb2, disabling device.")
    degraded(pipeline, "md0")
    assert {str(i.diagnosis.subject) for i in pipeline.incidents.all() if i.state == "open"} == {
        "array/md0",
        "array/md1",
    }


def test_what_the_samples_say_of_an_array_explains_its_own_log_lines(pipeline: Pipeline):
    kernel(pipeline, "md/raid1:md0: active with 1 out of 2 mirrors")
    degraded(pipeline, "md0")
    assert len([i for i in pipeline.incidents.all() if i.state == "open"]) == 1
