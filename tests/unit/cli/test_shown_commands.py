"""Every command line of xenwatch that the manual shows is one that xenwatch takes."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from xenwatch.cli.agent import _demo_banner
from xenwatch.cli.main import cli
from xenwatch.demo.host import DemoHost

ROOT = Path(__file__).parents[3]
HAND_WRITTEN = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "packaging/xenwatch.toml", "packaging/policy.toml")),
    *(path for path in (*ROOT.glob("docs/*.md"), *ROOT.glob("docs/runbooks/*.md")) if path.name != "commands.md"),
]
_IN_LINE = re.compile(r"`(?:\S*/bin/)?xenwatch ([a-z][^`|>]*)`")
_IN_BOX = re.compile(r"(?:^|\| )(?:sudo )?(?:\S*/bin/)?xenwatch ([a-z].*?)(?:  .*| [|>&#].*|$)")


def shown() -> Iterator[tuple[str, str]]:
    """The page, and the words after `xenwatch`. Of docs/commands.md, made from the help, only the examples."""
    for path in [*HAND_WRITTEN, ROOT / "docs/commands.md"]:
        text, page = path.read_text(), str(path.relative_to(ROOT))
        found = _IN_LINE.findall(text) if path in HAND_WRITTEN else []
        found += [words for line in boxed(text) for words in _IN_BOX.findall(line)]
        yield from ((page, words.strip()) for words in found)


def boxed(text: str) -> Iterator[str]:
    """Lines that are shown to be typed."""
    fenced = False
    for line in text.splitlines():
        if line.startswith("```"):
            fenced = not fenced
        elif fenced or line.startswith("    "):
            yield line.strip()


@pytest.mark.parametrize(("page", "words"), sorted(set(shown())))
def test_a_command_in_the_manual_is_one_that_xenwatch_takes(page: str, words: str) -> None:
    parse(words)


@pytest.mark.parametrize("words", ["remediation", "status --port 3", "agent --daemon", "repair web"])
def test_words_that_xenwatch_does_not_take_would_be_found(words: str) -> None:
    with pytest.raises((AssertionError, click.ClickException)):
        parse(words)


def test_the_commands_that_a_demo_shows_at_its_start_are_some(tmp_path: Path) -> None:
    shown = "\n".join(_demo_banner(DemoHost(tmp_path), "http://127.0.0.1:10197", moved=False, kept=False))
    commands = re.findall(r"^  xenwatch ([a-z].*?)(?:  .*|$)", shown, re.MULTILINE)
    assert len(commands) > 1
    for words in commands:
        parse(words)


def parse(words: str) -> None:
    """Names and options; what a path or a value must be is for who types it."""
    command, context = cli, click.Context(cli, **cli.context_settings)  # a command keeps the help option it made first
    arguments = shlex.split(words)
    while isinstance(command, click.Group):
        _, arguments, _ = command.make_parser(context).parse_args(arguments)
        if not arguments and command.invoke_without_command:
            return
        found = command.get_command(context, arguments.pop(0)) if arguments else None
        assert found is not None, f"xenwatch {words} is no whole command"
        command, context = found, click.Context(found, parent=context)
    command.make_parser(context).parse_args(arguments)
