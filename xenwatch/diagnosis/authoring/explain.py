"""Why a rule did or did not speak: what each signature met in a log, and how each condition stands."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from xenwatch.diagnosis.correlation.conditions import Outcome
from xenwatch.diagnosis.correlation.engine import CorrelationEngine, subject_key
from xenwatch.diagnosis.matching.literals import literals
from xenwatch.diagnosis.matching.log_scope import seen_in
from xenwatch.diagnosis.matching.record_reader import text_of
from xenwatch.diagnosis.matching.scanner import Scanner
from xenwatch.diagnosis.rules.expressions import holds
from xenwatch.diagnosis.rules.patterns import compiled
from xenwatch.diagnosis.rules.rule import Rule, Signature
from xenwatch.model.diagnosis import Diagnosis
from xenwatch.model.event import Event
from xenwatch.model.record import Chunk
from xenwatch.model.subject import HOST, Subject

MOST_SHOWN = 3


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


def explain(rule: Rule, rules: Sequence[Rule], chunks: Iterable[Chunk]) -> Explanation:
    """Read the logs with all rules, and say what became of this one."""
    scanner = Scanner(rules)
    engine = CorrelationEngine(rules, scanner.registry)
    stories = tuple(SignatureStory(signature) for signature in rule.signatures)
    events: list[Event] = []
    for chunk in chunks:
        events += scanner.feed(chunk)
        for story in stories:
            _meet(story, chunk)
    last = max((event.at for event in events), default=0.0)
    diagnoses = tuple(d for d in engine.observe(events, now=last) if d.rule == rule.id)
    kinds = {s.event for s in rule.signatures}
    told = {subject_key(e.subject): (scanner.registry.complete(e.subject, e.at), e) for e in events if e.kind in kinds}
    asked: list[tuple[Subject, Event | None]] = [*told.values()] or [(HOST, None)]
    outcomes = () if rule.noise else tuple((whose, engine.outcome(rule.id, whose, last, e)) for whose, e in asked)
    quiet = tuple(r.id for r in rules if r.noise and r.id != rule.id and scanner.matches[r.id])
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
