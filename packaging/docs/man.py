"""packaging/man/: a man page for each command of the first level, made from its --help."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import commands

ROOT = Path(__file__).resolve().parents[2]
_FILES = (
    ("/etc/xenwatch/xenwatch.toml", "Configuration; every key is explained in it."),
    ("/var/lib/xenwatch", "State: positions in logs, incidents, the record of remediation."),
    ("/usr/share/xenwatch", "Rules, alerts and dashboards."),
    ("/usr/share/doc/xenwatch", "Manual; a page for each known failure is in docs/failures."),
)
_EXITS = (
    ("0", "All is well."),
    ("1", "Something is wrong on the host."),
    ("2", "Wrong use, or there was nothing to work on."),
    ("70", "A bug in xenwatch."),
)
_VARIABLES = (
    ("XENWATCH_CONFIG", "Configuration file."),
    ("NO_COLOR", "Turn colour off."),
    ("XENWATCH_FAILURE_PAGES", "Folder or address of the pages about failures, for the links in reports."),
    ("XENWATCH_DEBUG", "Show the traceback of a bug in xenwatch."),
)


def pages() -> dict[str, str]:
    """By path below the checkout: xenwatch.1, xenwatch-diagnose.1 …; the commands of a group share a page."""
    found = list(commands.all_commands())
    made = {}
    for name, command, context in found:
        if name.count(" ") <= 1:
            deeper = [entry for entry in found if entry[0].startswith(f"{name} ")] if " " in name else []
            made[f"packaging/man/{name.replace(' ', '-')}.1"] = _page(name, command, context, deeper)
    return made


def _page(
    name: str, command: click.Command, context: click.Context, deeper: list[tuple[str, click.Command, click.Context]]
) -> str:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    title = name.replace(" ", "-")
    short = command.get_short_help_str(120).rstrip(".")
    lines = [
        f'.TH {title.upper()} 1 "" "xenwatch {version}" "User Commands"',
        ".SH NAME",
        f"{roff(title)} \\- {roff(short)}",
    ]
    lines += [
        ".SH SYNOPSIS",
        *_usage(name, command, context),
        ".SH DESCRIPTION",
        *_words(command.help or ""),
        *_options(command, context),
    ]
    for below, subcommand, inside in deeper:
        lines += [
            f".SH {roff(below.upper())}",
            *_usage(below, subcommand, inside),
            ".PP",
            *_words(subcommand.help or ""),
            *_options(subcommand, inside, ".SS Options"),
        ]
    if isinstance(command, click.Group) and " " not in name:
        lines += [".SH COMMANDS"]
        for word in command.list_commands(context):
            below_one = command.get_command(context, word)
            if below_one is not None:
                lines += [".TP", f".BR {roff(f'{name}-{word}')} (1)", roff(below_one.get_short_help_str(200))]
        lines += [".SH ENVIRONMENT", *_pairs(_VARIABLES), ".SH FILES", *_pairs(_FILES)]
    lines += [".SH EXIT STATUS", *_pairs(_EXITS), ".SH SEE ALSO"]
    lines += (
        [".BR xenwatch (1), .BR xl (1), .BR virsh (1)".replace(", ", ",\n")]
        if " " in name
        else [".BR xl (1),", ".BR virsh (1)"]
    )
    return "\n".join(lines) + "\n"


def _usage(name: str, command: click.Command, context: click.Context) -> list[str]:
    return [f".B {roff(name)}", roff(" ".join(command.collect_usage_pieces(context)))]


def _options(command: click.Command, context: click.Context, heading: str = ".SH OPTIONS") -> list[str]:
    records = [r for p in command.get_params(context) if (r := p.get_help_record(context)) is not None]
    return [heading, *_pairs(records)] if records else []


def _pairs(pairs: "list[tuple[str, str]] | tuple[tuple[str, str], ...]") -> Iterator[str]:
    for left, right in pairs:
        yield from (".TP", f".B {roff(left)}", roff(" ".join(right.split())) or "\\&")


def _words(text: str) -> Iterator[str]:
    """Paragraphs are filled, except those that click leaves alone, which keep their lines."""
    for index, paragraph in enumerate(re.split(r"\n\s*\n", text.strip())):
        if index:
            yield ".PP"
        kept = paragraph.lstrip().startswith("\b")
        lines = [line.rstrip() for line in paragraph.replace("\b", "").strip("\n").splitlines()]
        if kept:
            yield from (".nf", *map(roff, lines), ".fi")
        else:
            yield from (roff(line.strip()) for line in lines)


def roff(text: str) -> str:
    """Text that troff prints as it is."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("…", "...")
    return f"\\&{escaped}" if escaped.startswith(".") else escaped
