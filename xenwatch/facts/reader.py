"""How a file that holds the output of a command, or a configuration, is recognised and read."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from xenwatch.facts.definitions import FactRow
from xenwatch.facts.host_texts import HostText
from xenwatch.model.fact import Fact


@dataclass(frozen=True, slots=True)
class FactsReader:
    """One command: how its files are called in what people collect, how its output starts, and how it is read."""

    name: str
    """As the command is typed: `xl list`."""
    file_name: re.Pattern[str]
    """Matched at the start of the file's name, in lower case, with `_` for all punctuation and without its ending."""
    content: re.Pattern[str]
    """Searched in the output: a file of the right name that holds an error message stays a log."""
    definition: Callable[[str], Iterator[FactRow]]
    path: re.Pattern[str] | None = None
    """Searched in the path: where files of this kind lie, whatever they are called."""
    by_content: bool = True
    """The content alone is proof enough, so a file of any name is taken when it begins with it."""
    tells: tuple[str, ...] = ()
    """What the names of the facts begin with that are known once it was read: one not given is not there."""

    def read(self, text: str, at: float, origin: str) -> Iterator[Fact]:
        for name, subject, value in self.definition(text):
            yield Fact(name, subject, value, at, origin)


def command_output(
    name: str,
    file_name: str,
    content: str,
    definition: Callable[[str], Iterator[FactRow]],
    *,
    tells: str,
    by_content: bool = True,
) -> FactsReader:
    """What a command printed; `tells` are words with spaces between them."""
    return FactsReader(
        name,
        re.compile(rf"(?:{file_name})(?:_|$)"),
        re.compile(content, re.MULTILINE),
        definition,
        None,
        by_content,
        tuple(tells.split()),
    )


def configuration_file(
    name: str,
    file_name: str,
    path: str,
    content: str,
    definition: Callable[[str], Iterator[FactRow]],
    *,
    tells: str,
) -> FactsReader:
    """A file that says what it is by its whole name or by where it lies; its content alone is no proof."""
    return FactsReader(
        name,
        re.compile(rf"(?:{file_name})$"),
        re.compile(content, re.MULTILINE),
        definition,
        re.compile(path) if path else None,
        by_content=False,
        tells=tuple(tells.split()),
    )


def own_text(text: HostText) -> FactsReader:
    """Of what `collect` wrote down itself."""
    heading = re.compile(rf"\A{re.escape(text.heading)}$", re.MULTILINE)
    named = re.compile(re.escape(text.file.partition(".")[0]) + "$")
    return FactsReader(
        f"{text.file} of xenwatch collect", named, heading, text.definition, by_content=False, tells=text.tells
    )
