"""What xenwatch answers to a line alone: nothing, something general, or an incident that says what to do."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from message import Line

from xenwatch.diagnosis.pipeline import Pipeline
from xenwatch.diagnosis.rules.rule import Rule
from xenwatch.model.record import Chunk, LogFormat, Position, Source, TimeHint

Kind = Literal["named", "specific", "general", "unknown"]
"""Named: with a class; specific: a rule of its own, though the reason is elsewhere; general: a fallback."""
_START = 1_700_000_000.0


@dataclass(frozen=True, slots=True)
class Answer:
    """How much is known of a line, and by which rules."""

    kind: Kind
    rules: tuple[str, ...]


class Answers:
    """The one pipeline with all rules; each line finds it as it was at the start."""

    def __init__(self, rules: Sequence[Rule], formats: dict[str, LogFormat]) -> None:
        self._formats = formats
        self._rules = {rule.id: rule for rule in rules}
        self._quiet = [rule.id for rule in rules if rule.noise]
        self._pipeline = Pipeline(rules, at_rest=True)
        self._fresh = self._pipeline.state()

    def to(self, line: Line) -> Answer:
        """The best answer to it. Of a line that is known to be harmless nothing more is to be said."""
        pipeline, data = self._pipeline, line.text.encode() + b"\n"
        pipeline.restore(self._fresh, ())
        before = {name: pipeline.scanner.matches[name] for name in self._quiet}
        source = Source(f"{line.stream}.log", self._formats[line.stream])
        pipeline.read(Chunk(source, data, Position(source.path, 0), TimeHint(_START), final=True))
        found = pipeline.diagnose(float("inf"))
        quiet = tuple(name for name in self._quiet if pipeline.scanner.matches[name] > before[name])
        rules = (*quiet, *(d.rule for d in found))
        own = [d.class_ for d in found if not self._rules[d.rule].fallback]
        if quiet or any(class_ != "unknown" for class_ in own):
            return Answer("named", rules)
        return Answer("specific" if own else "general" if found else "unknown", rules)
