"""`xenwatch rules`: the commands for people who write rules."""

import click

from xenwatch.cli._rules.explain import coverage, explain
from xenwatch.cli._rules.lint import lint
from xenwatch.cli._rules.new import new
from xenwatch.cli._rules.show import list_rules, show
from xenwatch.cli._rules.test import test


@click.group("rules", context_settings={"help_option_names": ["-h", "--help"]})
def COMMAND() -> None:  # noqa: N802  the name that every module of this folder declares
    """List, show, check and test the rules that recognise failures of Xen."""


for _command in (list_rules, show, lint, test, explain, coverage, new):
    COMMAND.add_command(_command)
