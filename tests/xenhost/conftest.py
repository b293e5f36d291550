"""A booted Xen host with the agent installed; each test begins from the same saved moment."""

import os
import shutil
import sys
from collections.abc import Callable, Iterator
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


@pytest.fixture
def results() -> Callable[[dict[str, object]], None]:
    """Keeps a story's row in results.json at once, from which docs/xenhost.md is written; other stories' rows stay."""

    def keep(row: dict[str, object]) -> None:
        key = (row["suite"], row["story"])
        kept = [old for old in report.load("results.json", []) if (old["suite"], old["story"]) != key]
        report.keep("results.json", [*kept, row])

    return keep


@pytest.fixture
def tables() -> Callable[[str, dict[str, object]], None]:
    """Keeps a suite's numbers beside what the tools said."""

    def keep(suite: str, table: dict[str, object]) -> None:
        report.keep("numbers.json", {**report.load("numbers.json", {}), suite: table})

    return keep
