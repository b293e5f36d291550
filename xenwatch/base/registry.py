"""Finds parts: one module a part, one constant of the known name and type in each. No list is shared."""

import importlib
import pkgutil
from types import ModuleType
from typing import TypeVar

from xenwatch.base.errors import XenwatchError

T = TypeVar("T")


def load_parts(package: ModuleType, constant: str, kind: type[T]) -> dict[str, T]:
    """Every module of `package` (not its sub-packages), by module name, with its `constant`.

    A module with a name that starts with `_` is private to the package and is passed over.
    Raises XenwatchError, naming all offenders, where the constant is missing or of another type.
    """
    parts: dict[str, T] = {}
    wrong: list[str] = []
    for info in pkgutil.iter_modules(package.__path__):
        if info.ispkg or info.name.startswith("_"):
            continue
        module = importlib.import_module(f"{package.__name__}.{info.name}")
        part = getattr(module, constant, None)
        if isinstance(part, kind):
            parts[info.name] = part
        else:
            wrong.append(f"{module.__name__} must define {constant}: {kind.__name__}")
    if wrong:
        raise XenwatchError("; ".join(wrong))
    return dict(sorted(parts.items()))
