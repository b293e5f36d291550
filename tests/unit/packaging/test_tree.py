"""The files of a package: what a target changes, and nothing that tells where and when it was made."""

import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture
def tree(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "path", [str(ROOT / "packaging"), *sys.path])
    from tree import build, standalone  # noqa: PLC0415

    return build, standalone


def test_a_library_without_a_wheel_for_an_old_platform_comes_in_its_last_version_that_has_one(tree):
    build, standalone = tree
    assert build._instead("google-re2==1.1.20251105", standalone.OLD) == "google-re2==1.1"
    assert build._instead("click==8.1.8", standalone.OLD) == "click==8.1.8"
    assert build._instead("google-re2==1.1.20251105", {}) == "google-re2==1.1.20251105"


def test_the_record_of_a_library_forgets_where_it_was_installed(tree, tmp_path: Path):
    record = tmp_path / "RECORD"
    (tmp_path / "direct_url.json").write_text("{}")
    record.write_text("x/__init__.py,sha256=a,1\nx-1.dist-info/direct_url.json,sha256=b,2\nx-1.dist-info/RECORD,,\n")
    tree[0]._forget_where(record)
    assert record.read_text() == "x/__init__.py,sha256=a,1\nx-1.dist-info/RECORD,,\n"
    assert not (tmp_path / "direct_url.json").exists()
    tree[0]._forget_where(record)
    assert len(record.read_text().splitlines()) == 2


def test_no_unit_of_the_tree_for_an_old_dom0_starts_a_program_outside_of_it(tree):
    for unit in (ROOT / "packaging/systemd").glob("*.service"):
        starts = re.findall(r"^ExecStart=(\S+)", tree[1]._moved(unit.read_text()), re.MULTILINE)
        assert starts
        assert all(word.startswith("/opt/xenwatch/bin/") for word in starts)
    privileged = tree[1]._moved((ROOT / "packaging/tree/privileged.py").read_text())
    assert privileged.startswith("#!/opt/xenwatch/python/bin/python3 -I\n")
    assert '"/opt/xenwatch/lib"' in privileged


def test_the_rpm_packs_every_place_that_the_tree_fills(tree):
    spec = (ROOT / "packaging/rpm/xenwatch.spec").read_text().partition("%files")[2]
    build = tree[0]
    places = [
        *build.SHELLS.values(),
        "usr/bin/xenwatch",
        "usr/libexec/xenwatch-privileged",
        "etc/xenwatch/xenwatch.toml",
    ]
    for place in places:
        if not place.startswith("usr/share/zsh"):  # rpm's systems have it elsewhere
            assert f"/{place}" in spec
