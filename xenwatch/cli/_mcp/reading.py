"""What an assistant may have read: a text that it brings, and the bundles below the folders of the configuration."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from xenwatch.base.errors import InputError
from xenwatch.cli._mcp.untrusted import marked
from xenwatch.cli._rules.show import details, find_rule
from xenwatch.cli.explain import document, read_text
from xenwatch.cli.report import as_json
from xenwatch.config.sections import Config
from xenwatch.diagnosis.ruleset import rules_with
from xenwatch.triage.diagnose import diagnose

LARGEST_TEXT = 4 * 1024 * 1024
"""Characters of one text."""
_MOST_BUNDLES = 200


class Reading:
    """Diagnoses at rest, with the rules of the configuration. Nothing is written but the cache of the rules."""

    def __init__(self, config: Config) -> None:
        self._folders = [Path(folder) for folder in config.mcp.bundles]
        self._rules = [Path(folder) for folder in config.diagnosis.rules]
        self._cache = config.diagnosis.cache_dir

    def text(self, text: str) -> dict[str, Any]:
        """What follows from a text, and the rules that match it."""
        if not text.strip():
            raise InputError("the text is empty")
        if len(text) > LARGEST_TEXT:
            raise InputError(f"the text is longer than {LARGEST_TEXT} characters; have it put into a bundle")
        report, rules = read_text(text.encode("utf-8", "replace"), self._rules)
        said = document(report, rules)
        ours = said.pop("rules")  # titles of rules are the operator's
        return {**marked(said), "rules": ours}

    def rule(self, rule: str) -> dict[str, Any]:
        """All of one rule; its text is xenwatch's or the operator's."""
        return dict(details(find_rule(rules_with(self._rules, self._cache), rule)))

    def bundles(self) -> list[str]:
        """What may be asked for: files and folders directly below the folders of the configuration."""
        return list(self._names())[:_MOST_BUNDLES]

    def bundle(self, name: str) -> dict[str, Any]:
        """What is wrong according to one of them. InputError for what lies elsewhere."""
        report = diagnose([str(self._path(name))], rules_with(self._rules, self._cache), cache=self._cache)
        said: dict[str, Any] = marked(as_json.document(report))
        return said

    def _names(self) -> Iterator[str]:
        for folder in self._folders:
            if folder.is_dir():
                yield from sorted(str(path) for path in folder.iterdir() if not path.name.startswith("."))

    def _path(self, name: str) -> Path:
        """Links are followed first: what counts is where the file really lies."""
        roots = [folder.resolve() for folder in self._folders]
        wanted = [root / name for root in roots]  # an absolute name stays as it is
        for path in (path.resolve() for path in wanted):
            if path.exists() and any(path.is_relative_to(root) for root in roots):
                return path
        raise InputError("there is no such bundle below the folders of [mcp] bundles; list_bundles shows what there is")
