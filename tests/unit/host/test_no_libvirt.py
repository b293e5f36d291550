"""A dom0 without libvirt, as with xl alone: xenwatch runs there, and says what is missing only where it is asked."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

WITHOUT = "import sys; sys.modules['libvirt'] = None; from xenwatch.cli.main import main; main()"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "xenwatch.toml"
    path.write_text(
        f'[agent]\nstate_dir = "{tmp_path}/state"\n[logs]\npaths = []\njournal = false\n[web]\nlisten = "127.0.0.1:1"\n'
        'socket = ""\n'
    )
    return path


def xenwatch(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, "-c", WITHOUT, *words], capture_output=True, text=True, check=False)


def test_the_numbers_of_the_host_are_there_and_nothing_fails_at_the_import(config: Path):
    said = xenwatch("sample", "--alone", "--config", str(config))
    assert said.returncode == 0, said.stderr
    assert "xen_dom0_memory_available_bytes" in said.stdout
    assert 'xenwatch_source_up{source="libvirt"} 0' in said.stdout


def test_check_says_which_package_is_missing_and_when_it_is_needed(config: Path):
    said = json.loads(xenwatch("check", "--format", "json", "--config", str(config)).stdout)
    (finding,) = [one for one in said["tried"] if one["about"] == "sampling.libvirt_uri"]
    assert finding["verdict"] == "warning"
    assert "python3-libvirt is not installed; it is needed only where libvirt manages the guests" in finding["words"]
