"""`xenwatch rules test`: run the tests inside rule files."""

import json
from pathlib import Path

import click

from xenwatch.base.plurals import count_text
from xenwatch.cli._options import FORMAT
from xenwatch.cli._rules.library import cache_folder, formats, library
from xenwatch.diagnosis.authoring.testing import RuleTestBench, RuleTestResult
from xenwatch.logs.owner import DeviceModels


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("--rule", "chosen", multiple=True, metavar="ID", help="Run only the tests of this rule. May be repeated.")
@FORMAT
@click.pass_context
def test(context: click.Context, paths: tuple[Path, ...], chosen: tuple[str, ...], form: str) -> None:
    """Run the tests inside the rule files at PATHS. Default: the rules that came with xenwatch.

    All rules are loaded together, as the agent loads them. Exit code: 0 if all tests pass, 1 if one fails.

    \b
    Examples:
      xenwatch rules test rules/
      xenwatch rules test rules/ --rule vif-bridge-missing
    """  # noqa: D301 (\b is click's mark for a block that keeps its lines)
    rules = library(paths, whole=True)
    under_test = [rule for rule in rules if not chosen or not {rule.id, *rule.aliases}.isdisjoint(chosen)]
    missing = sorted(set(chosen) - {name for rule in under_test for name in (rule.id, *rule.aliases)})
    if missing:
        raise click.UsageError(f"there is no rule {', '.join(missing)}")
    bench = RuleTestBench(rules, formats(), cache=cache_folder(), new_owners=DeviceModels)
    verdicts = list(bench.run(under_test))
    _print_json(verdicts) if form == "json" else _print_text(verdicts, len(under_test))
    context.exit(0 if all(verdict.ok for verdict in verdicts) else 1)


def _print_text(verdicts: list[RuleTestResult], rules: int) -> None:
    failed = [verdict for verdict in verdicts if not verdict.ok]
    for verdict in failed:
        click.echo(str(verdict))
    click.echo(f"{count_text(rules, 'rule')}, {count_text(len(verdicts), 'test')}, {len(failed)} failed")


def _print_json(verdicts: list[RuleTestResult]) -> None:
    rows = [
        {"rule": v.rule.id, "test": v.test.name, "file": str(v.rule.file), "line": v.test.line, "ok": v.ok,
         "message": v.message}
        for v in verdicts
    ]  # fmt: skip
    click.echo(json.dumps(rows, indent=2))
