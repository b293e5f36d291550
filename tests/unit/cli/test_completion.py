import os
import subprocess
import sys

import pytest
from click.testing import CliRunner

from xenwatch.cli.main import cli


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_its_script(shell: str):
    said = CliRunner().invoke(cli, ["completion", shell])
    assert said.exit_code == 0
    assert f"_XENWATCH_COMPLETE={shell}_complete" in said.stdout


def test_another_shell_is_wrong_use():
    assert CliRunner().invoke(cli, ["completion", "tcsh"]).exit_code == 2


@pytest.mark.parametrize(
    ("typed", "at", "wanted"),
    [("xenwatch dia", 1, "diagnose"), ("xenwatch rules li", 2, "list"), ("xenwatch diagnose --l", 2, "--live")],
)
def test_words_and_options_are_completed(typed: str, at: int, wanted: str):
    environment = {**os.environ, "_XENWATCH_COMPLETE": "bash_complete", "COMP_WORDS": typed, "COMP_CWORD": str(at)}
    said = subprocess.run(
        [sys.executable, "-m", "xenwatch.cli.main"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    ).stdout
    assert f"plain,{wanted}" in said.splitlines()
