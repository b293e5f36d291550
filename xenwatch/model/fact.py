"""Something known about the host that is not a number over time: a bridge exists, an LV is open."""

from dataclasses import dataclass

from xenwatch.model.subject import Subject

FactValue = str | int | float | bool | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fact:
    """`name` is dotted, unit last (`memory.free_bytes`, `bridge.names`); docs/facts.md lists them."""

    name: str
    subject: Subject
    value: FactValue
    at: float
    origin: str = ""
    """Where it was learnt: a command (`xl info`) or a file and line of a bundle."""
