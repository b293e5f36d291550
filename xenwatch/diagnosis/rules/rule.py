"""A known failure as data: what a rule file says once it has been read and checked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from xenwatch.model.diagnosis import Depth, Severity
from xenwatch.model.fact import FactValue

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
    """A fact satisfies `check`; `missing_holds` says what an unknown fact counts as."""

    fact: str
    check: str
    missing_holds: bool = True


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
    """Templates of the subject's name; the first whose fields were all captured is used."""
    explains: tuple[str, ...] = ()
    reach: Literal["subject", "host"] = "subject"
    window: float = 120.0
    impact: str = ""
    cause: str = ""
    verify: tuple[str, ...] = ()
    remedy: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    resolve: Resolve = field(default_factory=Resolve)
    references: tuple[str, ...] = ()
    look: tuple[Look, ...] = ()
    tests: tuple[RuleTest, ...] = ()
    noise: str | None = None
    """Why lines of this rule are harmless: it keeps other rules and the list of unknown errors quiet."""
    fallback: bool = False
    """It knows a message only by the part of Xen that prints it, and is quiet where another rule knows the record."""
    lines: Mapping[str, int] = field(default_factory=dict)
    """Line of each key of the file, by dotted path, for messages."""
