"""Options that several words of the command share."""

from pathlib import Path

import click

CONFIG = click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Configuration file; default: $XENWATCH_CONFIG, then /etc/xenwatch/xenwatch.toml.",
)

URL = click.option("--url", metavar="URL", help="Ask the agent there, such as http://127.0.0.1:10197.")

FORMAT = click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="For whom."
)
