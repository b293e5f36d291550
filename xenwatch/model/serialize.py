"""The one codec: model values as JSON and back, as the state database and correlation's state hold them.

What the version before this one wrote is read too: subjects and records as lists, records without a writer.
"""

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from xenwatch.model.diagnosis import Diagnosis, Evidence
from xenwatch.model.event import Event
from xenwatch.model.fact import Fact, FactValue
from xenwatch.model.incident import Incident, Remark
from xenwatch.model.record import LogFormat, LogRecord, Position, Source
from xenwatch.model.sample import Metric, Sample
from xenwatch.model.subject import Subject

_PLAIN = tuple(f.name for f in fields(Diagnosis) if f.name not in {"subject", "fields", "evidence"})
"""Fields of a diagnosis that are text, a number, or a tuple of texts."""
_PLACED = ("operation", "phase", "verb", "target", "guest_phase")
"""What an event says of the operation it belongs to, where that is known."""
_INCIDENT = tuple(f.name for f in fields(Incident) if f.name not in {"diagnosis", "acknowledged_until", "remarks"})


def subject_json(subject: Subject) -> dict[str, Any]:
    """A subject; its host only where it has one."""
    body = {"kind": subject.kind, "name": subject.name, "uuid": subject.uuid, "domid": subject.domid}
    return body if subject.host is None else {**body, "host": subject.host}


def subject_from_json(body: Any) -> Subject:
    """The subject of `subject_json`; also of a list, as correlation's state was once written."""
    if isinstance(body, list):
        kind, name, uuid, domid = body
        return Subject(str(kind), str(name), uuid, domid)
    return Subject(str(body["kind"]), str(body["name"]), body.get("uuid"), body.get("domid"), body.get("host"))


def record_json(record: LogRecord, longest: int | None = None) -> dict[str, Any]:
    """A record, with at most `longest` characters of its text."""
    source = record.source
    body = {
        "record": source.path,
        "format": [source.format.name, source.format.title],
        "text": record.text[:longest],
        "at": record.at,
        "logged": record.logged,
        "position": list(record.position),
        "guest": record.guest,
    }
    hosts = {"host": record.host, "source_host": source.host, "kernel_role": record.kernel_role}
    return {**body, **{name: host for name, host in hosts.items() if host is not None}}


def record_from_json(body: Any) -> LogRecord:
    """The record. Of its format only name and title come back: a stored record is not cut or scanned again."""
    if isinstance(body, list):
        path, format_name, text, at, logged, position, *written = body
        source = Source(path, LogFormat(format_name, format_name))
        return LogRecord(source, text, float(at), bool(logged), Position(*position), guest=any(written))
    name, title = body["format"]
    source = Source(body["record"], LogFormat(name, title), host=body.get("source_host"))
    position, guest = Position(*body["position"]), bool(body.get("guest", False))
    text, host, role = body["text"], body.get("host"), body.get("kernel_role")
    return LogRecord(source, text, body["at"], body["logged"], position, guest, host, role)


def sample_json(sample: Sample) -> dict[str, Any]:
    """A sample with its metric's declaration."""
    metric = sample.metric
    return {
        "metric": [metric.name, metric.type, metric.help, list(metric.labels)],
        "labels": list(sample.labels),
        "value": sample.value,
    }


def sample_from_json(body: Mapping[str, Any]) -> Sample:
    """The sample of `sample_json`."""
    name, type_, help_, labels = body["metric"]
    return Sample(Metric(name, type_, help_, tuple(labels)), tuple(body["labels"]), body["value"])


def fact_json(fact: Fact) -> dict[str, Any]:
    """A fact."""
    return {
        "fact": fact.name,
        "subject": subject_json(fact.subject),
        "value": list(fact.value) if isinstance(fact.value, tuple) else fact.value,
        "at": fact.at,
        "origin": fact.origin,
    }


def fact_from_json(body: Any) -> Fact:
    """The fact of `fact_json`; also of a list, as correlation's state was once written."""
    if isinstance(body, list):
        name, subject, value, at, origin = body
        return Fact(name, subject_from_json(subject), _fact_value(value), float(at), origin)
    return Fact(
        body["fact"], subject_from_json(body["subject"]), _fact_value(body["value"]), body["at"], body["origin"]
    )


def _fact_value(value: Any) -> FactValue:
    plain: FactValue = tuple(map(str, value)) if isinstance(value, list) else value
    return plain


def evidence_json(evidence: Evidence, longest: int | None = None) -> dict[str, Any]:
    """A piece of evidence with the record, sample or fact behind it; texts are cut at `longest` characters."""
    body = {"at": evidence.at, "summary": evidence.summary[:longest], "origin": _origin_json(evidence.origin, longest)}
    placed = {"operation": evidence.operation, "phase": evidence.phase}
    return {**body, **{name: value for name, value in placed.items() if value is not None}}


def _origin_json(origin: LogRecord | Sample | Fact | None, longest: int | None) -> dict[str, Any] | None:
    match origin:
        case LogRecord():
            return record_json(origin, longest)
        case Sample():
            return sample_json(origin)
        case Fact():
            return fact_json(origin)
        case None:
            return None


def evidence_from_json(body: Mapping[str, Any]) -> Evidence:
    """The evidence of `evidence_json`."""
    origin = _origin_from_json(body["origin"])
    return Evidence(body["at"], body["summary"], origin, body.get("operation"), body.get("phase"))


def _origin_from_json(body: Mapping[str, Any] | None) -> LogRecord | Sample | Fact | None:
    if body is None:
        return None
    if "record" in body:
        return record_from_json(body)
    return sample_from_json(body) if "metric" in body else fact_from_json(body)


def event_json(event: Event) -> dict[str, Any]:
    """An event, its record included."""
    placed = {name: value for name in _PLACED if (value := getattr(event, name)) is not None}
    return {
        "kind": event.kind,
        "subject": subject_json(event.subject),
        "at": event.at,
        "fields": dict(event.fields),
        "rule": event.rule,
        "record": record_json(event.record) if event.record else None,
        "times": event.times,
        **placed,
    }


def event_from_json(body: Mapping[str, Any]) -> Event:
    """The event of `event_json`."""
    record = record_from_json(body["record"]) if body["record"] else None
    captured = {str(k): str(v) for k, v in body["fields"].items()}
    subject, placed = subject_from_json(body["subject"]), {name: body.get(name) for name in _PLACED}
    times = int(body.get("times", 1))
    return Event(body["kind"], subject, float(body["at"]), captured, record, body["rule"], times=times, **placed)


def diagnosis_json(diagnosis: Diagnosis, longest: int | None = None) -> dict[str, Any]:
    """A diagnosis with its evidence; each text is cut at `longest` characters."""
    return {
        **{name: getattr(diagnosis, name) for name in _PLAIN},
        "subject": subject_json(diagnosis.subject),
        "fields": dict(diagnosis.fields),
        "evidence": [evidence_json(evidence, longest) for evidence in diagnosis.evidence],
    }


def diagnosis_from_json(body: Mapping[str, Any]) -> Diagnosis:
    """The diagnosis of `diagnosis_json`. A field that is newer than the stored text takes its default."""
    stored = ((name, body[name]) for name in _PLAIN if name in body)
    plain: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in stored}
    return Diagnosis(
        **plain,
        subject=subject_from_json(body["subject"]),
        fields=body["fields"],
        evidence=tuple(map(evidence_from_json, body["evidence"])),
    )


def incident_json(incident: Incident, longest: int | None = None) -> dict[str, Any]:
    """An incident with its diagnosis."""
    body = {name: getattr(incident, name) for name in _INCIDENT}
    if incident.acknowledged_until is not None:
        body["acknowledged_until"] = incident.acknowledged_until
    if incident.remarks:
        body["remarks"] = [asdict(remark) for remark in incident.remarks]
    return {**body, "diagnosis": diagnosis_json(incident.diagnosis, longest)}


def incident_from_json(body: Mapping[str, Any]) -> Incident:
    """The incident of `incident_json`. ValueError, KeyError or TypeError where it is none."""
    plain = {**body, "diagnosis": diagnosis_from_json(body["diagnosis"])}
    return Incident(**{**plain, "remarks": tuple(Remark(**remark) for remark in plain.get("remarks", ()))})
