"""What `pip install .` and `pipx install` give: the command, with the rules inside, wherever it is started."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from package.roots import CHECKOUT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]

BRIDGE = (
    "libxl: error: libxl_device.c:1351:device_hotplug_child_death_cb: script: Could not find bridge device xenbr7\n"
)
UV = [sys.executable, "-m", "uv"]


def run(*argv: str, cwd: Path, ok: tuple[int, ...] = (0,), **environment: str) -> str:
    env = {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": str(cwd),
        "XDG_CACHE_HOME": str(cwd / "cache"),
        **environment,
    }
    ended = subprocess.run(argv, cwd=cwd, env=env, capture_output=True, text=True, timeout=900, check=False)
    assert ended.returncode in ok, f"{argv}: {ended.returncode}\n{ended.stdout}\n{ended.stderr}"
    return ended.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run([*UV, "build", "-q", "--wheel", "--out-dir", str(folder)], cwd=CHECKOUT, check=True, timeout=600)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def constraints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The locked versions, so that the test is the same tomorrow."""
    locked = subprocess.run(
        [*UV, "pip", "compile", "-q", "pyproject.toml", "-c", "requirements.lock", "--no-annotate", "--no-header"],
        cwd=CHECKOUT, check=True, capture_output=True, text=True, timeout=600,
    ).stdout  # fmt: skip
    path = tmp_path_factory.mktemp("lock") / "constraints.txt"
    path.write_text(locked)
    return path


def knows_a_failure(command: Path, folder: Path) -> None:
    (folder / "xl-web.log").write_text(BRIDGE)
    assert run(str(command), "--version", cwd=folder).startswith("xenwatch, version ")
    assert "vif-bridge-missing" in run(str(command), "rules", "list", cwd=folder)
    told = json.loads(run(str(command), "diagnose", "--format", "json", "xl-web.log", cwd=folder, ok=(1,)))
    assert [i["rule"] for i in told["incidents"] if i["role"] == "cause"] == ["vif-bridge-missing"]
    page = run(str(command), "diagnose", "--format", "html", "xl-web.log", cwd=folder, ok=(1,))
    assert page.startswith("<!doctype html>")


def test_pip_install_in_a_fresh_environment_gives_the_command_with_its_rules(
    wheel: Path, constraints: Path, tmp_path: Path
):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "venv")], check=True, timeout=300)
    python = tmp_path / "venv/bin/python"
    argv = [*UV, "pip", "install", "-q", "--python", str(python), "-c", str(constraints), str(wheel)]
    subprocess.run(argv, check=True, timeout=900)
    knows_a_failure(tmp_path / "venv/bin/xenwatch", tmp_path)


def test_installed_as_a_tool_of_its_own_as_pipx_does_it_works_too(wheel: Path, constraints: Path, tmp_path: Path):
    places = {"UV_TOOL_DIR": str(tmp_path / "tools"), "UV_TOOL_BIN_DIR": str(tmp_path / "bin")}
    argv = [*UV, "tool", "install", "-q", "--python", sys.executable, "-c", str(constraints), str(wheel)]
    subprocess.run(argv, check=True, timeout=900, cwd=tmp_path, env={**os.environ, **places})
    knows_a_failure(tmp_path / "bin/xenwatch", tmp_path)
