"""Where the rules are: those that came with xenwatch, and an operator's own beside them."""

import os
from collections.abc import Sequence
from pathlib import Path

from xenwatch.base.bundled import bundled
from xenwatch.base.errors import RuleError
from xenwatch.diagnosis.rules.aliases import with_present_ids
from xenwatch.diagnosis.rules.cache import load_library
from xenwatch.diagnosis.rules.rule import Rule


def shipped_rules() -> Path:
    """The rules that come with xenwatch: inside the installed package, or beside it in a checkout."""
    return _shipped("rules")


def shipped_checks() -> Path:
    """Where the standing checks of a host lie, which only `check host` and the agent's summary run."""
    return _shipped("checks")


def _shipped(folder: str) -> Path:
    installed = bundled(folder)
    return installed if installed.is_dir() else Path(__file__).parents[2] / folder


def standing_checks(cache: Path | None) -> tuple[Rule, ...]:
    """The standing checks, which are rules over facts: nothing but `check host` and the agent's summary asks them."""
    return load_library([shipped_checks()], cache, whole=False)


def rules_with(own: Sequence[Path], cache: Path | None) -> tuple[Rule, ...]:
    """The shipped rules and those of these folders; one of theirs replaces the shipped one of the same name.

    A former name counts, too: a file that replaced a rule goes on replacing it when the rule was renamed.
    """
    shipped = load_library([shipped_rules()], cache, whole=False)
    if not own:
        return shipped
    theirs = load_library(own, cache)
    _refuse_slow(theirs)
    replaced = {rule.id for rule in theirs}
    kept = [rule for rule in shipped if replaced.isdisjoint((rule.id, *rule.aliases))]
    return with_present_ids((*kept, *theirs))


def _refuse_slow(rules: Sequence[Rule]) -> None:
    """Ours were judged before they were shipped; a stranger's could stop the agent on the first line made for it."""
    if not rules:
        return
    from xenwatch.diagnosis.authoring.lints.linear import not_linear  # noqa: PLC0415  most have no rules of their own

    problems = list(not_linear(rules))
    if problems:
        raise RuleError(problems)


def cache_folder() -> Path:
    """A person's own folder for compiled rules; the agent's is in its configuration."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "xenwatch"
