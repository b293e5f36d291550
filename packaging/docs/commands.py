"""docs/commands.md: every word of the command line with its --help."""

from collections.abc import Iterator

import click

from xenwatch.cli.main import cli

WIDTH = 96
_HEAD = """# Commands

<!-- Generated from the commands' own --help by `make docs`; a test keeps it current. -->

Exit codes: 0 well, 1 something is wrong on the host, 2 wrong use or nothing to work on, 70 a fault of our own, whose
traceback `XENWATCH_DEBUG=1` shows. `NO_COLOR=1` takes colour out. Completion of words and options:
[install](install.md#completion).
"""


def words() -> Iterator[tuple[str, click.Command, click.Context]]:
    """Every command, groups before what is in them: `xenwatch rules`, `xenwatch rules list`."""
    yield from _below("xenwatch", cli, None)


def _below(
    name: str, command: click.Command, parent: click.Context | None
) -> Iterator[tuple[str, click.Command, click.Context]]:
    context = click.Context(
        command, info_name=name.rpartition(" ")[2], parent=parent, terminal_width=WIDTH, max_content_width=WIDTH,
        help_option_names=["-h", "--help"],
    )  # fmt: skip
    yield name, command, context
    if isinstance(command, click.Group):
        for word in command.list_commands(context):
            if (below := command.get_command(context, word)) is not None and not below.hidden:
                yield from _below(f"{name} {word}", below, context)


def page() -> str:
    """The whole page."""
    told = list(words())
    lines = [_HEAD]
    lines += [f"- [`{name}`](#{name.replace(' ', '-')})" for name, _, _ in told]
    for name, command, context in told:
        lines += ["", f"## {name}", "", "```", command.get_help(context).rstrip(), "```"]
    return "\n".join(lines) + "\n"
