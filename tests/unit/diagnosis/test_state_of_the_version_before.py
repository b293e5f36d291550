"""What the version before this one kept of correlation is read after an upgrade."""

from xenwatch.diagnosis.pipeline import Pipeline

RECORD = ["/var/log/xen/xl-web.log", "xl", "no bridge", 10.0, True, ["1:2:3", 40, 7]]
EVENT = {
    "kind": "vif.bridge-missing", "subject": ["domain", "web", None, 5], "at": 10.0, "fields": {"bridge": "br0"},
    "rule": "vif-bridge-missing", "record": RECORD,
}  # fmt: skip
ENGINE = {
    "windows": [["vif-bridge-missing", "domain/web", [EVENT]]],
    "facts": [["bridge.names", ["host", "dom0", None, None], ["br1"], 9.0, "ip link"]],
    "deadlines": [[30.0, "vif-bridge-missing", ["domain", "web", None, 5]]],
}
IDENTITY = {"names": {"5": [[1.0, "web"]]}, "uuids": {}, "seen": {"web": 1.0}, "operations": []}
SCANNER = {"sources": {}, "identity": IDENTITY}


def test_windows_facts_deadlines_and_domains_go_on():
    pipeline = Pipeline([], prefilter="re")
    assert pipeline.restore({"engine": ENGINE, "scanner": SCANNER}, []) == []
    assert pipeline.scanner.registry.name_of(5, 1.0) == "web"


def test_what_is_kept_now_is_read_again_to_the_same():
    first, second = Pipeline([], prefilter="re"), Pipeline([], prefilter="re")
    first.restore({"engine": ENGINE, "scanner": SCANNER}, [])
    kept = first.state()
    assert second.restore(kept, []) == []
    assert second.state() == kept
