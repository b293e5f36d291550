"""`xenwatch rules lint`: mistakes in rule files that a reviewer would find."""

import importlib
import json
import pkgutil
from pathlib import Path
from types import ModuleType

import click

import xenwatch.remediation.actions
import xenwatch.sampling.collectors
import xenwatch.sampling.health
from xenwatch.base.plurals import count_text
from xenwatch.cli._options import FORMAT
from xenwatch.cli._rules.library import cache_folder, formats, library
from xenwatch.diagnosis.authoring.lint import Library, LintFinding, all_lints
from xenwatch.diagnosis.authoring.lint import lint as run_lints
from xenwatch.diagnosis.authoring.testing import RuleTestBench
from xenwatch.logs.owner import DeviceModels
from xenwatch.model.sample import Metric


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("--only", multiple=True, metavar="LINT", help="Run only this check. May be repeated.")
@FORMAT
@click.pass_context
def lint(context: click.Context, paths: tuple[Path, ...], only: tuple[str, ...], form: str) -> None:
    """Check the rule files at PATHS for mistakes. Default: the rules that came with xenwatch.

    Exit code: 0 if there is no error, 1 if there is one.

    \b
    Examples:
      xenwatch rules lint rules/
      xenwatch rules lint rules/ --only overlap
    """  # noqa: D301 (\b is click's mark for a block that keeps its lines)
    unknown = sorted(set(only) - all_lints().keys())
    if unknown:
        raise click.UsageError(f"there is no check {', '.join(unknown)}; the checks are {', '.join(all_lints())}")
    rules = library(paths, whole=True)
    bench = RuleTestBench(rules, formats(), cache=cache_folder(), new_owners=DeviceModels)
    findings = run_lints(Library(rules, formats(), bench, _actions(), _metrics()), only)
    if form == "json":
        click.echo(json.dumps([_row(finding) for finding in findings], indent=2))
    else:
        for finding in findings:
            click.echo(str(finding))
        click.echo(f"{count_text(len(rules), 'rule')}, {count_text(len(findings), 'finding')}")
    context.exit(1 if any(finding.weight == "error" for finding in findings) else 0)


def _row(finding: LintFinding) -> dict[str, object]:
    place = finding.problem
    return {"lint": finding.lint, "weight": finding.weight, "file": str(place.file), "line": place.line,
            "key": place.key, "message": place.message}  # fmt: skip


def _actions() -> frozenset[str] | None:
    """Names of the actions: modules of `remediation/actions`."""
    names = (module.name for module in pkgutil.iter_modules(xenwatch.remediation.actions.__path__))
    return frozenset(name for name in names if not name.startswith("_")) or None


def _metrics() -> frozenset[str] | None:
    """Names of all metrics that the collectors and the sampler declare, wherever they stand in their modules."""
    modules = [*_modules(xenwatch.sampling.collectors), xenwatch.sampling.health]
    return frozenset(m.name for module in modules for m in _declared(module)) or None


def _modules(package: ModuleType) -> list[ModuleType]:
    names = [info.name for info in pkgutil.iter_modules(package.__path__)]
    return [importlib.import_module(f"{package.__name__}.{name}") for name in names]


def _declared(module: ModuleType) -> list[Metric]:
    values = [part for value in vars(module).values() for part in (value if isinstance(value, tuple) else (value,))]
    collector = getattr(module, "COLLECTOR", None)
    values += list(getattr(collector, "metrics", ()))
    return [value for value in values if isinstance(value, Metric)]
