"""`xenwatch mcp`: what xenwatch knows, for an assistant that speaks the Model Context Protocol."""

import importlib.util
import os
from pathlib import Path

import click

from xenwatch.base.errors import InputError
from xenwatch.cli._client import Running
from xenwatch.cli._options import CONFIG, URL
from xenwatch.config.loader import load_config
from xenwatch.config.sections import Config
from xenwatch.config.settings import LISTEN
from xenwatch.notify.senders import read_secret
from xenwatch.web.server.loopback import is_loopback


@click.command(short_help="Let an assistant read incidents, metrics and logs over MCP.")
@CONFIG
@URL
@click.option("--http", metavar="ADDRESS:PORT", help="Serve streamable HTTP here, at /mcp, instead of standard input.")
def COMMAND(config: Path | None, url: str | None, http: str | None) -> None:  # noqa: N802 - the registry's name
    """Serve the Model Context Protocol, over standard input and output unless --http is given.

    An assistant can read incidents, guests, metrics, unread lines, rules and the record of remediation, have a text or
    a bundle below the folders of [mcp] bundles diagnosed, and check in advance whether a guest can start or migrate. It
    cannot approve or change anything. What guests have written is marked as data. This needs the extra: pip install
    'xenwatch[mcp]'.

    \b
    Examples:
      xenwatch mcp
      xenwatch mcp --url https://xen1:10197
      xenwatch mcp --http 127.0.0.1:10198
    """  # noqa: D301 (\b is click's mark for a block that keeps its lines)
    if importlib.util.find_spec("mcp") is None:
        raise InputError("this command needs the SDK of MCP: pip install 'xenwatch[mcp]'")
    _serve(Running(url, config), load_config(config, dict(os.environ)).config, http)


def _serve(running: Running, config: Config, http: str | None) -> None:
    from xenwatch.cli._mcp.planning import Planning  # noqa: PLC0415  an optional extra, and slow to load
    from xenwatch.cli._mcp.reading import Reading  # noqa: PLC0415
    from xenwatch.cli._mcp.server import server_of  # noqa: PLC0415
    from xenwatch.cli._mcp.watching import Watching  # noqa: PLC0415

    server = server_of(Watching(running, config), Reading(config), Planning(config))
    if http is None:
        server.run("stdio")
        return
    from xenwatch.cli._mcp.http import serve_http  # noqa: PLC0415

    host, port = _address(http)
    token = None if config.mcp.token_file is None else read_secret(config.mcp.token_file)
    if token is None and not is_loopback(host):
        raise InputError(f"{http} can be reached from other machines: set [mcp] token_file, or listen on 127.0.0.1")
    serve_http(server, host, port, token)


def _address(text: str) -> tuple[str, int]:
    try:
        return LISTEN.parse(text)
    except ValueError as error:
        raise InputError(f"--http: {error}") from None
