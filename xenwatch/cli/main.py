"""The `xenwatch` command: each module in this folder is a command, and only the one that is used is loaded."""

import errno
import gc
import importlib
import io
import os
import pkgutil
import sys
from pathlib import Path
from typing import Any

import click

import xenwatch.cli
from xenwatch import __version__
from xenwatch.base.errors import XenwatchError
from xenwatch.cli._options import ARGUMENTS, EXIT_INTERRUPTED

EXIT_WRONG_USE = 2
_OBJECTS_MADE = 50_000
"""Between two looks for garbage: a start alone makes more than a hundred thousand objects, and all of them stay."""
EXIT_BUG = 70
"""EX_SOFTWARE of sysexits.h: a bug in xenwatch, not a mistake of the person who runs it."""


class CommandGroup(click.Group):
    """A group: its commands are the modules beside this one; a name with a leading `_` is private."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's signature)
        modules = (info for info in pkgutil.iter_modules(xenwatch.cli.__path__) if not info.ispkg)
        return sorted(m.name.replace("_", "-") for m in modules if m.name != "main" and not m.name.startswith("_"))

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.meta[ARGUMENTS] = tuple(args)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            sys.exit(EXIT_INTERRUPTED)
        except click.ClickException as error:
            error.message = _printable(error.message)  # type: ignore[misc]  # click offers no other way
            raise

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """A mistyped command is answered with those that look like it, which click cannot do for modules not loaded."""
        try:
            return super().resolve_command(ctx, args)
        except click.NoSuchCommand:
            raise click.NoSuchCommand(args[0], possibilities=self.list_commands(ctx), ctx=ctx) from None

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        module = importlib.import_module(f"xenwatch.cli.{cmd_name.replace('-', '_')}")
        command: click.Command = module.COMMAND
        return command


@click.group(cls=CommandGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, "-V", "--version", prog_name="xenwatch")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Watch Xen hosts: follow their logs, sample their domains, and say what is wrong, why, and what to do.

    \b
    Something is down right now:      xenwatch diagnose --live
    Somebody sent you their logs:     xenwatch diagnose bundle.tar.gz
    Watch this host from now on:      xenwatch agent
    """  # noqa: D301 (\b is click's mark for a block that keeps its lines)
    if os.environ.get("NO_COLOR"):
        ctx.color = False


def main() -> None:
    """Run the command. An error that xenwatch expects is one clear message and exit code 2, not a traceback."""
    _repair_streams()
    gc.set_threshold(_OBJECTS_MADE, 20, 20)
    try:
        cli(prog_name="xenwatch")
    except XenwatchError as error:
        click.echo(f"xenwatch: {_printable(str(error))}", err=True)
        sys.exit(EXIT_WRONG_USE)
    except BrokenPipeError:
        sys.stderr.close()  # the reader of the output went away (`| head`): nothing is wrong
        sys.exit(0)
    except OSError as error:
        _discard_output()
        click.echo(f"xenwatch: {_printable(_os_error_text(error))}", err=True)
        sys.exit(EXIT_WRONG_USE)
    except Exception as error:  # a person at 3 a.m. is not shown a traceback unless they ask for it
        if os.environ.get("XENWATCH_DEBUG"):
            raise
        what = f"{type(error).__name__}: {_printable(str(error))}"
        click.echo(f"xenwatch: internal error (a bug in xenwatch): {what}", err=True)
        click.echo("Run the command again with XENWATCH_DEBUG=1 and report what it prints.", err=True)
        sys.exit(EXIT_BUG)


def _printable(text: str) -> str:
    """What a message repeats, such as a file's name, must not drive a person's terminal."""
    from xenwatch.base.printed_text import printable  # noqa: PLC0415  only where something went wrong

    return printable(text)


def _repair_streams() -> None:
    """Open a closed stream as an empty one; replace characters that the locale cannot show."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115  it stays open until the process ends
        elif mode == "w" and isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _discard_output() -> None:
    """Drop what a full disk did not take, so that Python does not try again at exit and print a traceback."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _os_error_text(error: OSError) -> str:
    what = f"{error.filename}: " if error.filename is not None else "the output cannot be written: " * _is_full(error)
    return f"{what}{error.strerror or error}"


def _is_full(error: OSError) -> bool:
    return error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


if __name__ == "__main__":
    main()
