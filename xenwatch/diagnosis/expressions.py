"""CEL, the closed language of `where` and `check`: compiled once, and never an eval."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import cel

VARIABLES = frozenset({"fields", "value", "subject"})
"""What an expression may speak of: captured fields (texts), the value checked, the subject's `kind` and `name`."""


def check_expression(text: str) -> None:
    """ValueError, in words for the rule's author, where `text` cannot be used."""
    try:
        program = cel.compile(text)
    except ValueError as error:
        raise ValueError(f"not a CEL expression: {_first_line(error)}") from None
    unknown = sorted(set(program.variables()) - VARIABLES)
    if unknown:
        known = ", ".join(sorted(VARIABLES))
        raise ValueError(f"CEL expression speaks of {', '.join(unknown)}; known are {known}")


def holds(text: str, values: Mapping[str, Any]) -> bool | None:
    """True or false as the expression says; None where it cannot be told (a field that was not captured, no number)."""
    try:
        return bool(_program(text).execute(dict(values)))
    except (KeyError, TypeError, ValueError, RuntimeError, ArithmeticError):
        return None


@lru_cache(maxsize=4096)
def _program(text: str) -> Any:
    return cel.compile(text)


def _first_line(error: ValueError) -> str:
    lines = str(error).splitlines()
    return lines[0].split("ERROR: ", 1)[-1] if lines else "empty"
