"""The one function that reads one bundle of a batch: here, in a worker process, or on a cluster's machine."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from xenwatch.base.errors import XenwatchError
from xenwatch.base.zones import Zone
from xenwatch.diagnosis.rules.rule import Rule
from xenwatch.diagnosis.ruleset import cache_folder, rules_with
from xenwatch.triage.batch.result import BundleResult
from xenwatch.triage.diagnose import compile_signatures, diagnose
from xenwatch.triage.report import Report

Document = Callable[[Report], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class BatchTask:
    """How each bundle is read; it is sent to the workers, so all of it can be pickled."""

    document: Document
    """Makes of a report what the line says: a function with a name, which a worker imports."""
    folders: tuple[Path, ...] = ()
    """Rules of the operator's own."""
    utc_offset: Zone = 0.0


def prepare(task: BatchTask) -> None:
    """Read and compile the rules once, before many workers would; raises RuleError where one cannot be used."""
    compile_signatures(_library(task.folders), cache_folder())


def read_bundle(task: BatchTask, bundle: str) -> BundleResult:
    """Read one bundle alone. It never raises: a bundle that cannot be read is a result that says so."""
    began = time.monotonic()
    try:
        return _read(task, bundle, began)
    except XenwatchError as error:
        return BundleResult(bundle, error=str(error), seconds=time.monotonic() - began)
    except Exception as error:  # noqa: BLE001  one bundle in a thousand must not end the batch; its line says what it was
        why = f"{type(error).__name__}: {error}"
        return BundleResult(bundle, error=f"a bug in xenwatch: {why}", seconds=time.monotonic() - began)


def _read(task: BatchTask, bundle: str, began: float) -> BundleResult:
    report = diagnose([bundle], _library(task.folders), cache=cache_folder(), utc_offset=task.utc_offset)
    seconds = time.monotonic() - began
    return BundleResult(bundle, task.document(report), hosts=report.hosts, versions=report.versions, seconds=seconds)


@lru_cache(maxsize=1)
def _library(folders: tuple[Path, ...]) -> tuple[Rule, ...]:
    """The rules, read once in each process."""
    return rules_with(folders, cache_folder())
