"""A subject's text, key and host, and what names one of its kind."""

import pytest

from xenwatch.model.subject import (
    GUEST_FIELDS,
    HOST,
    HOST_FIELDS,
    KINDS,
    Subject,
    named_by_labels,
    subject_from_text,
)

WEB = Subject("domain", "web", uuid="5d0a1c4e-0000-4000-8000-000000000001", domid=5)


def test_the_host_is_written_only_where_it_is_set():
    assert (str(WEB), WEB.key) == ("domain/web", "domain/5d0a1c4e-0000-4000-8000-000000000001")
    assert str(WEB.on("xen1")) == "xen1:domain/web"
    assert WEB.on("xen1").key == "xen1:domain/5d0a1c4e-0000-4000-8000-000000000001"
    assert WEB.on("xen1").its_host == HOST.on("xen1") != HOST


@pytest.mark.parametrize(
    "text",
    ["domain/web", "host/dom0", "lv/vg0/data", "pci/0000:00:1d.0", "mount//var", "device//dev/vg0/web",
     "xen1:domain/web", "10.0.0.1:pci/0000:00:1d.0"],
)  # fmt: skip
def test_text_of_a_subject_is_read_back(text: str):
    subject = subject_from_text(text)
    assert subject is not None
    assert str(subject) == text


@pytest.mark.parametrize("text", ["", "web", "domain/", "/web", "Domain/web", "host"])
def test_other_text_is_no_subject(text: str):
    assert subject_from_text(text) is None


@pytest.mark.parametrize(
    ("labels", "wanted", "subject"),
    [
        ({"array": "md1", "state": "degraded"}, "array", "array/md1"),
        ({"array": "md1", "state": "degraded"}, "host", "array/md1"),
        ({"vg": "vg0", "lv": "web"}, "lv", "lv/vg0/web"),
        ({"vg": "vg0", "lv": "pool"}, "thinpool", "thinpool/vg0/pool"),
        ({"vg": "vg0"}, "vg", "vg/vg0"),
        ({"mountpoint": "/srv", "server": "nas"}, "mount", "mount//srv"),
        ({"device": "mpatha", "state": "active"}, "multipath", "multipath/mpatha"),
        ({"device": "mpatha", "state": "active"}, "host", "host/dom0"),
        ({"bond": "bond0"}, "bond", "bond/bond0"),
        ({"domain": "web", "vif": "0"}, "vif", "domain/web"),
        ({"domain": "", "state": "free"}, "host", "host/dom0"),
    ],
)
def test_a_samples_labels_name_the_thing(labels: dict[str, str], wanted: str, subject: str):
    assert str(named_by_labels(labels, wanted)) == subject


def test_mdadm_and_the_kernel_name_one_array():
    array = KINDS["array"]
    assert array.named_by_fields({"array": "/dev/md1"}) == array.named_by_fields({"array": "md1"}) == "md1"
    assert array.named_by_fields({"device": "sdb1"}) is None


def test_a_field_names_a_part_of_the_host_or_something_that_each_guest_may_have():
    assert {"bridge", "vg", "lv", "path", "bdf", "server", "session", "unit"} <= HOST_FIELDS
    assert {"domain", "domid", "uuid", "device", "vif", "vdev", "interface"} <= GUEST_FIELDS
    assert not HOST_FIELDS & GUEST_FIELDS
