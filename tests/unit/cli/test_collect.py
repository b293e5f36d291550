import stat
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from xenwatch.base.errors import InputError
from xenwatch.cli.main import cli


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "xl-web.log").write_text('vncpasswd = "s3cret"\n')
    path = tmp_path / "xenwatch.toml"
    path.write_text(f'[logs]\npaths = ["{tmp_path}/*.log"]\n[sampling]\nlibvirt_uri = "test:///default"\n')
    return path


def collect(config: Path, *words: str) -> Result:
    return CliRunner().invoke(cli, ["collect", "--config", str(config), *words])


def test_a_bundle_is_its_owners_alone_and_holds_the_logs_without_their_secrets(config: Path, tmp_path: Path):
    bundle = tmp_path / "b.tar.gz"
    said = collect(config, "-o", str(bundle))
    assert said.exit_code == 0, said.output
    assert said.stdout == f"{bundle}\n"
    assert stat.S_IMODE(bundle.stat().st_mode) == 0o600
    with tarfile.open(bundle) as archive:
        log = next(m for m in archive if m.name.endswith("xl-web.log"))
        file = archive.extractfile(log)
        assert file
        assert file.read() == b'vncpasswd = "[redacted]"\n'
        assert not [m.name for m in archive.getmembers() if m.name.startswith("/") or ".." in m.name]


def test_a_file_that_is_there_is_not_overwritten(config: Path, tmp_path: Path):
    (tmp_path / "b.tar.gz").write_text("mine")
    said = collect(config, "-o", str(tmp_path / "b.tar.gz"))
    assert isinstance(said.exception, InputError)
    assert "already exists" in str(said.exception)
    assert (tmp_path / "b.tar.gz").read_text() == "mine"


def test_a_place_that_cannot_be_written_is_said(config: Path):
    said = collect(config, "-o", "/nowhere/b.tar.gz")
    assert isinstance(said.exception, InputError)
    assert "/nowhere/b.tar.gz cannot be written" in str(said.exception)


def test_where_there_is_no_room_no_half_bundle_stays(config: Path, tmp_path: Path):
    bundle = tmp_path / "b.tar.gz"
    code = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000));"
        "from xenwatch.cli.main import main; main()"
    )
    argv = [sys.executable, "-c", code, "collect", "--config", str(config), "-o", str(bundle)]
    said = subprocess.run(argv, capture_output=True, text=True, timeout=100, check=False)
    assert said.returncode == 2
    assert f"{bundle} cannot be written" in said.stderr
    assert not bundle.exists()


def test_a_limit_that_is_no_size_is_wrong_use(config: Path):
    said = collect(config, "--limit", "much")
    assert said.exit_code == 2
    assert "is not a size" in said.output


def test_on_a_schedule_a_bundle_comes_at_once_and_sigterm_ends_the_waiting(config: Path, tmp_path: Path):
    folder = tmp_path / "bundles"
    argv = [sys.executable, "-m", "xenwatch.cli.main", "collect", "--config", str(config), "--every", "1h"]
    with subprocess.Popen([*argv, "-o", str(folder)], stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        bundle = Path(running.stdout.readline().strip())
        running.terminate()
        assert running.wait(timeout=60) == 0
    assert [path.name for path in folder.iterdir()] == [bundle.name]
    assert stat.S_IMODE(bundle.stat().st_mode) == 0o600


def test_a_schedule_of_seconds_is_refused(config: Path):
    assert "at least a minute" in collect(config, "--every", "5s").output
