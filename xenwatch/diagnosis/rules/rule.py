"""A known failure as data: what a rule file says once it has been read and checked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from xenwatch.base import lazy_re as re
from xenwatch.model.diagnosis import Depth, Severity
from xenwatch.model.fact import FactValue

_FACT = re.compile(r"""\bfacts\[["']([\w.]+)["']\]""")

Status = Literal["experimental", "stable"]
"""An experimental rule is never critical, offers no action and starts no remediation; reports mark what it says."""


@dataclass(frozen=True, slots=True)
class Signature:
    """Text that means something: `regex` is searched in the message of one record and gives an event."""

    event: str
    regex: str
    streams: tuple[str, ...] = ()
    """Formats it is looked for in; empty: every host-written one."""
    where: str | None = None
    exception: bool = False
    """The record holds an exception: its parts become fields."""
    template: str = ""
    versions: str = ""
    source: str = ""
    line: int = 0
    """Of the rule file, for messages about it."""


@dataclass(frozen=True, slots=True)
class EventCondition:
    """Such an event came for the subject."""

    event: str
    where: str | None = None


@dataclass(frozen=True, slots=True)
class CountCondition:
    """At least that many such events within the time, by subject or by the fields named."""

    event: str
    at_least: int
    within: float
    by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SequenceCondition:
    """These events came in this order within the time."""

    events: tuple[str, ...]
    within: float


@dataclass(frozen=True, slots=True)
class AbsentCondition:
    """`after` came, and `expect` did not follow within the time."""

    after: str
    expect: str
    within: float


@dataclass(frozen=True, slots=True)
class MetricCondition:
    """A sample of the metric (or its increase a second over `rate` seconds) satisfies `check` for `hold` seconds."""

    metric: str
    check: str
    labels: Mapping[str, str] = field(default_factory=dict)
    hold: float = 0.0
    rate: float | None = None


@dataclass(frozen=True, slots=True)
class FactCondition:
    """A fact satisfies `check`; `missing_holds` says what an unknown fact counts as.

    `check` and `compute` may use further facts, of the subject or the host (`facts["bridge.names"]`), and of the
    other subjects of this kind that share this value of the fact or one element of it (`others`, their names).
    """

    fact: str
    check: str
    missing_holds: bool = True
    compute: Mapping[str, str] = field(default_factory=dict)
    """Fields for the rule's words, each a CEL expression over the same."""

    @property
    def further_facts(self) -> tuple[str, ...]:
        """Names of the other facts that the expressions use."""
        return tuple(sorted({name for text in (self.check, *self.compute.values()) for name in _FACT.findall(text)}))

    @property
    def compares(self) -> bool:
        """Whether the expressions use other subjects."""
        return any("others" in text for text in (self.check, *self.compute.values()))


@dataclass(frozen=True, slots=True)
class Look:
    """A fact that is told with the diagnosis where `check` holds; it never decides whether the diagnosis is made."""

    fact: str
    says: str
    """Words with `{field}` and `{value}`; sizes (`_bytes`) are written for people."""
    of: str | None = None
    """The subject of the fact, `vg/{vg}`; None: the rule's subject, else the host."""
    check: str | None = None
    compute: Mapping[str, str] = field(default_factory=dict)
    """Further fields, each a CEL expression over `value` and `fields`."""
    decides: str | None = None
    """The class of the diagnosis where `check` holds, unless a hypothesis before it is supported."""


@dataclass(frozen=True, slots=True)
class AllOf:
    """Each of them holds."""

    parts: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one of them holds."""

    parts: tuple["Condition", ...]


Condition = (
    EventCondition
    | CountCondition
    | SequenceCondition
    | AbsentCondition
    | MetricCondition
    | FactCondition
    | AllOf
    | AnyOf
)


def part_of_facts(condition: Condition) -> Condition | None:
    """What of the condition can hold by facts alone, without a line or a number; None where nothing can."""
    match condition:
        case FactCondition():
            return condition
        case AnyOf(parts):
            able = tuple(part for inner in parts if (part := part_of_facts(inner)) is not None)
            return AnyOf(able) if able else None
        case AllOf(parts):
            each = [part_of_facts(part) for part in parts]
            return condition if all(mine == part for mine, part in zip(each, parts, strict=True)) else None
    return None


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """What may be behind a symptom. It is supported where `where` and `when` hold, as far as they are given."""

    class_: str
    cause: str = ""
    """Empty: the rule's own cause stands."""
    tell: str = ""
    """How a person finds out, for the list of what was not checked."""
    where: str | None = None
    """CEL over the captured fields and the names of the numbers among them."""
    when: Condition | None = None


@dataclass(frozen=True, slots=True)
class GivenLine:
    """A record, or several, of one format. `at` is seconds after the test's start; None: now."""

    stream: str
    line: str
    at: float | None = None
    file: str | None = None


@dataclass(frozen=True, slots=True)
class GivenFact:
    """Something known about the host when the test runs."""

    fact: str
    value: FactValue
    subject: str = "host/dom0"


@dataclass(frozen=True, slots=True)
class GivenSample:
    """One number of a sampling cycle."""

    metric: str
    value: float
    labels: Mapping[str, str] = field(default_factory=dict)
    at: float | None = None


@dataclass(frozen=True, slots=True)
class GivenAdvance:
    """Time passes."""

    seconds: float


Given = GivenLine | GivenFact | GivenSample | GivenAdvance


@dataclass(frozen=True, slots=True)
class Expected:
    """An incident of the rule under test; what is None or left out is not compared."""

    subject: str | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    severity: Severity | None = None
    says: tuple[str, ...] = ()
    """Each stands in a line of the evidence."""
    unchecked: tuple[str, ...] = ()
    """Each stands in what could not be checked."""
    class_: str | None = None
    cause: tuple[str, ...] = ()
    """Each stands in the cause."""


@dataclass(frozen=True, slots=True)
class RuleTest:
    """A story and the incidents of this rule that it must give: none at all in a quiet test."""

    name: str
    """As written, or derived from what is given and expected."""
    given: tuple[Given, ...]
    expect: tuple[Expected, ...]
    line: int = 0


@dataclass(frozen=True, slots=True)
class Resolve:
    """When the trouble counts as over: nothing of it for so long, or one of these events for its subject."""

    quiet_for: float = 1800.0
    on: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """One known failure. Words may hold `{field}` places that captured fields fill."""

    id: str
    class_: str
    title: str
    severity: Severity
    status: Status
    depth: Depth
    subject: str
    signatures: tuple[Signature, ...]
    when: Condition
    file: Path
    aliases: tuple[str, ...] = ()
    """Ids that it had before: whatever still names one of them means this rule."""
    subject_name: tuple[str, ...] = ()
    """Templates of the subject's name; the first with only captured fields is used."""
    unknown_kernel: str = ""
    """The title where nobody can tell whether dom0's kernel or a guest's wrote the line; empty: the same."""
    explains: tuple[str, ...] = ()
    reach: Literal["subject", "host"] = "subject"
    phase: str | None = None
    """The phase of an operation to which it belongs; None: that of the part of Xen that wrote the line."""
    window: float = 120.0
    impact: str = ""
    cause: str = ""
    verify: tuple[str, ...] = ()
    remedy: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    resolve: Resolve = field(default_factory=Resolve)
    references: tuple[str, ...] = ()
    look: tuple[Look, ...] = ()
    hypotheses: tuple[Hypothesis, ...] = ()
    """In order: the first that something supports gives class and cause; else the rule's own class stands."""
    tests: tuple[RuleTest, ...] = ()
    noise: str | None = None
    """Why lines of this rule are harmless: it keeps other rules and the list of unknown errors quiet."""
    fallback: bool = False
    """It knows a message only by the part of Xen that prints it, and is quiet where another rule knows the record."""
    lines: Mapping[str, int] = field(default_factory=dict)
    """Line of each key of the file, by dotted path, for messages."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Every class that its diagnoses may have, its own first."""
        decided = [h.class_ for h in self.hypotheses] + [look.decides for look in self.look if look.decides]
        return tuple(dict.fromkeys([self.class_, *decided]))
