"""What a command printed is read as facts and as lines: a row of its table may be the symptom itself."""

from pathlib import Path

from xenwatch.diagnosis.ruleset import cache_folder, rules_with
from xenwatch.triage.diagnose import diagnose
from xenwatch.triage.report import Report

NAMELESS = """\
Name                                     ID Mem(MiB) VCPUs State   Time(s)
Domain-0                                  0     2554     2 r-----  16511.2
Domain-4                                  4      127     1 -b----   1671.5
"""
NAMED = NAMELESS.replace("Domain-4", "mail    ")


def report_of(folder: Path, **files: str) -> Report:
    for name, text in files.items():
        (folder / f"{name}.txt").write_text(text)
    return diagnose([str(folder)], rules_with((), cache_folder()), cache=cache_folder())


def test_a_row_of_xm_list_tells_that_xend_lost_a_name(tmp_path: Path) -> None:
    found = report_of(tmp_path, xm_list=NAMELESS)
    assert [i.diagnosis.rule for i in found.incidents] == ["xend-names-lost"]
    assert any("xl list" in name for name in found.facts)


def test_a_healthy_list_tells_nothing(tmp_path: Path) -> None:
    found = report_of(tmp_path, xm_list=NAMED)
    assert not found.incidents
    assert not found.unmatched


def test_a_warning_above_a_table_is_not_lost(tmp_path: Path) -> None:
    table = "  VG  #PV #LV #SN Attr   VSize   VFree\n  vg0   1   3   0 wz--n- 931.50g 100.00g\n"
    warning = "  WARNING: Device for PV aBcD-1234 not found or rejected by a filter.\n"
    found = report_of(tmp_path, vgs=warning + table, xm_list=NAMED)
    assert found.incidents or found.unmatched
