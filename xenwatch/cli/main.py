"""The `xenwatch` command: finds its words in this folder, one file a word, and loads only the one that is used."""

import importlib
import os
import pkgutil
import sys

import click

import xenwatch.cli
from xenwatch import __version__
from xenwatch.base.errors import XenwatchError

EXIT_WRONG_USE = 2
EXIT_OUR_FAULT = 70
"""EX_SOFTWARE of sysexits.h: neither the input nor its reader is to blame."""


class Words(click.Group):
    """A group whose commands are the modules beside this one; a name with a leading `_` is private."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's signature)
        modules = (info for info in pkgutil.iter_modules(xenwatch.cli.__path__) if not info.ispkg)
        return sorted(m.name.replace("_", "-") for m in modules if m.name != "main" and not m.name.startswith("_"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        module = importlib.import_module(f"xenwatch.cli.{cmd_name.replace('-', '_')}")
        command: click.Command = module.COMMAND
        return command


@click.group(cls=Words, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, "-V", "--version", prog_name="xenwatch")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """The on-call engineer of a Xen host: follows its logs, samples its domains, says what is wrong and why.

    \b
    Something is down right now:      xenwatch diagnose /var/log/xen
    Somebody sent you their logs:     xenwatch diagnose bundle.tar.gz
    Watch this host from now on:      xenwatch agent
    """  # noqa: D301 (\b is click's mark for a block that keeps its lines)
    if os.environ.get("NO_COLOR"):
        ctx.color = False


def main() -> None:
    """Run the command; what xenwatch itself reports is one clear message and exit code 2, not a traceback."""
    try:
        cli(prog_name="xenwatch")
    except XenwatchError as error:
        click.echo(f"xenwatch: {error}", err=True)
        sys.exit(EXIT_WRONG_USE)
    except BrokenPipeError:
        sys.stderr.close()  # the reader of our output went away (`| head`): nothing is wrong
        sys.exit(0)
    except Exception as error:  # the last fence: a person at 3 a.m. is not shown our insides unless they ask
        if os.environ.get("XENWATCH_DEBUG"):
            raise
        click.echo(f"xenwatch: a fault of our own: {type(error).__name__}: {error}", err=True)
        click.echo("Please report it with what XENWATCH_DEBUG=1 prints when you run this again.", err=True)
        sys.exit(EXIT_OUR_FAULT)


if __name__ == "__main__":
    main()
