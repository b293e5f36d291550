"""docs/commands.md: every command with its --help."""

from collections.abc import Iterator

import click

from xenwatch.cli.main import cli

WIDTH = 96
_HEAD = """# Commands

<!-- Generated from the commands' own --help by `make docs`; a test keeps it current. -->

Exit codes: 0 if all is well, 1 if something is wrong on the host, 2 for wrong use or if there was nothing to work on,
70 for a bug in xenwatch: its traceback `XENWATCH_DEBUG=1` shows. `NO_COLOR=1` turns colour off. Completion of
commands and options: [install](install.md#completion).
"""


def all_commands() -> Iterator[tuple[str, click.Command, click.Context]]:
    """Every command, groups before their commands: `xenwatch rules`, `xenwatch rules list`."""
    yield from _below("xenwatch", cli, None)


def _below(
    name: str, command: click.Command, parent: click.Context | None
) -> Iterator[tuple[str, click.Command, click.Context]]:
    context = click.Context(
        command, info_name=name.rpartition(" ")[2], parent=parent, terminal_width=WIDTH, max_content_width=WIDTH,
        help_option_names=["-h", "--help"],
    )  # fmt: skip
    command._help_option = None  # noqa: SLF001 - click keeps the option of whoever asked first, under that one's names
    yield name, command, context
    if isinstance(command, click.Group):
        for below_name in command.list_commands(context):
            if (below := command.get_command(context, below_name)) is not None and not below.hidden:
                yield from _below(f"{name} {below_name}", below, context)


def page() -> str:
    """The whole page."""
    found = list(all_commands())
    lines = [_HEAD]
    lines += [f"- [`{name}`](#{name.replace(' ', '-')})" for name, _, _ in found]
    for name, command, context in found:
        lines += ["", f"## {name}", "", "```", command.get_help(context).rstrip(), "```"]
    return "\n".join(lines) + "\n"
