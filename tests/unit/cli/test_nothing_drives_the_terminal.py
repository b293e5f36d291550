"""Whatever a file is called and a log holds: no output carries an escape sequence or turns text around."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

HURT = "\x1b[2J\x9b31m\x7f\u202egnp\u2066\u200b\ufeff"
DRIVES = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2066-\u2069\ufeff]")


def xenwatch(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "xenwatch.cli.main", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder, timeout=100)


def test_json_says_what_a_log_holds_in_escapes_of_its_own(tmp_path: Path) -> None:
    line = f"libxl: error: libxl_device.c:1351:f: script: Could not find bridge device xenbr1{HURT}\n"
    (tmp_path / "xl-web.log").write_text(line)
    done = xenwatch(tmp_path, "diagnose", "-q", "--format", "json", "xl-web.log")
    assert DRIVES.search(done.stdout) is None
    assert "\u202egnp" in json.dumps(json.loads(done.stdout), ensure_ascii=False)


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
