"""Measures how many of the messages in a component's source xenwatch knows: by component and release.

usage: packaging/coverage/measure.py TREE                      every component found there, a row each
       packaging/coverage/measure.py TREE --only libxl --show  also the messages without a specific answer
       packaging/coverage/measure.py TREE --new OLD-TREE       what TREE says that OLD-TREE did not
       packaging/coverage/measure.py TREE --write              puts the rows into docs/coverage.md
"""

import argparse
import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import components
import page
from answers import Answer, Answers
from component import Component, Tree, tree_at
from message import Message
from not_counted import NotCounted
from values import fill

from xenwatch.base.registry import load_parts
from xenwatch.diagnosis.ruleset import cache_folder, rules_with
from xenwatch.logs.format import all_formats


@dataclass(frozen=True, slots=True)
class Asked:
    """A message, the line made of it, and what came back."""

    message: Message
    text: str
    answer: Answer


def main() -> None:
    """Measure, print, and write where that was asked for."""
    asked = _arguments()
    tree = tree_at(asked.tree, asked.release)
    parts = load_parts(components, "COMPONENT", Component).values()
    chosen = {part.name: part for part in parts if asked.only in (None, part.name)}
    known = {name: _already_said(component, asked.new) for name, component in chosen.items()}
    answers = Answers(rules_with([], cache_folder()), dict(all_formats()))
    rows = []
    for name, component in chosen.items():
        messages = [m for m in counted(component, tree) if m.key not in known[name]]
        if messages:
            found = [ask(m, component, tree, answers) for m in _sample(messages, asked.sample)]
            rows.append(page.row(name, tree.label, [one.answer.kind for one in found]))
            print("\n".join([*_shown(found, show=asked.show or bool(asked.new)), rows[-1].told()]))
    if asked.write:
        page.write(rows)


def counted(component: Component, tree: Tree) -> list[Message]:
    """The messages that an operator can meet."""
    apart = NotCounted(component.name)
    return [message for message in component.messages(tree) if apart.reason(message) is None]


def ask(message: Message, component: Component, tree: Tree, answers: Answers) -> Asked:
    """Put the message into the log in which it would stand, alone."""
    line = component.line(message, fill(message.format, message.args, message.function).strip("\n"), tree)
    return Asked(message, line.text, answers.to(line))


def _already_said(component: Component, old: Path | None) -> set[tuple[str, str]]:
    return {message.key for message in component.messages(tree_at(old))} if old else set()


def _sample(messages: Sequence[Message], size: int | None) -> Sequence[Message]:
    return messages if size is None or size >= len(messages) else random.Random(0).sample(messages, size)  # noqa: S311


def _shown(found: Sequence[Asked], *, show: bool) -> Iterator[str]:
    for one in found if show else ():
        if one.answer.kind in ("unknown", "general"):
            rules = f" [{', '.join(one.answer.rules)}]" if one.answer.rules else ""
            yield f"{one.answer.kind}: {one.message.file}:{one.message.line}: {one.text}{rules}"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tree", type=Path, help="an unpacked source tree, of Xen or of the component alone")
    parser.add_argument("--only", metavar="COMPONENT", help="one component")
    parser.add_argument("--release", help="which release it is, where the tree does not say it")
    parser.add_argument("--new", type=Path, metavar="OLD-TREE", help="only what an older tree did not say")
    parser.add_argument("--sample", type=int, metavar="N", help="at most so many messages of each component")
    parser.add_argument("--show", action="store_true", help="list the messages without a specific answer")
    parser.add_argument("--write", action="store_true", help="put the figures into docs/coverage.md")
    return parser.parse_args()


if __name__ == "__main__":
    main()
