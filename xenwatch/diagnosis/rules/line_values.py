"""What an expression of a rule may ask about a line besides its fields: whose kernel, which device, which phase."""

from collections.abc import Callable, Mapping
from typing import Any

from xenwatch.diagnosis.operations.devices import device_kind
from xenwatch.diagnosis.operations.guest_phases import guest_phase
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
