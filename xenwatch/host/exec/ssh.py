"""How ssh is called: it never asks for anything, and talks only to a host with a known key."""

import shlex
from collections.abc import Sequence


def ssh_options(connect_seconds: int) -> tuple[str, ...]:
    """Options of every call. A password or an unknown host key ends it instead of waiting for an answer."""
    return ("-oBatchMode=yes", "-oStrictHostKeyChecking=yes", f"-oConnectTimeout={connect_seconds}")


def ssh_argv(
    destination: str, argv: Sequence[str], *, connect_seconds: int, options: Sequence[str] = ()
) -> tuple[str, ...]:
    """What to run here so that `argv` runs at `destination`. ssh hands words to the far shell: each is quoted.

    `options` are further ones; they win, for ssh takes the first value that it meets.
    """
    return ("ssh", *options, *ssh_options(connect_seconds), "--", destination, shlex.join(argv))
