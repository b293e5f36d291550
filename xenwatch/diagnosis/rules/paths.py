"""Which files are rule files; apart from what reads them, since the kept library needs no YAML."""

from collections.abc import Iterable
from pathlib import Path


def rule_files(paths: Iterable[Path]) -> list[Path]:
    """The `.yaml` files at and under `paths`, in a stable order."""
    found: set[Path] = set()
    for path in paths:
        found.update(p for p in path.rglob("*.yaml") if p.is_file()) if path.is_dir() else found.add(path)
    return sorted(found)
