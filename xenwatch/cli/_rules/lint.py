"""`xenwatch rules lint`: what a reviewer would say."""

import importlib
import json
import pkgutil
from pathlib import Path
from types import ModuleType

import click

import xenwatch.remediation.actions
import xenwatch.sampling.collectors
import xenwatch.sampling.health
from xenwatch.cli._rules.library import cache_folder, formats, library
from xenwatch.cli.report.format import count_text
from xenwatch.diagnosis.authoring.lint import Library, LintFinding, all_lints
from xenwatch.diagnosis.authoring.lint import lint as run_lints
from xenwatch.diagnosis.authoring.testing import RuleTestBench
from xenwatch.logs.owner import DeviceModels
from xenwatch.model.sample import Metric


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("--only", multiple=True, metavar="LINT", help="Only this check; may be repeated.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.pass_context
def lint(context: click.Context, paths: tuple[Path, ...], only: tuple[str, ...], form: str) -> None:
    """Check the rule files at PATHS (default: the rules that came with xenwatch). Exit code 1 when something is wrong.

    \b
    xenwatch rules lint rules/
    xenwatch rules lint rules/ --only overlap
    """  # noqa: D301 (\b is click's mark for a block that keeps its lines)
    unknown = sorted(set(only) - all_lints().keys())
    if unknown:
        raise click.UsageError(f"no check is called {', '.join(unknown)}; there are {', '.join(all_lints())}")
    rules = library(paths)
    bench = RuleTestBench(rules, formats(), cache=cache_folder(), new_owners=DeviceModels)
    remarks = run_lints(Library(rules, formats(), bench, _actions(), _metrics()), only)
    if form == "json":
        click.echo(json.dumps([_row(remark) for remark in remarks], indent=2))
    else:
        for remark in remarks:
            click.echo(str(remark))
        click.echo(f"{count_text(len(rules), 'rule')}, {count_text(len(remarks), 'remark')}")
    context.exit(1 if any(remark.weight == "error" for remark in remarks) else 0)


def _row(remark: LintFinding) -> dict[str, object]:
    place = remark.problem
    return {"lint": remark.lint, "weight": remark.weight, "file": str(place.file), "line": place.line,
            "key": place.key, "message": place.message}  # fmt: skip


def _actions() -> frozenset[str] | None:
    """Names of the actions: modules of `remediation/actions`."""
    found = frozenset(i.name for i in pkgutil.iter_modules(xenwatch.remediation.actions.__path__) if i.name[0] != "_")
    return found or None


def _metrics() -> frozenset[str] | None:
    """Names of all metrics that collectors and the sampler declare, wherever in their modules these stand."""
    modules = [*_modules(xenwatch.sampling.collectors), xenwatch.sampling.health]
    found = frozenset(m.name for module in modules for m in _declared(module))
    return found or None


def _modules(package: ModuleType) -> list[ModuleType]:
    names = [info.name for info in pkgutil.iter_modules(package.__path__)]
    return [importlib.import_module(f"{package.__name__}.{name}") for name in names]


def _declared(module: ModuleType) -> list[Metric]:
    values = [part for value in vars(module).values() for part in (value if isinstance(value, tuple) else (value,))]
    collector = getattr(module, "COLLECTOR", None)
    values += list(getattr(collector, "metrics", ()))
    return [value for value in values if isinstance(value, Metric)]
