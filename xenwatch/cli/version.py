"""`xenwatch version`: what is installed, for a bug report."""

import json
import platform
import sys
from importlib import metadata

import click

from xenwatch import __version__
from xenwatch.cli._options import FORMAT
from xenwatch.diagnosis.rules.paths import rule_files
from xenwatch.diagnosis.ruleset import shipped_rules

_LIBRARIES = ("aiohttp", "hyperscan", "google-re2", "libvirt-python", "prometheus-client")
"""Their versions decide how logs are matched and hosts are reached."""


@click.command(short_help="Show the versions of xenwatch, of Python, and of what they rest on.")
@FORMAT
def COMMAND(form: str) -> None:  # noqa: N802 - the registry's name
    """Show the version of xenwatch, how many rules came with it, and what it runs on, as a bug report needs it.

    \b
    Examples:
      xenwatch version
      xenwatch version --format json
    """  # noqa: D301 (\b is click's mark for a block that keeps its lines)
    folder = shipped_rules()
    facts = {
        "xenwatch": __version__,
        "rules": len(rule_files([folder])),
        "rules_folder": str(folder),
        "python": platform.python_version(),
        "executable": sys.executable,
        "system": platform.platform(),
        **{name: _installed(name) for name in _LIBRARIES},
    }
    if form == "json":
        click.echo(json.dumps({"version": 1, **facts}, indent=2))
    else:
        click.echo("\n".join(f"{name + ':':18} {value or 'not installed'}" for name, value in facts.items()))


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
