"""Bundles on a schedule: kept by age and by size, the youngest always, and nothing else in the folder is touched."""

import os
import shutil
from pathlib import Path

import pytest

from xenwatch.base.errors import InputError
from xenwatch.cli._scheduled import collect_once
from xenwatch.triage.bundle.shelf import Shelf

NOW, DAY = 1_795_000_000.0, 86_400.0


def put(folder: Path, days_ago: float, size: int = 100) -> Path:
    path = folder / f"xenwatch-xen1-2026110{int(days_ago) % 10}-{int(days_ago * 10):06d}.tar.gz"
    path.write_bytes(b"x" * size)
    os.utime(path, (NOW - days_ago * DAY, NOW - days_ago * DAY))
    return path


def test_old_ones_go_and_the_youngest_stays_however_old(tmp_path):
    shelf = Shelf(tmp_path, 7 * DAY, 10**9)
    old, kept = put(tmp_path, 8), put(tmp_path, 3)
    assert shelf.prune(NOW) == [old]
    assert shelf.prune(NOW + 100 * DAY) == []
    assert list(tmp_path.iterdir()) == [kept]


def test_the_oldest_go_until_the_rest_is_small_enough(tmp_path):
    paths = [put(tmp_path, days) for days in (4, 3, 2, 1)]
    assert Shelf(tmp_path, 30 * DAY, 250).prune(NOW) == paths[:2]
    assert Shelf(tmp_path, 30 * DAY, 1).prune(NOW) == [paths[2]]
    assert list(tmp_path.iterdir()) == [paths[3]]


def test_what_is_no_bundle_is_left_alone_and_half_a_bundle_is_not(tmp_path):
    mine = tmp_path / "notes.tar.gz"
    mine.write_text("mine")
    (tmp_path / "xenwatch-xen1-20261130-101500.tar.gz.part").write_text("half")
    assert Shelf(tmp_path, 0.0, 0).prune(NOW) == []
    assert list(tmp_path.iterdir()) == [mine]


def test_a_restart_waits_for_what_an_earlier_process_wrote(tmp_path):
    shelf = Shelf(tmp_path, 7 * DAY, 10**9)
    assert shelf.seconds_until_due(DAY, NOW) == 0.0
    put(tmp_path, 0.25)
    assert shelf.seconds_until_due(DAY, NOW) == 0.75 * DAY
    assert shelf.seconds_until_due(DAY, NOW + 5 * DAY) == 0.0
    assert shelf.seconds_until_due(DAY, NOW - 50 * DAY) == DAY, "a clock that was set back waits no longer than this"


def test_a_bundle_has_its_name_only_when_it_is_whole(tmp_path, capsys):
    shelf = Shelf(tmp_path, 7 * DAY, 10**9)

    def fails(path: Path) -> None:
        path.write_text("half")
        raise InputError("libvirt hangs")

    assert not collect_once(shelf, 1, fails)
    assert list(shelf.bundles()) == []
    assert "libvirt hangs" in capsys.readouterr().err
    assert collect_once(shelf, 1, lambda path: path.write_text("whole"))
    (bundle,) = shelf.bundles()
    assert bundle.read_text() == "whole"
    assert capsys.readouterr().out == f"{bundle}\n"


def test_a_disk_that_is_nearly_full_is_not_filled(tmp_path, capsys):
    shelf = Shelf(tmp_path, 7 * DAY, 10**9)
    assert not collect_once(shelf, shutil.disk_usage(tmp_path).free, pytest.fail)
    assert "has no room" in capsys.readouterr().err
