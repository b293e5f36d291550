"""Help is written in whole sentences, says what to type, and shows ids and commands that could be real."""

import re
from collections.abc import Iterator

import click
import pytest

from xenwatch.cli.main import cli

ARCHAIC = re.compile(r"\b(hence|whose|whom|anew|moreover|befell|laid to|fares?|is not to be had)\b", re.IGNORECASE)
NO_VERB = re.compile(r"(What|Whether|How|Who|One|A|The|All|Everything|No)\b")
"""How help begins that does not say what the command does."""


def commands(name: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    yield name, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for word in command.list_commands(context):
            below = command.get_command(context, word)
            assert below is not None
            yield from commands(f"{name} {word}", below)


COMMANDS = list(commands("xenwatch", cli))
OPTIONS = [
    (f"{name} {option.opts[-1]}", option.help)
    for name, command in COMMANDS
    for option in command.params
    if isinstance(option, click.Option)
]


@pytest.mark.parametrize(("name", "command"), COMMANDS, ids=[name for name, _ in COMMANDS])
def test_a_command_says_what_it_does_in_a_whole_sentence(name: str, command: click.Command):
    text = " ".join((command.help or "").split("\b")[0].split())
    assert not NO_VERB.match(text), text
    assert text.endswith((".", ":")), text
    assert not ARCHAIC.search(command.help or "")
    assert not ARCHAIC.search(command.short_help or "")


@pytest.mark.parametrize(("name", "text"), OPTIONS, ids=[name for name, _ in OPTIONS])
def test_an_option_says_what_it_does_in_a_whole_sentence(name: str, text: str | None):
    assert text, f"{name} has no help"
    assert text[0].isupper()
    assert text.endswith("."), text
    assert not ARCHAIC.search(text)


def test_ids_in_examples_look_like_ids():
    text = "\n".join(command.help or "" for _, command in COMMANDS)
    ids = re.findall(r"incidents (?:show|acknowledge) (\S+)", text)
    assert ids
    assert all(re.fullmatch(r"[0-9a-f]{12}", ident) for ident in ids)
