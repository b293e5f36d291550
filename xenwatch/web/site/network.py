"""The bridges of the host: uplinks, spanning tree, addresses, and which guest's interface is on which of them."""

from collections import defaultdict
from dataclasses import dataclass

from aiohttp import web

from xenwatch.web.context import CONTEXT
from xenwatch.web.site.page import page
from xenwatch.web.site.readings import Readings


@dataclass(frozen=True, slots=True)
class Attachment:
    """A guest's interface. None: not known."""

    guest: str
    vif: str
    mac: str
    attached: bool | None
    up: bool | None


@dataclass(frozen=True, slots=True)
class BridgeView:
    """A bridge with what is on it. `exists` is false for one that only guests name: missing, or no kernel's bridge."""

    name: str
    exists: bool
    ports: float | None
    uplinks: float | None
    mtu: float | None
    stp: str
    vlan_filtering: str
    addresses: float | None
    duplicates: float | None
    blocked: tuple[str, ...]
    uplink_names: tuple[str, ...]
    attachments: tuple[Attachment, ...]

    @property
    def is_left(self) -> bool:
        """A guest's interface should be on it and is not."""
        return any(one.attached is False for one in self.attachments)

    @property
    def is_missed(self) -> bool:
        """That, and the bridge itself is not there."""
        return not self.exists and self.is_left


async def network(request: web.Request) -> web.Response:
    """Everything that the last sampling cycle knows of bridges."""
    readings = Readings(request.app[CONTEXT].snapshot())
    attachments = _attachments(readings)
    by_bridge = readings.of_each("bridge")
    names = sorted({*by_bridge, *attachments} - {""})
    bridges = [_bridge(name, by_bridge.get(name), attachments.get(name, ())) for name in names]
    return page(request, "network.html", bridges=bridges, without=attachments.get("", ()))


def _bridge(name: str, own: Readings | None, attachments: tuple[Attachment, ...]) -> BridgeView:
    own = own or Readings(None)
    info = next((row for row, _ in own.rows("xen_bridge_info")), {})
    ports = own.value("xen_bridge_ports")
    states = [row for row, value in own.rows("xen_bridge_port_stp_state") if value]
    return BridgeView(
        name, ports is not None or bool(info), ports, own.value("xen_bridge_uplinks"),
        own.value("xen_bridge_mtu_bytes"), info.get("stp", ""), info.get("vlan_filtering", ""),
        own.total("xen_bridge_fdb_entries"), own.value("xen_bridge_duplicate_macs"),
        tuple(row["port"] for row in states if row["state"] in {"blocking", "disabled"}),
        tuple(row["port"] for row in states if row["port_kind"] == "host"), attachments,
    )  # fmt: skip


def _attachments(readings: Readings) -> dict[str, tuple[Attachment, ...]]:
    found: dict[str, list[Attachment]] = defaultdict(list)
    for guest, own in sorted(readings.of_each("domain").items()):
        for row, _ in own.rows("xen_domain_vif_info"):
            attached = own.value("xen_domain_vif_bridge_attached", vif=row["vif"])
            up = own.value("xen_domain_vif_up", vif=row["vif"])
            name = row.get("ifname") or row["vif"]
            found[row.get("bridge", "")].append(
                Attachment(guest, name, row.get("mac", ""), _known(attached), _known(up))
            )
    return {bridge: tuple(listed) for bridge, listed in found.items()}


def _known(value: float | None) -> bool | None:
    return None if value is None else bool(value)
