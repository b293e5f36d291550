"""`xenwatch help`: the help of a command, asked for as people ask git or systemctl."""

import click


@click.command(short_help="Show the help of a command.", add_help_option=True)
@click.argument("words", nargs=-1, metavar="[COMMAND]...")
@click.pass_context
def COMMAND(context: click.Context, words: tuple[str, ...]) -> None:  # noqa: N802 - the registry's name
    """Show the help of a command, or the list of commands.

    \b
    Examples:
      xenwatch help
      xenwatch help incidents acknowledge
    """  # noqa: D301 (\b is click's mark for a block that keeps its lines)
    place = context.find_root()
    for word in words:
        group = place.command
        if not isinstance(group, click.Group):
            raise click.UsageError(f"{place.command_path} has no commands of its own", context)
        _, command, _ = group.resolve_command(place, [word])
        if command is None:  # only where click parses leniently, as for completion
            return
        place = click.Context(command, info_name=word, parent=place)
    click.echo(place.get_help())
