"""The template for Zabbix: current, taken by Zabbix' own import, and about metrics that there are."""

import copy
import importlib.util
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from xenwatch.sampling.catalogue import all_metrics

ROOT = Path(__file__).parents[3]
PLACE = ROOT / "packaging/zabbix/xenwatch.yaml"
FRONTEND = ROOT / ".cache/tools/usr/share/zabbix"
TEMPLATE: dict[str, Any] = yaml.safe_load(PLACE.read_text())
imports = pytest.mark.skipif(
    shutil.which("php") is None or not FRONTEND.is_dir(), reason="needs php and Debian's zabbix-frontend-php"
)


def items(template: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Items, discovery rules and prototypes."""
    (one,) = template["zabbix_export"]["templates"]
    yield from one["items"]
    for rule in one["discovery_rules"]:
        yield from (rule, *rule["item_prototypes"])


def mistakes(template: dict[str, Any], folder: Path) -> list[str]:
    """What Zabbix says of it."""
    file = folder / "template.json"
    file.write_text(json.dumps(template))
    command = ("php", str(Path(__file__).parent / "zabbix_import.php"), str(FRONTEND), str(file))
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


def test_the_committed_file_is_what_is_made_run_build_otherwise() -> None:
    spec = importlib.util.spec_from_file_location("zabbix_build", ROOT / "packaging/zabbix/build.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.text() == PLACE.read_text()


def test_every_item_asks_for_a_metric_that_is_exported_with_labels_that_it_has() -> None:
    metrics = all_metrics()
    patterns = [
        step["parameters"][0]
        for item in items(TEMPLATE)
        for step in item.get("preprocessing", ())
        if step["type"].startswith("PROMETHEUS")
    ]
    assert len(patterns) > 10
    for pattern in patterns:
        name, _, labels = pattern.partition("{")
        if name != "process_start_time_seconds":
            asked = [one.partition("=")[0] for one in labels.rstrip("}").split(",") if one]
            assert set(asked) <= set(metrics[name].labels)


def test_every_master_and_every_uuid_is_there_once() -> None:
    keys = {item["key"] for item in items(TEMPLATE)}
    assert {item["master_item"]["key"] for item in items(TEMPLATE) if "master_item" in item} <= keys
    text = PLACE.read_text()
    uuids = [line.split()[-1] for line in text.splitlines() if "uuid:" in line]
    assert len(uuids) == len(set(uuids))


@imports
def test_zabbix_takes_the_template(tmp_path: Path) -> None:
    assert not mistakes(TEMPLATE, tmp_path)


@imports
def test_what_zabbix_would_refuse_is_told(tmp_path: Path) -> None:
    wrong = copy.deepcopy(TEMPLATE)
    (one,) = wrong["zabbix_export"]["templates"]
    one["items"][0]["type"] = "HTTP_AGNET"
    assert "/type" in mistakes(wrong, tmp_path)[0]
    wrong = copy.deepcopy(TEMPLATE)
    (one,) = wrong["zabbix_export"]["templates"]
    one["items"][2]["triggers"][0]["expression"] = "last(/Xen host by xenwatch/x"
    one["items"][2]["key"] = "xenwatch incidents["
    assert len(mistakes(wrong, tmp_path)) >= 2
