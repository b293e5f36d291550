"""The helper as a process: who may ask it, by the kernel's word; and what is left when it is killed while it acts."""

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from split_story import SplitStory
from taken_agent import TakenAgent, until

from xenwatch.web.server.unix_socket import unix_socket

ABSENT = {"hosts": {"xen1": {"web": "absent"}}}
ASK = (
    f"import sys; sys.path[:] = {sys.path!r}; import asyncio; from pathlib import Path; "
    "from xenwatch.host.privileged.client import ask; "
    "print(asyncio.run(ask(Path(sys.argv[1]), {'do': 'ping'}, 10)))"
)
NOBODY, AGENT = 65534, 64999
READS_ALL = ("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search")
"""As the agent: it may read every file. This Python may lie where only root may."""
needs_root = pytest.mark.skipif(os.geteuid() != 0 or shutil.which("setpriv") is None, reason="needs root and setpriv")


@contextmanager
def running(folder: Path, log: Path = Path(os.devnull), **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """The helper's process, with its socket as systemd would hand it over."""
    listening, errors = unix_socket(folder / "effects.sock"), log.open("w")
    process = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("helper_process.py")), str(folder), str(listening.fileno())],
        pass_fds=[listening.fileno()], env=os.environ | environment, start_new_session=True, stderr=errors,
    )  # fmt: skip
    listening.close()
    errors.close()
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        (folder / "effects.sock").unlink(missing_ok=True)


def effects(folder: Path) -> list[str]:
    path = folder / "effects"
    return path.read_text().split() if path.exists() else []


def asked_as(uid: int, path: Path) -> str:
    words = [
        "setpriv",
        f"--reuid={uid}",
        f"--regid={uid}",
        "--clear-groups",
        *READS_ALL,
        "--",
        sys.executable,
        "-c",
        ASK,
    ]
    ended = subprocess.run([*words, str(path)], capture_output=True, text=True, timeout=60, check=False)
    return ended.stdout + ended.stderr


@needs_root
def test_only_the_agents_user_and_root_may_ask_whatever_the_file_says(tmp_path):
    story = SplitStory(tmp_path, ABSENT)
    story.service.close()
    for folder in (tmp_path, *tmp_path.parents[:-2]):
        if folder.stat().st_mode & 0o001 == 0:
            folder.chmod(0o755)
    log = tmp_path / "log"
    with running(tmp_path, log, ALLOWED=str(AGENT)):
        path = tmp_path / "effects.sock"
        path.chmod(0o666)
        assert "'policy'" in asked_as(AGENT, path)
        assert "'policy'" in asked_as(0, path)
        assert "'policy'" not in asked_as(NOBODY, path)
        assert "refused, asked by nobody" in log.read_text()
        path.chmod(0o660)
        assert "Permission denied" in asked_as(NOBODY, path)


@needs_root
@pytest.mark.skipif(not Path("/usr/bin/python3").exists(), reason="needs a Python that every user may run")
def test_the_store_is_read_with_the_agents_rights_and_gives_nothing_that_it_may_not_read(tmp_path):
    secret = tmp_path / "secret.db"
    secret.write_text("x")
    secret.chmod(0o600)
    who = ["setpriv", f"--reuid={AGENT}", f"--regid={AGENT}", "--clear-groups", "--inh-caps=-all", "--no-new-privs"]
    code = f"import sys; sys.path[:0] = {sys.path!r}; from xenwatch.effects.stored_run import main; "
    words = [*who, "--", "/usr/bin/python3", "-I", "-c", code + "sys.exit(main(sys.argv[1:]))", str(secret), "r"]
    ended = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1
    assert "unable to open" in ended.stderr


async def test_killed_while_it_acts_the_run_is_unknown_and_nothing_is_begun_a_second_time(tmp_path):
    story = SplitStory(tmp_path, ABSENT)
    with running(tmp_path) as process:
        await story.play([{"incident": "guest-down"}])
        await story.service.tick()
        idle = story.service.idle()
        waiting = asyncio.ensure_future(idle)
        await asyncio.to_thread(until, lambda: effects(tmp_path) == ["began"])
        process.kill()
        await waiting
    (run,) = await story.service.runs()
    assert run.state == "unknown"
    assert "ended the connection without an answer" in run.reason
    (tmp_path / "go").touch()
    await asyncio.to_thread(until, lambda: effects(tmp_path) == ["began", "ended"])  # the program itself was not killed
    with running(tmp_path):
        agent = TakenAgent(story)
        agent.sql("UPDATE run SET state='executing'")
        agent.sql("DELETE FROM entry WHERE kind='outcome'")
        assert "was begun, and how it ended is not known" in await agent.ask(run.id)
        assert "was begun, and how it ended is not known" in await agent.ask(run.id, order=1)
    assert effects(tmp_path) == ["began", "ended"]
    story.service.close()


async def test_an_agent_that_goes_away_does_not_interrupt_what_it_asked_for(tmp_path):
    story = SplitStory(tmp_path, ABSENT)
    with running(tmp_path):
        agent = TakenAgent(story)
        asking = asyncio.create_task(agent.forged())
        await asyncio.to_thread(until, lambda: effects(tmp_path) == ["began"])
        asking.cancel()
        (tmp_path / "go").touch()
        await asyncio.to_thread(until, lambda: '"what": "end"' in (tmp_path / "ledger.jsonl").read_text())
    assert effects(tmp_path) == ["began", "ended"]
    story.service.close()


@pytest.mark.skipif(shutil.which("systemd-socket-activate") is None, reason="needs systemd-socket-activate")
async def test_the_program_itself_takes_its_socket_from_systemd_and_answers(tmp_path):
    story = SplitStory(tmp_path, ABSENT)
    config = tmp_path / "xenwatch.toml"
    config.write_text(
        f'[agent]\nstate_dir = "{tmp_path}"\n[remediation]\npolicy = "{story.policy_file}"\n'
        '[sampling]\nlibvirt_uri = ""\n'
    )
    words = ["systemd-socket-activate", "-l", str(tmp_path / "effects.sock"), sys.executable, "-m"]
    more = ["xenwatch.effects.main", "effects", "--config", str(config), "--folder", str(tmp_path), "--agent", "root"]
    with subprocess.Popen([*words, *more], stderr=subprocess.DEVNULL) as process:  # noqa: ASYNC220 - it does not wait
        try:
            await asyncio.to_thread(until, (tmp_path / "effects.sock").exists)
            assert await story.socket.refusal() is None
            story.policy_file.chmod(0o666)
            assert "nobody else may write it" in str(await story.socket.refusal())
        finally:
            process.terminate()
    story.service.close()


async def test_without_the_helper_a_run_waits_and_the_reason_is_kept(tmp_path):
    story = SplitStory(tmp_path, ABSENT)
    await story.play([{"incident": "guest-down"}, {"tick": 2}])
    (run,) = await story.service.runs()
    assert run.state == "proposed"
    assert any("effects: the effects helper does not answer" in e.reason for e in await story.service.entries(run.id))
    async with story:
        await story.play([{"tick": 1}])
        assert [run.state for run in await story.service.runs()] == ["succeeded"]
