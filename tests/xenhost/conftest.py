"""A booted Xen host with the agent installed; each test begins from the same saved moment."""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import image
import install
import report
from machine import Machine

NEEDED = ("qemu-system-x86_64", "qemu-img", "mmdebstrap", "mke2fs", "cpio", "ssh", "grub-mkimage")


def _suites() -> list[str]:
    return os.environ.get("XENHOST_SUITES", "bookworm trixie").split()


@pytest.fixture(scope="session", params=_suites())
def installed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if missing or os.geteuid() != 0:
        pytest.fail(f"the Xen host needs root and {', '.join(missing) or 'nothing else'}; see tests/xenhost/README.md")
    suite = image.SUITES[request.param]
    machine = Machine(image.build(suite), image.CACHE / f"run-{suite.name}")
    shutil.rmtree(machine.folder, ignore_errors=True)
    machine.start()
    try:
        machine.wait_ready()
        install.install(machine, tmp_path_factory.mktemp(suite.name))
        machine.save("installed")
        yield machine
    finally:
        machine.stop()
        shutil.rmtree(machine.folder, ignore_errors=True)


@pytest.fixture
def host(installed: Machine) -> Machine:
    installed.restore("installed")
    installed.wait_ready()
    return installed


@pytest.fixture(scope="session")
def results() -> Iterator[list[dict[str, object]]]:
    """Rows that end up in results.json, from which docs/xenhost.md is written; older rows of other stories stay."""
    rows: list[dict[str, object]] = []
    yield rows
    if rows:
        fresh = {(row["suite"], row["story"]) for row in rows}
        kept = [row for row in report.load("results.json", []) if (row["suite"], row["story"]) not in fresh]
        report.keep("results.json", [*kept, *rows])


@pytest.fixture(scope="session")
def tables() -> Iterator[dict[str, object]]:
    """By suite, the numbers beside what the tools said."""
    found: dict[str, object] = {}
    yield found
    if found:
        report.keep("numbers.json", {**report.load("numbers.json", {}), **found})
