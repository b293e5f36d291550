"""Logs for the commands of a rule's author, read as `diagnose` reads them."""

import time
from collections.abc import Iterator
from pathlib import Path

from xenwatch.base.errors import InputError
from xenwatch.cli._rules.library import cache_folder
from xenwatch.diagnosis.pipeline import Pipeline
from xenwatch.diagnosis.rules.rule import Rule
from xenwatch.model.record import Chunk
from xenwatch.triage.bundle.reader import Bundle


class RuleLogs:
    """The logs at `paths` (files, folders, archives) and the pipeline that reads them."""

    def __init__(self, paths: tuple[Path, ...], rules: tuple[Rule, ...]) -> None:
        self._bundle = Bundle(tuple(map(str, paths)), now=time.time())
        self.pipeline = Pipeline(
            rules,
            cache=cache_folder(),
            owners=self._bundle.device_models,
            at_rest=True,
        )

    def chunks(self) -> Iterator[Chunk]:
        """One log after the other; facts in the bundle go to the pipeline. InputError if one cannot be read."""
        for entry in self._bundle.entries():
            self.pipeline.facts(entry.facts)
            yield from entry.chunks()
        for skipped in self._bundle.skipped:
            raise InputError(f"{skipped.path} cannot be read as a log: {skipped.reason}")
