"""The metrics of a host without a port of xenwatch's own: read by promtool and by Debian's node_exporter."""

import asyncio
import subprocess
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from click.testing import CliRunner, Result
from monitoring.stack import free_port, process
from monitoring.tools import tool

from xenwatch.base.errors import InputError
from xenwatch.cli.main import cli
from xenwatch.cli.sample import without_programs

AGENT = """# HELP process_cpu_seconds_total Total user and system CPU time spent in seconds.
# TYPE process_cpu_seconds_total counter
process_cpu_seconds_total 1.5
# HELP xenwatch_incident_open Whether it is open
# TYPE xenwatch_incident_open gauge
xenwatch_incident_open{class="vif-bridge-missing"} 1
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """libvirt's test driver; nobody listens on port 1."""
    path = tmp_path / "xenwatch.toml"
    path.write_text('[sampling]\nlibvirt_uri = "test:///default"\n[web]\nlisten = "127.0.0.1:1"\nsocket = ""\n')
    return path


def sample(config: Path, *words: str) -> Result:
    return CliRunner().invoke(cli, ["sample", "--config", str(config), *words])


def test_without_an_agent_the_host_itself_is_sampled_and_promtool_has_nothing_to_say_against_it(config: Path):
    said = sample(config)
    assert said.exit_code == 0
    assert 'xen_domain_info{domain="test"' in said.stdout
    checked = subprocess.run(
        [tool("promtool"), "check", "metrics"], input=said.stdout, capture_output=True, text=True, check=False
    )
    assert checked.returncode in (0, 3)  # 3: advice about names only
    assert "error while linting" not in checked.stderr


async def scraped(folder: Path) -> str:
    """What Debian's node_exporter answers with this folder of textfiles."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/metrics"
    words = (f"--web.listen-address=127.0.0.1:{port}", f"--collector.textfile.directory={folder}")
    argv = (tool("prometheus-node-exporter"), "--collector.disable-defaults", "--collector.textfile", *words)
    async with (
        process(folder / "log", f"http://127.0.0.1:{port}/", *argv),
        aiohttp.ClientSession() as http,
        http.get(url) as answer,
    ):
        assert answer.status == 200, await answer.text()
        return await answer.text()


def test_node_exporter_serves_the_textfile_of_the_host_and_finds_no_mistake_in_it(config: Path, tmp_path: Path):
    (tmp_path / "textfiles").mkdir()
    assert sample(config, "--textfile", str(tmp_path / "textfiles/xenwatch.prom")).exit_code == 0
    served = asyncio.run(scraped(tmp_path / "textfiles"))
    assert 'xen_domain_info{domain="test"' in served
    assert "node_textfile_scrape_error 0" in served


def test_the_agents_incidents_come_along_and_its_process_does_not_collide_with_node_exporters(
    agent: tuple[str, type[Any]], config: Path, tmp_path: Path
):
    url, handler = agent
    handler.answers["/metrics"] = (200, AGENT)
    config.write_text(f'[web]\nlisten = "{url.removeprefix("http://")}"\nsocket = ""\n')
    assert 'xenwatch_incident_open{class="vif-bridge-missing"} 1' in sample(config).stdout
    (tmp_path / "textfiles").mkdir()
    sample(config, "--textfile", str(tmp_path / "textfiles/xenwatch.prom"))
    served = asyncio.run(scraped(tmp_path / "textfiles"))
    assert 'xenwatch_incident_open{class="vif-bridge-missing"} 1' in served
    assert "node_textfile_scrape_error 0" in served
    assert "process_cpu_seconds_total 1.5" not in served


def test_the_file_is_replaced_whole_and_everybody_may_read_it(config: Path, tmp_path: Path):
    path = tmp_path / "xenwatch.prom"
    path.write_text("old 1\n")
    before = path.stat().st_ino
    assert sample(config, "--textfile", str(path)).exit_code == 0
    assert path.stat().st_ino != before
    assert path.stat().st_mode & 0o777 == 0o644
    assert not [file for file in tmp_path.iterdir() if file.name.startswith(".xenwatch")]


def test_a_name_that_node_exporter_does_not_read_a_collector_that_is_none_and_a_folder_that_is_not_there_are_refused(
    config: Path, tmp_path: Path
):
    for words, said in (
        (("--textfile", str(tmp_path / "xenwatch.txt")), ".prom"),
        (("--collector", "weather"), "weather"),
        (("--textfile", str(tmp_path / "none/xenwatch.prom")), "cannot be written"),
        (("--every", "30"), "--textfile"),
    ):
        result = sample(config, *words)
        assert isinstance(result.exception, InputError)
        assert said in str(result.exception)


def test_one_collector_gives_its_metrics_alone(config: Path):
    said = sample(config, "--collector", "domain").stdout
    assert "xen_domain_info" in said
    assert "xen_vif_" not in said


def test_only_what_each_program_says_of_itself_is_left_out():
    assert without_programs(AGENT.encode()).decode() == "".join(AGENT.splitlines(keepends=True)[3:])
