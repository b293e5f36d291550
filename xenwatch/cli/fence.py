"""`xenwatch fence`: carries out an order of another host, unless its token is older than one seen before."""

import os
import sys
from pathlib import Path

import click

from xenwatch.cli._options import CONFIG
from xenwatch.cli._remediation import state_dir
from xenwatch.remediation.machine.fence import REFUSED, accept, fence_file


@click.command(short_help="Carry out an order of another host, unless a newer one was seen.")
@CONFIG
@click.option("--target", required=True, help="What is acted on: domain/UUID or host/NAME.")
@click.option("--token", required=True, type=click.IntRange(min=1), help="The fencing token of the sender's lease.")
@click.argument("argv", nargs=-1)
def COMMAND(config: Path | None, target: str, token: int, argv: tuple[str, ...]) -> None:  # noqa: N802 - the registry's name
    """Agents of a fleet run this on each other over ssh; nobody needs to type it.

    It ends with 76, and nothing is done, where an order with a higher token was seen for the same target.

    \b
    Examples:
      xenwatch fence --target domain/6c3e --token 42 -- xl create /etc/xen/web.cfg
    """  # noqa: D301 (\b is click's mark for a block that keeps its lines)
    try:
        current = accept(fence_file(state_dir(config)), target, token)
    except (OSError, ValueError) as error:
        click.echo(f"xenwatch fence: the tokens of this host cannot be read or kept: {error}", err=True)
        sys.exit(REFUSED)
    if not current:
        click.echo(f"xenwatch fence: token {token} for {target} is refused: a newer one was seen here", err=True)
        sys.exit(REFUSED)
    if argv:
        _become(argv)


def _become(argv: tuple[str, ...]) -> None:
    try:
        os.execvp(argv[0], argv)  # noqa: S606 - the words of the order, without a shell
    except OSError as error:
        click.echo(f"xenwatch fence: {argv[0]}: {error.strerror}", err=True)
        sys.exit(127)
