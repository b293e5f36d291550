"""Runs the tests inside rule files through the one pipeline, by a clock that the test moves."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from xenwatch.diagnosis.correlation.engine import subject_key
from xenwatch.diagnosis.matching.prefilter import PrefilterName
from xenwatch.diagnosis.pipeline import LogOwners, Pipeline
from xenwatch.diagnosis.rules.rule import Expected, GivenAdvance, GivenFact, GivenLine, GivenSample, Rule, RuleTest
from xenwatch.model.diagnosis import Diagnosis
from xenwatch.model.fact import Fact
from xenwatch.model.record import Chunk, LogFormat, Position, Source, TimeHint
from xenwatch.model.sample import Metric, Sample, Snapshot
from xenwatch.model.subject import Subject, subject_from_text

START = 1_700_000_000.0
_NO_END = float("inf")


@dataclass(frozen=True, slots=True)
class RuleTestResult:
    """How one test went; `message` says what came instead of what was expected."""

    rule: Rule
    test: RuleTest
    ok: bool
    message: str = ""

    def __str__(self) -> str:
        place = f"{self.rule.file}:{self.test.line}"
        return f"{place}: {self.test.name}: {'ok' if self.ok else self.message}"


class RuleTestBench:
    """All rules together, as in the field: a test of one may need another's events, or be hushed by a quiet rule."""

    def __init__(
        self,
        rules: Sequence[Rule],
        formats: Mapping[str, LogFormat],
        prefilter: PrefilterName = "auto",
        *,
        cache: Path | None = None,
        new_owners: Callable[[], LogOwners],
    ) -> None:
        """`new_owners` makes, for each test, what learns which domain a log belongs to."""
        self._formats, self._owners = formats, _Owners(new_owners)
        self._pipeline = Pipeline(rules, prefilter=prefilter, cache=cache, owners=self._owners, at_rest=True)
        self._fresh = self._pipeline.state()

    def run(self, rules: Iterable[Rule]) -> Iterator[RuleTestResult]:
        """The result of every test of these rules."""
        for rule in rules:
            for test in rule.tests:
                yield self._result(rule, test)

    def diagnoses(self, test: RuleTest) -> list[Diagnosis]:
        """What all rules say to the story of a test. Raises ValueError where it names an unknown format."""
        self._owners.forget()
        self._pipeline.restore(self._fresh, ())
        return _Story(self._pipeline, self._owners, self._formats).diagnoses(test)

    def recognised(self, rule: Rule, test: RuleTest) -> bool:
        """Whether a signature of the rule matched in the story, whatever came of it: how a quiet rule shows itself."""
        before = self._pipeline.scanner.matches[rule.id]
        self.diagnoses(test)
        return self._pipeline.scanner.matches[rule.id] > before

    def _result(self, rule: Rule, test: RuleTest) -> RuleTestResult:
        try:
            by_subject = {subject_key(d.subject): d for d in self.diagnoses(test) if d.rule == rule.id}
        except ValueError as error:
            return RuleTestResult(rule, test, ok=False, message=str(error))
        message = _difference(test.expect, list(by_subject.values()))
        return RuleTestResult(rule, test, ok=not message, message=message)


class _Owners:
    """The owners of one test's logs: the next test starts with none."""

    def __init__(self, new_owners: Callable[[], LogOwners]) -> None:
        self._new, self._current = new_owners, new_owners()

    def forget(self) -> None:
        self._current = self._new()

    def learn(self, chunk: Chunk) -> None:
        self._current.learn(chunk)

    def owner(self, source: Source, of_one_host: Callable[[Source, Source], bool]) -> Subject | None:
        return self._current.owner(source, of_one_host)


class _Story:
    def __init__(self, pipeline: Pipeline, owners: LogOwners, formats: Mapping[str, LogFormat]) -> None:
        self._pipeline, self._owners, self._formats = pipeline, owners, formats
        self._offsets: dict[str, int] = {}
        self._standing: dict[tuple[Metric, tuple[str, ...]], Sample] = {}
        self._now = START

    def diagnoses(self, test: RuleTest) -> list[Diagnosis]:
        last = {_path(g): index for index, g in enumerate(test.given) if isinstance(g, GivenLine)}
        self._pipeline.facts(self._fact(g) for g in test.given if isinstance(g, GivenFact))
        diagnoses = self._pipeline.diagnose(self._now)
        for index, given in enumerate(test.given):
            if isinstance(given, GivenLine):
                diagnoses += self._line(given, final=last[_path(given)] == index)
            elif isinstance(given, GivenSample):
                diagnoses += self._sample(given)
            elif isinstance(given, GivenAdvance):
                self._now += given.seconds
                diagnoses += self._pipeline.engine.tick(self._now)
        return diagnoses

    def _line(self, given: GivenLine, *, final: bool) -> list[Diagnosis]:
        format_ = self._formats.get(given.stream)
        if format_ is None:
            raise ValueError(f"no log format is called {given.stream!r}; known are {', '.join(sorted(self._formats))}")
        path, data = _path(given), given.line.rstrip("\n").encode() + b"\n"
        self._now = START + given.at if given.at is not None else self._now
        hint = TimeHint(self._now)
        offset = self._offsets.get(path, 0)
        self._offsets[path] = offset + len(data)
        source = Source(path, format_)
        source = replace(source, subject=self._owners.owner(source, _on_the_host))
        self._pipeline.read(Chunk(source, data, Position(path, offset), hint, final))
        diagnoses = self._pipeline.diagnose(_NO_END)
        logged = format_.parse(given.line, hint).at
        self._now = max([logged if logged is not None else self._now, *(d.at for d in diagnoses)])
        return diagnoses

    def _sample(self, given: GivenSample) -> list[Diagnosis]:
        self._now = START + given.at if given.at is not None else self._now
        metric = Metric(given.metric, "gauge", given.metric, tuple(given.labels))
        sample = Sample(metric, tuple(given.labels.values()), given.value)
        self._standing[metric, sample.labels] = sample
        self._pipeline.snapshot(Snapshot(self._now, tuple(self._standing.values())))
        return self._pipeline.diagnose(self._now)

    def _fact(self, given: GivenFact) -> Fact:
        subject = subject_from_text(given.subject)
        if subject is None:
            raise ValueError(f"{given.subject!r} is not a subject; write kind/name, such as domain/web")
        return Fact(given.fact, subject, given.value, self._now, "test")


def _path(given: GivenLine) -> str:
    return given.file or f"{given.stream}.log"


def _difference(expected: Sequence[Expected], found: list[Diagnosis]) -> str:
    """Empty where each expected incident is there and no other."""
    rest = list(found)
    for want in expected:
        fit = next((d for d in rest if not _mismatch(want, d)), None)
        if fit is not None:
            rest.remove(fit)
            continue
        near = "; ".join(f"{d.subject} has {_mismatch(want, d)}" for d in rest)
        return f"expected {_shown(want)}, but {near or 'nothing fired'}"
    return f"fired unexpectedly: {'; '.join(f'{d.subject} {dict(d.fields)}' for d in rest)}" if rest else ""


def _mismatch(want: Expected, found: Diagnosis) -> str:
    if want.subject is not None and want.subject != str(found.subject):
        return "another subject"
    if want.severity is not None and want.severity != found.severity:
        return f"severity {found.severity}"
    if want.class_ is not None and want.class_ != found.class_:
        return f"class {found.class_}"
    wrong = {name: found.fields.get(name) for name, value in want.fields.items() if found.fields.get(name) != value}
    if wrong:
        return f"fields {wrong}"
    summaries = [evidence.summary for evidence in found.evidence]
    missed = [text for text in want.says if not any(text in line for line in summaries)]
    missed += [text for text in want.unchecked if not any(text in line for line in found.unchecked)]
    missed += [text for text in want.cause if text not in " ".join(found.cause.split())]
    return f"not said {missed}, but {[*summaries, *found.unchecked, found.cause]}" if missed else ""


def _shown(want: Expected) -> str:
    return f"{want.subject or 'an incident'}{f' with {dict(want.fields)}' if want.fields else ''}"


def _on_the_host(_one: Source, _other: Source) -> bool:
    """A test is about one host."""
    return True
