"""One trouble told of nobody by what somebody asks about, and of a guest by its own log: the guest comes first."""

from pathlib import Path

import pytest

from xenwatch.diagnosis.ruleset import cache_folder, rules_with
from xenwatch.triage.diagnose import diagnose
from xenwatch.triage.report import Report

NOBODYS = "gntshr: error: ioctl failed: No space left on device\n"
OF_WEB = (
    "[2024-01-29 19:37:19] [18883.833226] xen:grant_table: xen/grant-table: max_grant_frames reached "
    "cur=64 extra=1 limit=64 gnttab_free_count=0 req_entries=1\n"
)
OTHER_TROUBLE = "[2024-01-29 19:37:19] [18883.833226] Kernel panic - not syncing: Attempted to kill init!\n"


def first(report: Report) -> str:
    return str(report.incidents[0].diagnosis.subject)


@pytest.fixture
def told(tmp_path: Path):
    def told(guests: str) -> Report:
        (tmp_path / "stderr.log").write_text(NOBODYS)
        (tmp_path / "guest-web.log").write_text(guests)
        return diagnose([str(tmp_path)], rules_with((), cache_folder()), cache=cache_folder())

    return told


def test_the_same_trouble_told_of_a_guest_is_no_history_and_comes_first(told) -> None:
    report = told(OF_WEB)
    assert first(report) == "domain/web"
    assert not report.earlier


def test_another_trouble_of_a_guest_that_is_not_asked_about_is_history(told) -> None:
    report = told(OTHER_TROUBLE)
    assert first(report) == "host/dom0"
    assert [str(i.diagnosis.subject) for i in report.history] == ["domain/web"]


@pytest.mark.parametrize(("vif", "causes"), [("vif7.0", ["domain/7"]), ("vif8.0", ["domain/7", "vif/vif8.0"])])
def test_what_backends_say_of_a_guests_device_is_part_of_that_guests_trouble(
    tmp_path: Path, vif: str, causes: list[str]
) -> None:
    (tmp_path / "dmesg.txt").write_text(
        "[  501.840816] vif vif-7-0 vif7.0: Cross page boundary, txp->offset: 2872, size: 1460\n"
        f"[  501.840828] vif {vif.replace('vif', 'vif-').replace('.', '-')} {vif}: fatal error; disabling device\n"
    )
    report = diagnose([str(tmp_path)], rules_with((), cache_folder()), cache=cache_folder())
    assert sorted(str(i.diagnosis.subject) for i in report.causes) == causes
