"""A command of remediation speaks with the libvirt that the configuration names."""

from pathlib import Path

import pytest

from xenwatch.cli import _preflight, _remediation
from xenwatch.host.libvirt.client import Libvirt
from xenwatch.host.libvirt.uri import LOCAL
from xenwatch.remediation.policy.inventory import Guest, ManagedInventory
from xenwatch.remediation.policy.policy import Policy


@pytest.mark.parametrize(("setting", "opened"), [("test:///default", ["test:///default"]), ("", [])])
def test_remediation_opens_the_libvirt_of_the_configuration_and_none_where_it_names_none(
    setting: str, opened: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uris: list[str] = []

    class Recorded(Libvirt):
        def __init__(self, uri: str, *args: object) -> None:
            uris.append(uri)
            super().__init__(uri, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(_remediation, "Libvirt", Recorded)
    config, policy = tmp_path / "xenwatch.toml", tmp_path / "policy.toml"
    policy.write_text("")
    config.write_text(
        f'[agent]\nstate_dir = "{tmp_path}"\n[sampling]\nlibvirt_uri = "{setting}"\n'
        f'[remediation]\npolicy = "{policy}"\n'
    )

    async def nothing(_service: object) -> None: ...

    _remediation.with_service(None, config, nothing)
    assert uris == opened


@pytest.mark.parametrize(("setting", "asked"), [("xen:///system?socket=/s", "xen:///system?socket=/s"), ("", LOCAL)])
def test_preflight_asks_the_libvirt_of_the_configuration_and_the_local_one_where_it_names_none(
    setting: str, asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XENWATCH_SAMPLING_LIBVIRT_URI", setting)
    context = _preflight._context(Policy(ManagedInventory("xen1")), Guest("web", "u"), {})
    assert context.machine.libvirt_uri == asked
