"""The subject of an event: what the signature captured, else what the record or the log around it says."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

from xenwatch.base import lazy_re as re
from xenwatch.model.record import Source
from xenwatch.model.subject import FIRST_OWN_DOMID, HOST, HOST_NAME, KINDS, UNKNOWN, Subject

# Where toolstacks and kernels put the domid: libxl's prefix, xenstore paths, device names.
_DOMID = re.compile(
    r"\bDomain (\d+):|/local/domain/0/backend/\w+/(\d+)/|\bbackend/(?:vbd|vif|tap\w*|vbd3|qdisk|console|vkbd|vfb|pci)/"
    r"(\d+)/|\b(?:vif|vbd|tap)[-.]?(\d+)[.-]\d+|\(d(\d+)\)|\b[dD]omain id[ =](\d+)|/local/domain/([1-9]\d*)/"
    r"|\bdomid[ =:]+(\d+)|\b(?:xenguest|qemu-dm|qemu-system-\w+|xenopsd-qemu)-(\d+)\b"
    r"|\bd(\d+)v\d+\b|\bdom(\d+):|^d(\d+): "
)
_QUOTED = re.compile(r"\(d(\d+)\)|\bHVM(\d+): |\bD(\d+)\b")
"""The domain that the hypervisor's ring and xenstored's log say that they quote."""
_PLACE = re.compile(r"\{(\w+)\}")


def subject_of(
    kind: str,
    names: Sequence[str],
    fields: Mapping[str, str],
    header: Mapping[str, str],
    message: str,
    source: Source,
) -> Subject:
    """The subject of a match in a host-written record; `kind` and `names` are the rule's."""
    if kind == "domain":
        return _domain(fields, header, message, source)
    if kind == "host":
        return HOST
    name = fill_names(names, fields) if names else KINDS[kind].named_by_fields(fields)
    return Subject(kind, KINDS[kind].plain(name) if name else UNKNOWN)


def guest_subject(source: Source, prefix: str) -> Subject:
    """The only subject of a line that a guest wrote: that guest. `prefix` is what the host put before."""
    if source.subject is not None:
        return source.subject
    found = _QUOTED.search(prefix)
    if found is None:
        return Subject("domain", UNKNOWN)
    domid = next(filter(None, found.groups()))
    return Subject("domain", domid, domid=int(domid))


def domid_in(message: str) -> int | None:
    """The domid that a host-written message names in passing, and none but one."""
    return _domid_in(message[:8192])


@lru_cache(maxsize=1024)
def _domid_in(message: str) -> int | None:
    found = {int(text) for m in _DOMID.finditer(message) for text in m.groups() if text} - {0}
    found -= {number for number in found if number >= FIRST_OWN_DOMID}
    return found.pop() if len(found) == 1 else None


def fill_names(templates: Sequence[str], fields: Mapping[str, str]) -> str | None:
    """The first template with only known fields, filled in; None where there is none."""
    return next((name for template in templates if (name := fill_name(template, fields))), None)


def fill_name(template: str, fields: Mapping[str, str]) -> str | None:
    """`{bridge}` filled in; None where a field is not known."""
    wanted = _PLACE.findall(template)
    if any(name not in fields for name in wanted):
        return None
    return _PLACE.sub(lambda m: fields[m[1]], template)


def _domain(fields: Mapping[str, str], header: Mapping[str, str], message: str, source: Source) -> Subject:
    name, uuid = fields.get("domain"), fields.get("uuid")
    domid = _number(fields.get("domid")) or _number(header.get("domid"))
    if domid is None and _number(name) is not None:
        name, domid = None, _number(name)
    if name in ("Domain-0", HOST_NAME) or (name is None and (fields.get("domid") == "0" or _is_xens_own(domid))):
        return HOST
    if name is None and uuid is None:
        if source.subject is not None and source.subject.kind == "domain":
            return source.subject if domid is None else replace(source.subject, domid=domid)
        domid = domid_in(message) if domid is None else domid
    label = name or (str(domid) if domid is not None else uuid)
    return Subject("domain", label or UNKNOWN, uuid, domid)


def _is_xens_own(domid: int | None) -> bool:
    return domid is not None and domid >= FIRST_OWN_DOMID


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdigit() and len(text) < 9 and int(text) else None  # noqa: PLR2004  a domid
