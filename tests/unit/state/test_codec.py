from dataclasses import replace

import pytest

from xenwatch.model.diagnosis import Evidence
from xenwatch.model.incident import Incident
from xenwatch.model.subject import Subject
from xenwatch.state.codec import LONGEST_TEXT, decode, encode


def test_an_incident_with_every_kind_of_evidence_comes_back_equal(incident: Incident):
    assert decode(encode(incident)) == incident


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
