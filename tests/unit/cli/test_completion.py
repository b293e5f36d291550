import os
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from xenwatch.cli._complete import guest_names, incident_ids
from xenwatch.cli.main import cli
from xenwatch.model.diagnosis import Diagnosis
from xenwatch.model.incident import Incident
from xenwatch.model.subject import Subject
from xenwatch.state.store import Store


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_its_script(shell: str):
    said = CliRunner().invoke(cli, ["completion", shell])
    assert said.exit_code == 0
    assert f"_XENWATCH_COMPLETE={shell}_complete" in said.stdout


def test_another_shell_is_wrong_use():
    assert CliRunner().invoke(cli, ["completion", "tcsh"]).exit_code == 2


@pytest.mark.parametrize(
    ("typed", "at", "wanted"),
    [
        ("xenwatch dia", 1, "diagnose"),
        ("xenwatch rules li", 2, "list"),
        ("xenwatch diagnose --l", 2, "--live"),
        ("xenwatch rules show lvm-thin-pool-f", 3, "lvm-thin-pool-full"),
    ],
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


def test_ids_of_incidents_are_completed_from_the_state_where_no_agent_answers(tmp_path: Path):
    diagnosis = Diagnosis("r", "c", Subject("domain", "web"), "error", title="A title", summary="", cause="", at=1.0)
    store = Store(tmp_path / "state", now=lambda: 0.0)
    store.commit(
        {}, {}, [Incident("aaa111", diagnosis, "open", 1.0, 1.0), Incident("bbb222", diagnosis, "open", 1.0, 1.0)]
    )
    store.close()
    config = tmp_path / "xenwatch.toml"
    config.write_text(f'[agent]\nstate_dir = "{tmp_path}/state"\n[web]\nlisten = "127.0.0.1:1"\n')
    context = click.Context(cli)
    context.params = {"config": config}
    items = incident_ids(context, click.Argument(["incident"]), "bb")
    assert [(item.value, item.help) for item in items] == [("bbb222", "A title")]


def test_what_cannot_be_read_completes_nothing(tmp_path: Path):
    context = click.Context(cli)
    context.params = {"config": tmp_path / "no.toml", "policy": tmp_path / "no-policy.toml"}
    assert incident_ids(context, click.Argument(["incident"]), "") == []
    assert guest_names(context, click.Argument(["guest"]), "") == []
