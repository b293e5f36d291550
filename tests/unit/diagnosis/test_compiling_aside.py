"""A scanner that may not wait for its databases reads with the prefilter until they are there, and finds the same."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from xenwatch.diagnosis.matching.scanner import Scanner
from xenwatch.diagnosis.rules.loader import load_rules
from xenwatch.model.record import Chunk, LogFormat, Position, Source, TimeHint

RULE = Path(__file__).parents[3] / "rules" / "network" / "vif-bridge-missing.yaml"
LINE = b"Could not find bridge device xenbr7\n"
SOURCE = Source("/log/xen-hotplug.log", LogFormat("hotplug", "hotplug"))


def chunk(number: int) -> Chunk:
    return Chunk(SOURCE, LINE, Position("g", number * len(LINE)), TimeHint(1e9))


def test_before_and_after_the_database_is_compiled_the_same_is_found(tmp_path: Path):
    gate = threading.Event()
    with ThreadPoolExecutor(1) as compiling:
        compiling.submit(gate.wait, 60)
        scanner = Scanner(load_rules([RULE]), cache=tmp_path, compiling=compiling)
        before = [event.fields for event in scanner.feed(chunk(0))]
        first = scanner.engine_name
        gate.set()
    after = [event.fields for event in scanner.feed(chunk(1))]
    assert first == "ahocorasick"
    assert scanner.engine_name == "hyperscan"
    assert before == after == [{"bridge": "xenbr7"}]


def test_a_database_that_is_kept_is_taken_at_once(tmp_path: Path):
    with ThreadPoolExecutor(1) as compiling:
        Scanner(load_rules([RULE]), cache=tmp_path, compiling=compiling).feed(chunk(0))
    with ThreadPoolExecutor(1) as compiling:
        scanner = Scanner(load_rules([RULE]), cache=tmp_path, compiling=compiling)
        scanner.feed(chunk(0))
        assert scanner.engine_name == "hyperscan"
