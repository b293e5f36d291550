"""CEL, the closed language of `where` and `check`: compiled once, and never an eval."""

from collections.abc import Mapping
from functools import cache, lru_cache
from importlib.machinery import PathFinder
from importlib.util import find_spec, module_from_spec
from typing import Any

from xenwatch.base import lazy_re as re
from xenwatch.model.numbers import number_fields

_BOUND = re.compile(r"\.(?:all|exists|exists_one|filter|map)\(\s*(\w+)\s*,")
"""Names that CEL's macros bring with them: `value.exists(name, …)`."""

VARIABLES = frozenset(
    {"fields", "value", "subject", "kernel", "event", "facts", "others", "operation", "device", "guest"}
)
"""What an expression may use: captured fields (texts), the value checked, the subject's `kind` and `name`,
`kernel.role` of the line (dom0, guest, driver, unknown), its `device.kind`, `guest.phase`, the `verb`, `target` and
`phase` of the operation, in a hypothesis the name of the event; in the condition of a fact, further facts by name, and
the names of the other subjects that have the same value."""


def check_expression(text: str) -> None:
    """ValueError, in words for the rule's author, where `text` cannot be used."""
    try:
        program = _cel().compile(text)
    except ValueError as error:
        raise ValueError(f"not a CEL expression: {_first_line(error)}") from None
    unknown = sorted(set(program.variables()) - VARIABLES - set(_BOUND.findall(text)))
    if unknown:
        names = ", ".join(sorted(VARIABLES))
        raise ValueError(f"the CEL expression uses {', '.join(unknown)}; it can use {names}")


def holds(text: str, values: Mapping[str, Any]) -> bool | None:
    """True or false as the expression says; None where it cannot be told (a field that was not captured, no number)."""
    key = _of_a_line(text, values)
    if key is None:
        return _holds(text, values)
    if key not in _known:
        if len(_known) >= _MOST_KNOWN:
            _known.clear()
        _known[key] = _holds(text, values)
    return _known[key]


def number_holds(check: str, value: float, labels: Mapping[str, str]) -> bool | None:
    """The same of a number and its labels: most checks look at the number alone, and many guests have the same."""
    return holds(check, {"value": value, "fields": dict(labels)}) if "fields" in check else _satisfied(check, value)


@lru_cache(maxsize=4096)
def _satisfied(check: str, value: float) -> bool | None:
    return _holds(check, {"value": value, "fields": {}})


def _holds(text: str, values: Mapping[str, Any]) -> bool | None:
    try:
        return bool(_program(text).execute(_with_names(text, values)))
    except (KeyError, TypeError, ValueError, RuntimeError, ArithmeticError):
        return None


_known: dict[tuple[Any, ...], bool | None] = {}
"""What expressions said of captured fields: a log says the same again and again, and to ask is slow."""
_MOST_KNOWN = 4096
_LONGEST_KNOWN = 2000


def _of_a_line(text: str, values: Mapping[str, Any]) -> tuple[Any, ...] | None:
    """What the answer depends on, where that is what a line said; None where it is more."""
    if len(values) != 2 or "fields" not in values or not ("event" in values or "kernel" in values):  # noqa: PLR2004
        return None
    fields = values["fields"]
    if sum(map(len, fields.values())) > _LONGEST_KNOWN:
        return None
    return text, values.get("event"), values.get("kernel", {}).get("role"), tuple(fields.items())


def computed(text: str, values: Mapping[str, Any]) -> str | None:
    """The result in words, a whole number without a fraction; None where it cannot be told."""
    try:
        result = _program(text).execute(_with_names(text, values))
    except (KeyError, TypeError, ValueError, RuntimeError, ArithmeticError):
        return None
    return str(int(result)) if isinstance(result, float) and result.is_integer() else str(result)


def _with_names(text: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values, with the names of the numbers among the fields (`fields.errno_name`) where the text asks for one."""
    fields = values.get("fields")
    if not fields or "_name" not in text:
        return dict(values)
    return {**values, "fields": {**number_fields(fields), **fields}}


@cache
def _cel() -> Any:
    """The compiled module alone: its package also imports a console (prompt_toolkit, rich, typer: 0.4 s and 20 MB)."""
    package = find_spec("cel")
    spec = PathFinder.find_spec("cel.cel", package.submodule_search_locations) if package else None
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError("No module named 'cel'; install common-expression-language")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@lru_cache(maxsize=4096)
def _program(text: str) -> Any:
    return _cel().compile(text)


def _first_line(error: ValueError) -> str:
    lines = str(error).splitlines()
    return lines[0].split("ERROR: ", 1)[-1] if lines else "empty"
