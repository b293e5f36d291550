"""packaging/man/: a man page of section 5 for each file that an administrator writes, made from its declarations."""

import inspect
import tomllib
from collections.abc import Iterator
from pathlib import Path

from man import roff

from xenwatch.config.loader import variable
from xenwatch.config.sections import DEFAULT_FILE, SECTIONS, TABLES
from xenwatch.config.settings import settings_of

ROOT = Path(__file__).resolve().parents[2]
_POLICY = "/etc/xenwatch/policy.toml"


def pages() -> dict[str, str]:
    """By path below the checkout."""
    return {
        "packaging/man/xenwatch.toml.5": "\n".join(_configuration()) + "\n",
        "packaging/man/xenwatch-policy.toml.5": "\n".join(_policy()) + "\n",
    }


def _head(title: str, words: str) -> Iterator[str]:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    yield f'.TH {title.upper()} 5 "" "xenwatch {version}" "File Formats"'
    yield from (".SH NAME", f"{roff(title)} \\- {words}")


def _configuration() -> Iterator[str]:
    yield from _head("xenwatch.toml", "configuration of xenwatch")
    yield from (".SH SYNOPSIS", roff(str(DEFAULT_FILE)), ".SH DESCRIPTION")
    yield from (
        "Every key has a default; xenwatch runs without this file. It is TOML.", ".B xenwatch check",
        "prints every value in force and where it came from. A key of a section can be set in the environment, too:",
        "[web] listen is XENWATCH_WEB_LISTEN. Durations are written 250ms, 30s, 5m, 1h30m, 90d; sizes 64KiB, 1MiB.",
    )  # fmt: skip
    for name, section in SECTIONS.items():
        yield from _section(f"[{name}]", section, name)
    for name, table in TABLES.items():
        yield from _section(f"[{name}.NAME]", table)
    yield from (".SH SEE ALSO", ".BR xenwatch (1),", ".BR xenwatch\\-check (1),", ".BR xenwatch\\-policy.toml (5)")


def _section(title: str, section: type, name: str = "") -> Iterator[str]:
    yield from (
        f".SH {roff(title.upper() if name else title)}",
        roff(" ".join((inspect.getdoc(section) or "").split())),
    )
    for key, declared in settings_of(section).items():
        shown = f"{key} = {declared.kind.show(declared.default)}"
        yield from (".TP", f".B {roff(shown)}", roff(" ".join(declared.help.split())))
        if name:
            yield roff(f"({declared.kind.name}; {variable(f'{name}.{key}')})")


def _policy() -> Iterator[str]:
    """The example is its own description: each key has its comment."""
    yield from _head("xenwatch-policy.toml", "what xenwatch may repair by itself")
    yield from (".SH SYNOPSIS", roff(_POLICY), ".SH DESCRIPTION")
    yield from (
        "Without this file xenwatch observes, and repairs nothing. The file that is shipped as an example, whole:",
        ".PP", ".nf", *map(roff, (ROOT / "packaging/policy.toml").read_text(encoding="utf-8").splitlines()), ".fi",
    )  # fmt: skip
    yield from (
        ".SH SEE ALSO",
        ".BR xenwatch\\-policy (1),",
        ".BR xenwatch\\-remediation (1),",
        ".BR xenwatch.toml (5)",
    )
