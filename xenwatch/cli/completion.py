"""`xenwatch completion`: the script that lets a shell complete commands and options."""

import click
from click.shell_completion import get_completion_class

_VARIABLE = "_XENWATCH_COMPLETE"


@click.command(short_help="Print the script that completes commands and options in a shell.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def COMMAND(context: click.Context, shell: str) -> None:  # noqa: N802 - the registry's name
    """Print the completion script for a shell. The Debian package installs all three.

    \b
    Examples:
      xenwatch completion bash > ~/.local/share/bash-completion/completions/xenwatch
      xenwatch completion zsh > ~/.zfunc/_xenwatch
      xenwatch completion fish > ~/.config/fish/completions/xenwatch.fish
    """  # noqa: D301 (\b is click's mark for a block that keeps its lines)
    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"there is no completion for {shell}")
    click.echo(kind(context.find_root().command, {}, "xenwatch", _VARIABLE).source())
