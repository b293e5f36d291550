"""`xenwatch rules new`: a rule file made from a line of a log."""

import re
import sys
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from xenwatch.base.errors import InputError
from xenwatch.diagnosis.rules.loader import parse_rule
from xenwatch.diagnosis.ruleset import shipped_rules
from xenwatch.logs.format import recognise
from xenwatch.model.record import TimeHint


def _areas() -> "click.Choice[str]":
    """The folders of the shipped rules."""
    return click.Choice(sorted(folder.name for folder in shipped_rules().iterdir() if folder.is_dir()))


def _area(context: click.Context, option: click.Parameter, value: str) -> str:
    return _areas().convert(value, option, context)


def _complete(context: click.Context, option: click.Parameter, start: str) -> list[CompletionItem]:
    return _areas().shell_complete(context, option, start)


# What varies from host to host, with its name as a field; the first that fits wins.
_VARIABLES = (
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"), "uuid", r"[0-9a-f-]{36}"),
    (re.compile(r"(?<=domid=)\d+|(?<=[Dd]omain )\d+"), "domid", r"\d+"),
    (re.compile(r"\b(?:\w*br|peth)\d+\b"), "bridge", r"[\w.:-]+"),
    (re.compile(r"\b(?:vif|tap)\d+\.\d+\b"), "device", r"[\w.]+"),
    (re.compile(r"\b(?:xvd|hd|sd)[a-z]\d*\b"), "vdev", r"\w+"),
    (re.compile(r"(?<![\w/])/[\w./+-]+"), "path", r"[\w./+-]+"),
    (re.compile(r"\b0x[0-9a-f]+\b"), "address", r"0x[0-9a-f]+"),
    (re.compile(r"\b\d+\b"), "number", r"\d+"),
)


@click.command()
@click.argument("rule_id", metavar="ID")
@click.option("--line", required=True, help="The line as it stands in the log; `-` reads it from standard input.")
@click.option(
    "--area",
    required=True,
    callback=_area,
    shell_complete=_complete,
    help="Folder of the rules that the new one belongs to, such as network.",
)
@click.option("--stream", help="Format of the log. Default: the format that the line looks like.")
@click.option(
    "--rules",
    "folder",
    type=click.Path(path_type=Path),
    default=Path("rules"),
    show_default=True,
    help="Folder of rules to write the file into.",
)
def new(rule_id: str, line: str, area: str, stream: str | None, folder: Path) -> None:
    """Write a rule file from one line of a log: its regex, a test that fires, and a test that stays quiet.

    \b
    Example:
      xenwatch rules new vif-bridge-missing --area network --line 'Could not find bridge device xenbr7'
    """  # noqa: D301 (\b is click's mark for a block that keeps its lines)
    text = (sys.stdin.read() if line == "-" else line).rstrip("\n")
    if not text.strip():
        raise InputError("the line is empty; paste it as it stands in the log")
    path = folder / area / f"{rule_id}.yaml"
    if path.exists():
        raise InputError(f"{path} already exists")
    content = draft(rule_id, text, stream)
    parse_rule(content, path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    click.echo(
        f"{path}\nFill in title, cause, verify and remedy, then run: xenwatch rules test {folder} --rule {rule_id}"
    )


def draft(rule_id: str, line: str, stream: str | None = None) -> str:
    """The text of a rule file about this line."""
    format_ = recognise("pasted", line.encode() + b"\n").format
    length = format_.parse(line, TimeHint(0.0)).length if format_ else 0
    name = stream or (format_.name if format_ else None)
    message, where = line[length:], f"streams: [{name}]\n    " if name else ""
    name = name or "stderr"
    return (
        f"id: {rule_id}\nclass: {rule_id}\ntitle: {quoted(message.splitlines()[0][:80])}\nseverity: error\n"
        f"status: experimental\ndepth: symptom\nsubject: domain\nsignatures:\n"
        f"  - {where}regex: {quoted(pattern_of(message))}\n    template: {quoted(message)}\n"
        f"cause: {quoted('Say why this happens, in words that a host operator uses.')}\n"
        f"verify: []\nremedy: []\nreferences: []\ntests:\n"
        f"  - name: fires on the line from the log\n    given: [{{stream: {name}, line: {quoted(line)}}}]\n"
        f"    expect: [{{}}]\n"
        f"  - name: stays quiet on another line\n    given: [{{stream: {name}, line: 'nothing is wrong here'}}]\n"
        f"    expect: []\n"
    )


def pattern_of(message: str) -> str:
    """The message as a regular expression; what varies from host to host is captured."""
    parts, used, at = list[str](), set[str](), 0
    while at < len(message):
        starts = [(m.start(), order) for order, (p, _, _) in enumerate(_VARIABLES) if (m := p.search(message, at))]
        if not starts:
            break
        start, order = min(starts)
        pattern, name, characters = _VARIABLES[order]
        match = pattern.search(message, at)
        if match is None:
            break
        parts += [_literal(message[at:start]), characters if name in used else f"(?P<{name}>{characters})"]
        used.add(name)
        at = match.end()
    return "".join([*parts, _literal(message[at:])])


def _literal(text: str) -> str:
    return re.sub(r"([\\.^$*+?{}\[\]|()])", r"\\\1", text).replace("\n", r"\n")


def quoted(text: str) -> str:
    """As a YAML scalar on one line."""
    if "\n" in text or not text.isprintable():
        import json  # noqa: PLC0415  YAML takes JSON's strings

        return json.dumps(text)
    return "'" + text.replace("'", "''") + "'"
