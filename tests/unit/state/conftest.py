"""Incidents as the engine makes them, for the journal's tests."""

from dataclasses import replace

import pytest

from xenwatch.model.diagnosis import Diagnosis, Evidence
from xenwatch.model.fact import Fact
from xenwatch.model.incident import Incident
from xenwatch.model.record import LogFormat, LogRecord, Position, Source
from xenwatch.model.sample import Metric, Sample
from xenwatch.model.subject import Subject


@pytest.fixture
def incident() -> Incident:
    web = Subject("domain", "web", uuid="5d0a1c4e-0000-4000-8000-000000000001", domid=5)
    source = Source("/var/log/xen/xl-web.log", LogFormat("xl", "xl of one domain"))
    evidence = (
        Evidence(
            10.0, "the script said so", LogRecord(source, "no bridge \u2603", 10.0, True, Position("1:2:3", 40, 7))
        ),
        Evidence(
            11.0, "few ports", Sample(Metric("xen_bridge_ports", "gauge", "Ports.", ("bridge",)), ("xenbr0",), 0.0)
        ),
        Evidence(12.0, "bridges", Fact("bridge.names", Subject("host", "dom0"), ("br0", "br1"), 12.0, "ip link")),
        Evidence(13.0, "nothing behind it"),
    )
    told = Diagnosis(
        rule="vif-bridge-missing", class_="vif-bridge-missing", subject=web, severity="error", title="No bridge",
        summary="no bridge xenbr7", cause="never made", at=10.0, verify=("ip link",), remedy=("make it",),
        evidence=evidence, fields={"bridge": "xenbr7"}, unchecked=("bridge.names",), actions=("vif_reattach",),
    )  # fmt: skip
    return Incident(id="vif-bridge-missing@domain/web", diagnosis=told, state="open", opened=10.0, last_seen=13.0)


@pytest.fixture
def resolved(incident: Incident) -> Incident:
    return replace(incident, state="resolved", resolved=99.0, last_seen=50.0)
