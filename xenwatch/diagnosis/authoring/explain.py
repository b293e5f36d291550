"""Why a rule did or did not speak: what each signature met in a log, and how each condition stands."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from xenwatch.diagnosis.correlation.conditions import Outcome
from xenwatch.diagnosis.correlation.engine import subject_key
from xenwatch.diagnosis.matching.literals import literals
from xenwatch.diagnosis.matching.log_scope import seen_in
from xenwatch.diagnosis.matching.record_text import text_of
from xenwatch.diagnosis.pipeline import Pipeline
from xenwatch.diagnosis.rules.expressions import holds
from xenwatch.diagnosis.rules.patterns import compiled
from xenwatch.diagnosis.rules.rule import Rule, Signature
from xenwatch.model.diagnosis import Diagnosis
from xenwatch.model.event import Event
from xenwatch.model.record import Chunk
from xenwatch.model.subject import HOST, Subject

MOST_SHOWN = 3
_NO_END = float("inf")


@dataclass(slots=True)
class SignatureStory:
    """What one signature met. `near` are lines that hold its literal text and that it does not match."""

    signature: Signature
    unseen_in: set[str] = field(default_factory=set)
    matched: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    near: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Explanation:
    """`outcomes` says for each subject how the conditions stand; `hushed` names quiet rules that matched."""

    rule: Rule
    signatures: tuple[SignatureStory, ...]
    outcomes: tuple[tuple[Subject, Outcome], ...]
    diagnoses: tuple[Diagnosis, ...]
    hushed: tuple[str, ...]


def explain(rule: Rule, pipeline: Pipeline, rules: Sequence[Rule], chunks: Iterable[Chunk]) -> Explanation:
    """Read the logs with all rules, through a new `pipeline` over them, and say what became of this one."""
    stories = tuple(SignatureStory(signature) for signature in rule.signatures)
    events: dict[str, tuple[Subject, Event]] = {}
    last = 0.0
    for chunk in chunks:
        pipeline.read(chunk)
        for story in stories:
            _meet(story, chunk)
    for event in pipeline.held:
        last = max(last, event.at)
        if event.rule == rule.id:
            subject = pipeline.scanner.registry.complete(event.subject, event.at)
            events[subject_key(event.subject)] = subject, event
    diagnoses = tuple(d for d in pipeline.diagnose(_NO_END) if d.rule == rule.id)
    asked: list[tuple[Subject, Event | None]] = [*events.values()] or [(HOST, None)]
    outcome = pipeline.engine.outcome
    outcomes = () if rule.noise else tuple((subject, outcome(rule.id, subject, last, e)) for subject, e in asked)
    quiet = tuple(r.id for r in rules if r.noise and r.id != rule.id and pipeline.scanner.matches[r.id])
    return Explanation(rule, stories, outcomes, diagnoses, quiet)


def _meet(story: SignatureStory, chunk: Chunk) -> None:
    format_ = chunk.source.format
    if not seen_in(story.signature, format_):
        story.unseen_in.add(format_.name)
    wanted = literals(story.signature.regex)
    lowered = chunk.data.lower()
    for literal in wanted:
        at = lowered.find(literal)
        while at >= 0:
            start, end = format_.bounds(chunk.data, at)
            _judge(story, chunk, start, end)
            at = lowered.find(literal, max(end, at + 1))


def _judge(story: SignatureStory, chunk: Chunk, start: int, end: int) -> None:
    text = text_of(chunk.data[start:end])
    message = text[chunk.source.format.parse(text, chunk.hint).length :]
    found = compiled(story.signature.regex).search(message)
    if found is None:
        kept, shown = story.near, message
    else:
        fields = {name: value for name, value in found.groupdict().items() if value is not None}
        where = story.signature.where
        fits = where is None or holds(where, {"fields": fields})
        kept, shown = (story.matched if fits else story.refused), f"{message}\n{fields}"
    if len(kept) < MOST_SHOWN:
        kept.append(f"{chunk.source.path}: {shown}")
