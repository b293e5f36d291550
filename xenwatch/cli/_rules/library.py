"""What every word of `xenwatch rules` starts from: the rules to work on, the dialects, where caches lie."""

import os
from collections.abc import Mapping
from importlib import resources
from pathlib import Path

import xenwatch
import xenwatch.logs.formats
from xenwatch.base.errors import InputError
from xenwatch.base.registry import load_parts
from xenwatch.diagnosis.library import load_library
from xenwatch.diagnosis.rule import Rule
from xenwatch.model.record import LogFormat


def formats() -> Mapping[str, LogFormat]:
    """All dialects by their names."""
    return {part.name: part for part in load_parts(xenwatch.logs.formats, "FORMAT", LogFormat).values()}


def rules_folder() -> Path:
    """The rules that came with this xenwatch: beside the package in a checkout, inside it when installed."""
    installed = Path(str(resources.files(xenwatch))) / "_bundled" / "rules"
    checkout = Path(str(resources.files(xenwatch))).parent / "rules"
    return installed if installed.is_dir() else checkout


def cache_folder() -> Path:
    """Where compiled rules are kept for the next start."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "xenwatch"


def library(paths: tuple[Path, ...] = ()) -> tuple[Rule, ...]:
    """The rules at `paths`, or those that came with xenwatch. Raises RuleError, or InputError where there are none."""
    chosen = paths or (rules_folder(),)
    rules = load_library(chosen, cache_folder())
    if not rules:
        raise InputError(f"no rule files (*.yaml) under {', '.join(map(str, chosen))}")
    return rules
