"""What an expression of a rule may ask about a line besides its fields: which kernel, device and phase."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from xenwatch.diagnosis.operations.devices import device_kind
from xenwatch.diagnosis.operations.guest_phases import guest_phase
from xenwatch.diagnosis.rules.rule import AllOf, AnyOf, Condition, EventCondition, Rule
from xenwatch.model.event import Event

UNKNOWN = "unknown"
"""What is asked for and not said is this word, so that an expression can name it."""


def line_values(text: str, fields: Mapping[str, str], writer: str, asked: str) -> dict[str, Any]:
    """For the `where` of a signature: what the line says by itself. `asked` is the expression: most ask for little."""
    values: dict[str, Any] = {"fields": dict(fields), "kernel": {"role": writer}}
    about: dict[str, Callable[[], str | None]] = {
        "device.kind": lambda: device_kind(text),
        "guest.phase": lambda: guest_phase(text),
    }
    for name, tell in about.items():
        if name in asked:
            thing, _, key = name.partition(".")
            values[thing] = {key: tell() or UNKNOWN}
    return values


def event_values(event: Event, fields: Mapping[str, str], asked: str) -> dict[str, Any]:
    """For conditions and hypotheses, once the event is placed in an operation."""
    text, writer = (event.record.text, event.record.writer) if event.record else ("", UNKNOWN)
    operation = {"verb": event.verb, "target": event.target, "phase": event.phase}
    return {
        **line_values(text, {**fields, **event.fields}, writer, asked),
        "operation": {name: value or UNKNOWN for name, value in operation.items()},
        "guest": {"phase": event.guest_phase or UNKNOWN},
    }


def expressions(rule: Rule) -> tuple[str, ...]:
    """What a rule asks about events once they are placed: the `where` of its conditions and hypotheses."""
    asked = list(_asked(rule.when))
    for hypothesis in rule.hypotheses:
        asked += [hypothesis.where, *_asked(hypothesis.when)]
    return tuple(expression for expression in asked if expression)


def _asked(condition: Condition | None) -> Iterator[str | None]:
    match condition:
        case AllOf(parts) | AnyOf(parts):
            for part in parts:
                yield from _asked(part)
        case EventCondition(where=where):
            yield where
