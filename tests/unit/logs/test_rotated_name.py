"""Follower, bundle and formats agree on which log a rotated file belongs to and which file is older."""

import random
import re
from pathlib import Path

import pytest

from xenwatch.logs.files.rotation import group
from xenwatch.logs.format import by_name
from xenwatch.logs.rotated_name import ROTATED, rotated_name
from xenwatch.triage.bundle.collect_logs import files_of
from xenwatch.triage.bundle.reader import rotation_order

OLDEST_FIRST = [
    "xend.log-20240412", "xend.log-20240501", "xend.log.12", "xend.log.3", "xend.log.1", "xend.log.old", "xend.log",
]  # fmt: skip


@pytest.mark.parametrize("name", [*OLDEST_FIRST, "xend.log.20240501", "xend.log~", "xend.log-20240501-0312"])
def test_a_rotated_file_belongs_to_its_log_for_all_who_ask(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("a line\n")
    assert rotated_name(name).log == "xend.log"
    assert group([name]) == {"xend.log": (name,)}
    assert rotation_order(name)[1] == "xend.log"
    assert re.search(rf"xend\.log{ROTATED}", name)
    found = by_name(f"/var/log/xen/{name}")
    assert found is not None
    assert found.name == "xend"
    assert [file.path for file in files_of([f"{tmp_path}/*.log"])] == [str(tmp_path / name)]


@pytest.mark.parametrize("name", ["qemu-dm.4711.log", "xl-web.log.conf", "mail.2024.log", "xend.log.1234"])
def test_a_number_elsewhere_in_a_name_is_no_rotation(tmp_path: Path, name: str) -> None:
    assert rotated_name(name).log == name
    assert group([name]) == {name: (name,)}


def test_follower_and_bundle_read_the_files_of_a_log_in_one_order() -> None:
    names = random.Random(1).sample(OLDEST_FIRST, len(OLDEST_FIRST))
    assert list(group(names)["xend.log"]) == OLDEST_FIRST
    assert sorted(names, key=rotation_order) == OLDEST_FIRST


def test_packing_is_told_apart_from_rotation_and_a_packed_file_is_not_followed() -> None:
    assert rotated_name("xl-web.log.2.gz")[:1] + rotated_name("xl-web.log.2.gz")[2:] == ("xl-web.log", "gz", 2)
    assert group(["xl-web.log.2.gz"]) == {}


@pytest.mark.parametrize("name", ["xl-web.log", "xl-web.log-20240501", "xl-web.log.old", "xl-web.log.1.gz"])
def test_whose_a_log_is_stays_readable_after_a_rotation(name: str) -> None:
    found = by_name(f"/var/log/xen/{name}")
    assert found is not None
    assert found.subject is not None
    owner = found.subject.search(f"/var/log/xen/{name}")
    assert owner is not None
    assert owner["domain"] == "web"
