"""`xenwatch check`: the configuration in force, and whether what it names works; `check host` looks at the host."""

import asyncio
import json
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click

from xenwatch.base.clock import SystemClock
from xenwatch.base.printed_text import printable
from xenwatch.cli._check_host import host
from xenwatch.cli._options import CONFIG, FORMAT
from xenwatch.config.loader import LoadedConfig, all_settings, load_config
from xenwatch.config.sections import TABLES
from xenwatch.config.settings import settings_of
from xenwatch.triage.check import check_up
from xenwatch.triage.check_finding import CheckFinding

_COLOURS = {"ok": "green", "warning": "yellow", "error": "red"}


@click.group(invoke_without_command=True, short_help="Show and test the configuration; check a host before it fails.")
@CONFIG
@FORMAT
@click.option("--no-try", is_flag=True, help="Show the values, but do not test what they name.")
@click.pass_context
def COMMAND(context: click.Context, config: Path | None, form: str, no_try: bool) -> None:  # noqa: N802 - the registry's name
    """Print every setting in force and where it came from, and test the paths, libvirt, the rules and the ports.

    `xenwatch check host` looks at a healthy host for what will fail one day.

    Exit code: 0 if the agent would start, 1 if something would keep it from starting or working, 2 if the
    configuration has mistakes.

    \b
    Examples:
      xenwatch check
      xenwatch check --config ./xenwatch.toml --format json
      xenwatch check host
    """  # noqa: D301 (\b is click's mark for a block that keeps its lines)
    if context.invoked_subcommand is not None:
        return
    loaded = load_config(config, dict(os.environ))
    findings = [] if no_try else asyncio.run(check_up(loaded.config, SystemClock()))
    if form == "json":
        click.echo(json.dumps(_document(loaded, findings), indent=2))
    else:
        click.echo("\n".join([*_values(loaded), *_test_results(findings)]))
    sys.exit(any(finding.verdict == "error" for finding in findings))


COMMAND.add_command(host)


def _effective(loaded: LoadedConfig) -> Iterator[tuple[str, str, str]]:
    """Key, value as it is written in the file, origin."""
    for key, declared in all_settings():
        section, _, name = key.partition(".")
        value = getattr(getattr(loaded.config, section), name)
        yield key, declared.kind.show(value), loaded.origins[key]
    for table in TABLES:
        for name, settings in getattr(loaded.config, table).items():
            for key, declared in settings_of(type(settings)).items():
                value = getattr(settings, key)
                if value != declared.default:
                    shown = "a URL that is not shown" if key == "url" else declared.kind.show(value)
                    yield f"{table}.{name}.{key}", shown, str(loaded.file)


def _values(loaded: LoadedConfig) -> Iterator[str]:
    yield f"configuration: {loaded.file or 'no file; every value is a default or comes from the environment'}"
    rows = list(_effective(loaded))
    width = max(len(key) for key, _, _ in rows)
    for key, value, origin in rows:
        mark = click.style(f"# {origin}", dim=origin == "default", fg=None if origin == "default" else "cyan")
        yield f"  {key:<{width}} = {printable(value)}  {mark}"


def _test_results(findings: Iterable[CheckFinding]) -> Iterator[str]:
    for index, finding in enumerate(findings):
        if not index:
            yield "tests:"
        verdict = click.style(f"{finding.verdict:<7}", fg=_COLOURS[finding.verdict])
        yield f"  {verdict}  {finding.about}: {printable(finding.words)}"


def _document(loaded: LoadedConfig, findings: Iterable[CheckFinding]) -> dict[str, Any]:
    return {
        "version": 1,
        "file": str(loaded.file) if loaded.file else None,
        "settings": [{"key": key, "value": value, "origin": origin} for key, value, origin in _effective(loaded)],
        "tried": [{"about": f.about, "verdict": f.verdict, "words": f.words} for f in findings],
    }
