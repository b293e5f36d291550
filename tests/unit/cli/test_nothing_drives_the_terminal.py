"""Whatever a file is called and a log holds: no output carries an escape sequence or turns text around."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from xenwatch.base.clock import SystemClock
from xenwatch.model.action import Proposal, Trigger
from xenwatch.model.subject import Subject
from xenwatch.remediation.open import RUN_STORE
from xenwatch.remediation.store import runs
from xenwatch.remediation.store.run_store import RunStore

HURT = "\x1b[2J\x9b31m\x7f\u202egnp\u2066\u200b\ufeff"
DRIVES = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2066-\u2069\ufeff]")


WEB = Subject("domain", "web", "11111111-1111-4111-8111-111111111111")
PROPOSAL = Proposal(
    action="domain_start", target=WEB, params={}, rule="r", mode="propose", risk="L2",
    trigger=Trigger("incident", "guest-down", WEB, "1", "now"), host="xen1", dedupe_key="1", policy_hash="p",
    plan_hash="h", plan=(f"xl create {HURT}",), needs_approval=True, expires=1e12,
)  # fmt: skip


def xenwatch(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "xenwatch.cli.main", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder, timeout=100)


def test_json_says_what_a_log_holds_in_escapes_of_its_own(tmp_path: Path) -> None:
    line = f"libxl: error: libxl_device.c:1351:f: script: Could not find bridge device xenbr1{HURT}\n"
    (tmp_path / "xl-web.log").write_text(line)
    done = xenwatch(tmp_path, "diagnose", "-q", "--format", "json", "xl-web.log")
    assert DRIVES.search(done.stdout) is None
    assert "\u202egnp" in json.dumps(json.loads(done.stdout), ensure_ascii=False)


HOSTILE = f"libxl: error: libxl_device.c:1351:f: script: Could not find bridge device xenbr1 {HURT}\n"
UNKNOWN = f"libxl: error: libxl_odd.c:1:f: nobody knows this failure {HURT}\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ("diagnose", "xl-web.log"),
        ("diagnose", "-vv", "xl-web.log"),
        ("diagnose", "--format", "markdown", "xl-web.log"),
        ("diagnose", "--format", "html", "xl-web.log"),
        ("explain", HOSTILE),
        ("explain", "--format", "json", HOSTILE),
        ("rules", "coverage", "--log", "xl-web.log"),
        ("rules", "coverage", "--format", "json", "--log", "xl-web.log"),
        ("rules", "explain", "vif-bridge-missing", "--log", "xl-web.log"),
        ("rules", "new", HOSTILE.replace("\x00", "")),
    ],
    ids=" ".join,
)
def test_no_command_that_reads_logs_repeats_an_escape(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    (tmp_path / "xl-web.log").write_text(HOSTILE + UNKNOWN)
    done = xenwatch(tmp_path, *arguments)
    assert done.returncode in (0, 1, 2)
    assert DRIVES.search(done.stdout + done.stderr) is None


@pytest.mark.parametrize("form", ["text", "json"])
def test_what_a_program_said_in_a_repair_is_told_without_its_escapes(tmp_path: Path, form: str) -> None:
    """`xl create` repeats what a guest wrote into its boot loader's configuration."""
    (tmp_path / "policy.toml").write_text('[remediation]\nhost = "xen1"\n')
    (tmp_path / "x.toml").write_text(
        f'[agent]\nstate_dir = "{tmp_path}"\n[remediation]\npolicy = "{tmp_path}/policy.toml"\n'
    )
    store = RunStore(tmp_path / RUN_STORE, SystemClock(), "b")
    with store.transaction() as transaction:
        run = runs.add(transaction, PROPOSAL)
        assert run is not None
        runs.move(transaction, run, "aborted", "xenwatch", f"pygrub: {HURT}\nno such kernel")
    store.close()
    for words in (("audit",), ("remediation", "list", "--all"), ("remediation", "show", run)):
        done = xenwatch(tmp_path, *words, "--config", "x.toml", "--format", form)
        assert done.returncode == 0, done.stderr
        assert "no such kernel" in done.stdout
        assert DRIVES.search(done.stdout + done.stderr) is None
        assert form == "json" or not any(line.startswith("no such") for line in done.stdout.splitlines())


@pytest.mark.parametrize(
    "arguments",
    [
        ("diagnose", f"no{HURT}where"),
        ("diagnose", f"--{HURT}"),
        (f"no{HURT}command",),
        ("rules", "test", f"no{HURT}where.yaml"),
        ("rules", "lint", "--only", f"no{HURT}lint"),
        ("diagnose", "--since", f"{HURT}", "."),
    ],
    ids=["file", "option", "command", "rule", "lint", "time"],
)
def test_an_error_message_repeats_no_escape(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = xenwatch(tmp_path, *arguments)
    assert done.returncode == 2
    assert done.stderr
    assert DRIVES.search(done.stderr) is None
