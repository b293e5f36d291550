from dataclasses import replace

import pytest

from xenwatch.diagnosis.incidents.tracker import incident_id
from xenwatch.model.diagnosis import Evidence
from xenwatch.model.incident import Incident
from xenwatch.model.record import LogRecord
from xenwatch.model.subject import Subject
from xenwatch.state.codec import LONGEST_TEXT, decode, encode

STORED_BEFORE = (
    '{"id":"9c9708c7f606","state":"open","opened":10.0,"last_seen":13.0,"times_seen":2,"resolved":null,'
    '"explained_by":null,"acknowledged_by":null,"diagnosis":{"rule":"vif-bridge-missing","class_":"vif-bridge-missing",'
    '"severity":"error","title":"No bridge","summary":"no bridge xenbr7","cause":"never made","at":10.0,"impact":"",'
    '"depth":"cause","verify":["ip link"],"remedy":["make it"],"unchecked":[],"actions":["vif_reattach"],'
    '"guest_told":false,"subject":{"kind":"domain","name":"web","uuid":"5d0a1c4e-0000-4000-8000-000000000001",'
    '"domid":5},"fields":{"bridge":"xenbr7"},"evidence":[{"at":10.0,"summary":"the script said so","origin":{"record":'
    '"/var/log/xen/xl-web.log","format":["xl","xl of one domain"],"text":"no bridge","at":10.0,"logged":true,'
    '"position":["1:2:3",40,7]}}]}}'
)
"""As 0.x wrote it before a subject had a host."""


def test_an_incident_with_every_kind_of_evidence_comes_back_equal(incident: Incident):
    assert decode(encode(incident)) == incident


def test_a_line_that_a_guest_wrote_is_still_the_guests_after_a_restart(incident: Incident):
    (first, *rest) = incident.diagnosis.evidence
    assert isinstance(first.origin, LogRecord)
    written = first._replace(origin=first.origin._replace(guest=True))
    kept = decode(encode(replace(incident, diagnosis=replace(incident.diagnosis, evidence=(written, *rest)))))
    assert isinstance(kept.diagnosis.evidence[0].origin, LogRecord)
    assert kept.diagnosis.evidence[0].origin.guest


def test_an_incident_that_the_version_before_stored_is_read_and_keeps_its_id():
    kept = decode(STORED_BEFORE)
    assert kept.id == incident_id("vif-bridge-missing", str(kept.diagnosis.subject)) == "9c9708c7f606"
    assert kept.diagnosis.subject == Subject("domain", "web", "5d0a1c4e-0000-4000-8000-000000000001", 5)
    record = kept.diagnosis.evidence[0].origin
    assert isinstance(record, LogRecord)
    assert (record.text, record.position.line, record.guest, record.host) == ("no bridge", 7, False, None)


def test_the_host_of_an_incident_comes_back(incident: Incident):
    there = replace(incident, diagnosis=replace(incident.diagnosis, subject=incident.diagnosis.subject.on("xen1")))
    assert decode(encode(there)) == there


def test_a_long_evidence_text_is_cut(incident: Incident):
    long = replace(incident, diagnosis=replace(incident.diagnosis, evidence=(Evidence(1.0, "x" * 100_000),)))
    assert len(decode(encode(long)).diagnosis.evidence[0].summary) == LONGEST_TEXT


def test_a_guest_name_that_is_not_unicode_survives(incident: Incident):
    odd = Subject("domain", "we\udcffb\x00")
    assert (
        decode(encode(replace(incident, diagnosis=replace(incident.diagnosis, subject=odd)))).diagnosis.subject == odd
    )


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"diagnosis": 3}', '{"diagnosis": {}}'])
def test_text_that_is_no_incident_is_one_of_the_named_errors(text: str):
    with pytest.raises((ValueError, KeyError, TypeError)):
        decode(text)
