"""Where a report goes: a file, a pager where a terminal is too small for it, or plain standard output."""

import shutil
import sys
from pathlib import Path

import click

from xenwatch.base.errors import InputError

PAGER = click.option(
    "--no-pager",
    is_flag=True,
    help="Print directly. Otherwise a report that is longer than the terminal is shown in $PAGER, or in less.",
)

NARROW = 80
_WIDEST = 120


def text_width() -> int:
    """Columns for text: those of the terminal, at most 120; 80 where there is none."""
    return min(shutil.get_terminal_size((NARROW, 24)).columns, _WIDEST)


def show(text: str, *, pager: bool) -> None:
    """Print the text, in a pager if it is asked for, standard output is a terminal and the text does not fit there."""
    rows = shutil.get_terminal_size((NARROW, 24)).lines
    if pager and sys.stdout.isatty() and text.count("\n") >= rows:
        click.echo_via_pager(text)  # it respects $PAGER, and gives less the option -R
    else:
        click.echo(text)


def write(path: str, text: str) -> None:
    """Write the text to a file. InputError where that is not possible."""
    try:
        Path(path).write_text(text, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror or error}") from None
