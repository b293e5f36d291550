"""Options that several words of the command share."""

from pathlib import Path

import click

CONFIG = click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Configuration file; default: $XENWATCH_CONFIG, then /etc/xenwatch/xenwatch.toml.",
)
