"""Options that several commands share."""

from pathlib import Path

import click

ARGUMENTS = "xenwatch.arguments"
"""In click's `meta`: the words of the command line behind `xenwatch`."""

EXIT_INTERRUPTED = 130
"""128 and the number of SIGINT, as a shell counts."""

CONFIG = click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Configuration file. Default: $XENWATCH_CONFIG, then /etc/xenwatch/xenwatch.toml.",
)

URL = click.option("--url", metavar="URL", help="Ask the agent at this address, such as http://127.0.0.1:10197.")

FORMAT = click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Output format: text for people, json for programs.",
)

RULES = click.option(
    "--rules",
    "paths",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    metavar="PATH",
    help="Use the rule files in this file or folder instead of those that came with xenwatch. May be repeated.",
)

LOGS = click.option(
    "--log",
    "logs",
    multiple=True,
    required=True,
    type=click.Path(path_type=Path),
    help="Read this log. May be repeated.",
)
