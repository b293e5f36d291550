"""Prometheus' own programs: installed, or unpacked below .cache/tools by packaging/setup.sh."""

import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


UNPACKED = ROOT / ".cache/tools"
TEMPLATES = Path("/usr/share/prometheus/alertmanager")
"""Where Debian's Alertmanager reads its templates, and knows no option to be told another place."""


def found(name: str) -> str | None:
    """Where a program is; None where it is not here."""
    return shutil.which(name) or shutil.which(name, path=str(UNPACKED / "usr/bin"))


def tool(name: str) -> str:
    """Where a program is; the test is skipped where it is not."""
    program = found(name)
    if program is None:
        pytest.skip(f"{name} is not here: `packaging/setup.sh test` fetches it")
    return program


def alertmanager() -> tuple[str, ...]:
    """How Alertmanager is started; one that was only unpacked sees its own /usr/share, in a mount namespace."""
    program = tool("prometheus-alertmanager")
    if TEMPLATES.exists():
        return (program,)
    script = 'mount --bind "$0" /usr/share && exec "$@"'
    return ("unshare", "--map-root-user", "--mount", "sh", "-c", script, str(UNPACKED / "usr/share"), program)
