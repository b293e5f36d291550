"""The same text gives the same incidents whether it is followed, or read from a folder, an archive or standard input.

Every recording of a real host, every sample log and, where the corpus of real incidents lies beside the checkout, every
case of it is read in these ways; events, owners of the logs, facts and incidents must be equal.
"""

import io
import os
import shutil
import sys
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import pytest

from xenwatch.base.clock import ManualClock
from xenwatch.base.retyped import as_written
from xenwatch.diagnosis.authoring.testing import RuleTestBench
from xenwatch.diagnosis.pipeline import Pipeline
from xenwatch.diagnosis.rules.loader import parse_rule
from xenwatch.diagnosis.rules.rule import GivenLine, Rule
from xenwatch.diagnosis.ruleset import cache_folder, rules_with
from xenwatch.logs.follow import Follower
from xenwatch.logs.format import all_formats, recognise
from xenwatch.logs.owner import DeviceModels
from xenwatch.logs.unwrapped import unwrapped
from xenwatch.model.event import Event
from xenwatch.model.fact import Fact
from xenwatch.model.incident import Incident
from xenwatch.model.record import Chunk, LogRecord, Source
from xenwatch.triage.bundle.reader import STDIN, Bundle
from xenwatch.triage.diagnose import BundleReading

ROOT = Path(__file__).parents[2]
CORPUS = Path(os.environ.get("XENWATCH_CORPUS", ROOT.parent / "shared/corpus"))
NOW = 1_790_000_000.0
"""When everything was collected: undated lines are dated by it."""
NO_END = float("inf")


class Outcome(NamedTuple):
    """What one way of reading gives, without what may differ: the folder that the logs lay in."""

    events: list[str]
    facts: list[str]
    incidents: list[str]


def cases() -> Iterator[Path]:
    for pattern in ("tests/recordings/*/log", "tests/logs/*"):
        yield from sorted(folder for folder in ROOT.glob(pattern) if folder.is_dir())
    yield from sorted(CORPUS.glob("*/logs"))


def called(folder: Path) -> str:
    return folder.parent.name if folder.name in ("log", "logs") else folder.name


@pytest.fixture(scope="module")
def rules() -> Sequence[Rule]:
    return rules_with((), cache_folder())


@pytest.fixture
def logs(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A copy of the case, all of it written at one moment, with a newline at every end: a follower waits for it."""
    copy = shutil.copytree(request.param, tmp_path / "logs")
    for path in copy.rglob("*"):
        if path.is_file() and not (data := path.read_bytes()).endswith(b"\n"):
            path.write_bytes(data + b"\n")
    for path in [copy, *copy.rglob("*")]:
        os.utime(path, (NOW, NOW))
    return copy


def is_passed_on(folder: Path) -> bool:
    """Whether a mail program wrapped a text, which is undone in what people send: no program writes its log so."""
    texts = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    return any(unwrapped(text) is not text for text in map(as_written, texts))


@pytest.mark.parametrize("logs", list(cases()), ids=called, indirect=True)
async def test_however_the_logs_are_read_they_say_the_same(
    logs: Path, rules: Sequence[Rule], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from_folder = at_rest(rules, str(logs))
    assert at_rest(rules, archive(logs, tmp_path / "logs.tar.gz")) == from_folder
    if not is_passed_on(logs):
        assert await live(rules, logs) == from_folder
    if (only := only_file(logs)) is not None and same_without_a_name(only):
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(only.read_bytes())))
        assert at_rest(rules, STDIN) == from_folder


DEVICE_MODEL_RULE = """\
id: image-missing
class: disk-image-missing
title: A device model cannot open the image of a disk
severity: error
subject: domain
signatures:
  - streams: [qemu-dm]
    regex: "could not open hard disk image '(?P<path>[^']+)'"
tests:
  - name: xend's two lines, each read by itself, say which domain the log belongs to
    given:
      - {stream: xend, line: "[2012-05-18 20:55:04 xend 1] INFO (image:390) spawning device models: /usr/lib/xen/bin/\
qemu-dm ['/usr/lib/xen/bin/qemu-dm', '-d', '7', '-domain-name', 'win1']"}
      - {stream: xend, line: "[2012-05-18 20:55:04 xend 1] INFO (image:391) device model pid: 4711"}
      - {stream: qemu-dm, file: qemu-dm.4711.log, line: "qemu: could not open hard disk image '/srv/win1.img'"}
    expect: [{subject: domain/win1}]
"""


async def test_a_test_inside_a_rule_gives_the_log_of_a_device_model_the_owner_that_a_folder_does(
    tmp_path: Path,
) -> None:
    rule = parse_rule(DEVICE_MODEL_RULE, Path("image-missing.yaml"))
    (result,) = RuleTestBench((rule,), all_formats(), new_owners=DeviceModels).run((rule,))
    assert result.ok, result.message
    for given in rule.tests[0].given:
        assert isinstance(given, GivenLine)
        with (tmp_path / (given.file or "xend.log")).open("a") as log:
            log.write(given.line + "\n")
    from_folder = at_rest((rule,), str(tmp_path))
    assert "image-missing of domain/win1" in from_folder.incidents[0]
    assert await live((rule,), tmp_path) == from_folder


def only_file(logs: Path) -> Path | None:
    files = [path for path in logs.rglob("*") if path.is_file()]
    return files[0] if len(files) == 1 else None


def same_without_a_name(path: Path) -> bool:
    """Whether content alone says the format and the owner: standard input has no name that could."""
    head = path.read_bytes()[: 64 * 1024]
    named = recognise(str(path), head).format
    source = Source(str(path), named) if named is not None else None
    return named == recognise(STDIN, head).format and (source is None or DeviceModels().owner(source) is None)


def archive(logs: Path, packed: Path) -> str:
    """In an order in which no log comes before those that explain it."""
    with tarfile.open(packed, "w:gz") as tar:
        for path in sorted(logs.rglob("*"), reverse=True):
            tar.add(path, path.relative_to(logs), recursive=False)
    return str(packed)


def at_rest(rules: Sequence[Rule], path: str) -> Outcome:
    bundle = Bundle([path], now=NOW)
    reading = BundleReading(new_pipeline(rules, bundle.device_models))
    facts: list[Fact] = []
    for entry in bundle.entries():
        facts += entry.facts
        reading.read(entry)
    return outcome(reading.pipeline, facts)


async def live(rules: Sequence[Rule], logs: Path) -> Outcome:
    """As the agent follows them; what its collectors would learn of the host is taken from the same files.

    A follower never knows that a log is complete. Here it is, so its last chunk says so: only then are lines that a
    mailer wrapped read as one.
    """
    models = DeviceModels()
    pipeline = new_pipeline(rules, models)
    facts = [fact for entry in Bundle([str(logs)], now=NOW).entries() for fact in entry.facts]
    pipeline.facts(facts)
    outputs = {entry.path for entry in Bundle([str(logs)], now=NOW).entries() if entry.source is None}

    def open_source(path: str, head: bytes) -> Source | None:
        known = None if path in outputs else recognise(path, head).format
        return None if known is None else Source(path, known, models.owner(Source(path, known)))

    def complete(chunk: Chunk) -> None:
        end = Path(chunk.source.path).stat().st_size
        pipeline.read(chunk._replace(final=chunk.position.offset + len(chunk.data) == end))

    patterns = [f"{folder}/*" for folder, _, _ in os.walk(logs)]
    follower = Follower(patterns, complete, open_source, ManualClock(NOW))
    await follower.look()
    follower.close()
    return outcome(pipeline, facts)


def new_pipeline(rules: Sequence[Rule], models: DeviceModels) -> Pipeline:
    return Pipeline(rules, cache=cache_folder(), owners=models, at_rest=True)


def outcome(pipeline: Pipeline, facts: Sequence[Fact]) -> Outcome:
    events = pipeline.held
    pipeline.conclude(NO_END)
    return Outcome(
        sorted(map(event_text, events)),
        sorted(f"{fact.name} of {fact.subject}: {fact.value}" for fact in facts),
        sorted(map(incident_text, pipeline.incidents.all())),
    )


def event_text(event: Event) -> str:
    return f"{event.rule} {event.kind} {event.at} {sorted(event.fields.items())} {record_text(event.record)}"


def incident_text(incident: Incident) -> str:
    diagnosis = incident.diagnosis
    evidence = sorted(record_text(e.origin) for e in diagnosis.evidence if isinstance(e.origin, LogRecord))
    role = f"because of {incident.explained_by}" if incident.explained_by else "a cause"
    return f"{incident.id} {diagnosis.rule} of {diagnosis.subject}, {role}: {diagnosis.cause} {evidence}"


def record_text(record: LogRecord | None) -> str:
    if record is None:
        return ""
    return f"{record.source.format.name}:{record.position.offset} {record.logged} {record.guest} {record.text}"
