"""The rules, log formats and cache folder that every command of `xenwatch rules` works with."""

from pathlib import Path

from xenwatch.base.errors import InputError
from xenwatch.diagnosis.rules.cache import load_library
from xenwatch.diagnosis.rules.rule import Rule
from xenwatch.diagnosis.ruleset import cache_folder, shipped_rules
from xenwatch.logs.format import all_formats as formats

__all__ = ["cache_folder", "formats", "library", "rules_folder"]

rules_folder = shipped_rules


def library(paths: tuple[Path, ...] = (), *, whole: bool = False) -> tuple[Rule, ...]:
    """The rules at `paths`, or those that came with xenwatch; `whole`: with their tests.

    Raises RuleError, or InputError where there are none.
    """
    chosen = paths or (rules_folder(),)
    rules = load_library(chosen, cache_folder(), whole=whole)
    if not rules:
        raise InputError(f"no rule files (*.yaml) under {', '.join(map(str, chosen))}")
    return rules
