import json
import re
import socket
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from xenwatch.base.errors import ConfigError
from xenwatch.cli.main import cli


def run(*words: str, **environment: str) -> Result:
    return CliRunner().invoke(cli, ["check", *words], env={"XENWATCH_CONFIG": "", **environment})


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "xend.log").write_text("[2012-11-22 20:11:13 2854] INFO (XendDomainInfo:1) x\n")
    path = tmp_path / "xenwatch.toml"
    path.write_text(
        f'[agent]\nstate_dir = "{tmp_path}/state"\n[logs]\npaths = ["{tmp_path}/*.log"]\n'
        f'[sampling]\nlibvirt_uri = "test:///default"\n[diagnosis]\ncache_dir = "{tmp_path}/cache"\n'
        '[web]\nlisten = "127.0.0.1:0"\n'
    )
    return path


def tried(said: Result) -> dict[str, dict[str, Any]]:
    assert said.stdout, said.exception
    return {one["about"]: one for one in json.loads(said.stdout)["tried"]}


def test_each_value_is_shown_with_the_line_or_variable_it_came_from(config: Path):
    said = run("--no-try", "--config", str(config), XENWATCH_AGENT_STALL_AFTER="90s")
    assert said.exit_code == 0
    shown = re.sub(" +", " ", said.stdout)
    assert f'web.listen = "127.0.0.1:0" # {config}:10' in shown
    assert 'agent.stall_after = "1m30s" # environment XENWATCH_AGENT_STALL_AFTER' in shown
    assert 'agent.commit_every = "1s" # default' in shown


def test_all_that_the_configuration_names_is_tried_and_is_well(config: Path):
    said = run("--config", str(config), "--format", "json")
    found = tried(said)
    assert said.exit_code == 0
    assert {one["verdict"] for one in found.values()} == {"ok"}
    assert found["logs.paths"]["words"] == "1 log: 1 xend"
    assert "1 running domain" in found["sampling.libvirt_uri"]["words"]
    assert not (config.parent / "state").exists()


def test_what_would_keep_the_agent_from_working_is_an_error_and_what_may_come_is_a_warning(config: Path):
    text = (
        config.read_text().replace("test:///default", "xen+unix:///system?socket=/nowhere").replace("*.log", "*.none")
    )
    config.write_text(text)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        said = run(
            "--config", str(config), "--format", "json",
            XENWATCH_WEB_LISTEN=f"127.0.0.1:{taken.getsockname()[1]}",
            XENWATCH_DIAGNOSIS_RULES="/nowhere", XENWATCH_SAMPLING_DISABLED="lvmm",
            XENWATCH_AGENT_STATE_DIR=f"{config}/state", XENWATCH_REMEDIATION_POLICY=str(config),
        )  # fmt: skip
    assert said.exit_code == 1
    assert {about: one["verdict"] for about, one in tried(said).items()} == {
        "agent.state_dir": "error",
        "logs.paths": "warning",
        "sampling": "error",
        "sampling.libvirt_uri": "warning",
        "diagnosis.rules": "error",
        "remediation.policy": "error",
        "remediation.access": "ok",
        "web.listen": "warning",
    }


def test_a_mistake_in_the_configuration_is_said_with_its_line(config: Path):
    config.write_text("[web]\nlistn = 1\n")
    assert isinstance(run("--config", str(config)).exception, ConfigError)
