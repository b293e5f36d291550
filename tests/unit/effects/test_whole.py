"""The whole split on this machine: another user asks, and the real helper carries out a real order as root."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from taken_agent import TakenAgent, until

from xenwatch.base.clock import SystemClock
from xenwatch.model.subject import Subject
from xenwatch.remediation.open import RUN_STORE, read_policy

FLAG = "/var/lib/xenwatch-effects/cordoned"
ARGV = ("install", "-D", "-m", "644", "/dev/null", FLAG)
HOST = Subject("host", "xen1")
POLICY = """
[remediation]
host = "xen1"
mode = "auto"
[[rule]]
name = "r"
mode = "auto"
[rule.when]
class = "x"
[rule.scope]
selector = "host:xen1"
[[rule.ladder]]
action = "host_cordon"
"""
PYTHON = "/usr/bin/python3"
"""One that every user may run: the helper reads the store as the agent's user."""
NOBODY = 65534
ASK = (
    f"import sys; sys.path[:0] = {sys.path!r}; import asyncio, json; from pathlib import Path; "
    "from xenwatch.host.privileged.client import ask; "
    "print(json.dumps(asyncio.run(ask(Path(sys.argv[1]), json.loads(sys.argv[2]), 60))))"
)
ALONE = """
mount -t tmpfs none /var/lib && mkdir /var/lib/xenwatch-effects
mount --bind "$0" "$0" && mount -o remount,ro,bind "$0"
exec "$@"
"""
"""In a mount namespace of its own, so that nothing stays on this machine; what is there then is seen through /proc. The
agent's folder ($0) is read-only there, as under the unit."""


def why_not() -> str | None:
    if os.geteuid() != 0 or not all(map(shutil.which, ("setpriv", "unshare", "systemd-socket-activate", PYTHON))):
        return "needs root, setpriv, unshare, systemd-socket-activate and a Python that every user may run"
    same = subprocess.run(
        [PYTHON, "-c", "import sys; print(sys.version_info[:2])"], capture_output=True, text=True, check=False
    )
    if same.stdout.strip() != str(tuple(sys.version_info[:2])):
        return "needs a Python of the same version that every user may run"
    tried = subprocess.run(
        ["unshare", "-m", "sh", "-c", "mount -t tmpfs none /var/lib"], capture_output=True, check=False
    )
    return "needs a mount namespace" if tried.returncode else None


pytestmark = pytest.mark.skipif(why_not() is not None, reason=why_not() or "")


@contextmanager
def helper(folder: Path) -> Iterator[int]:
    """The program as its unit starts it; its process id."""
    config = folder / "xenwatch.toml"
    paths = f'[agent]\nstate_dir = "{folder}/state"\n[remediation]\npolicy = "{folder}/policy.toml"\n'
    config.write_text(paths + '[sampling]\nlibvirt_uri = ""\n')
    program = f"import sys, os; sys.path[:0] = {sys.path!r}; from xenwatch.effects.main import main; "
    words = ["systemd-socket-activate", "-l", str(folder / "effects.sock"), PYTHON, "-I", "-c"]
    words += [program + "sys.exit(main(sys.argv[1:], dict(os.environ)))"]
    words += ["effects", "--config", str(config), "--folder", str(folder / "own"), "--agent", "nobody"]
    with subprocess.Popen(
        ["unshare", "-m", "sh", "-ec", ALONE, str(folder / "state"), *words], stderr=subprocess.DEVNULL
    ) as process:
        try:
            until((folder / "effects.sock").exists)
            yield process.pid
        finally:
            process.terminate()


def asked_by(uid: int, folder: Path, message: dict[str, object]) -> dict[str, object]:
    """What the helper answers to that user, who may do nothing besides."""
    words = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "--no-new-privs", "--", PYTHON, "-c", ASK]
    asked = [*words, str(folder / "effects.sock"), json.dumps(message)]
    said = subprocess.run(asked, capture_output=True, text=True, timeout=90, check=False)
    return json.loads(said.stdout) if said.returncode == 0 else {"error": said.stderr.strip().splitlines()[-1]}


def effect(run: str, action: str, argv: tuple[str, ...]) -> dict[str, object]:
    return {"do": "effect", "run": run, "order": 0, "action": action, "expects": " ".join(argv)}


@pytest.fixture
def agent(tmp_path) -> Iterator[TakenAgent]:
    for folder in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        folder.chmod(0o755)
    (tmp_path / "policy.toml").write_text(POLICY)
    (tmp_path / "state").mkdir(mode=0o750)
    (tmp_path / "own").mkdir(mode=0o700)
    service = SimpleNamespace(policy=read_policy(tmp_path / "policy.toml"))
    taken = TakenAgent(
        SimpleNamespace(folder=tmp_path / "state", clock=SystemClock(), boot="b", service=service), RUN_STORE
    )  # type: ignore[arg-type]
    yield taken
    taken.store.close()


def given_to_the_agent(folder: Path) -> None:
    for path in (folder, *folder.iterdir()):
        os.chown(path, NOBODY, NOBODY)


def test_the_agents_user_has_done_what_the_policy_allows_and_nothing_else(agent, tmp_path):
    allowed = agent.forge("host_cordon", ARGV, target=HOST)
    other = agent.forge("free_dom0_space", ("apt-get", "clean"), target=HOST, params={"path": "/"})
    given_to_the_agent(tmp_path / "state")
    with helper(tmp_path) as pid:
        (tmp_path / "effects.sock").chmod(0o660)
        assert "Permission denied" in str(asked_by(NOBODY, tmp_path, {"do": "ping"}))
        os.chown(tmp_path / "effects.sock", 0, NOBODY)
        assert "refused" not in asked_by(NOBODY, tmp_path, {"do": "ping"})
        said = asked_by(NOBODY, tmp_path, effect(other, "free_dom0_space", ("apt-get", "clean")))
        assert "no such step" in str(said["refused"])
        said = asked_by(NOBODY, tmp_path, effect(allowed, "host_cordon", ARGV))
        assert said == {"code": 0, "out": "", "err": ""}
        assert Path(f"/proc/{pid}/root{FLAG}").stat().st_uid == 0
        again = asked_by(NOBODY, tmp_path, effect(allowed, "host_cordon", ARGV))
        assert "not the next one" in str(again["refused"])
    ledger = [json.loads(line) for line in (tmp_path / "own/ledger.jsonl").read_text().splitlines()]
    assert [line["what"] for line in ledger] == ["start", "begin", "end"]
    assert (tmp_path / "own/ledger.jsonl").stat().st_mode & 0o777 == 0o600
