"""Who a thing is about: a domain, a bridge, a volume group, the host."""

from dataclasses import dataclass

HOST_NAME = "dom0"


@dataclass(frozen=True, slots=True)
class Subject:
    """`kind` is one of host, domain, vbd, vif, bridge, vg, lv, pv, array, mount, daemon, pci, sr, pool.

    A domid is reused by Xen; the UUID is who a domain is, and its name is what people call it.
    """

    kind: str
    name: str
    uuid: str | None = None
    domid: int | None = None

    @property
    def key(self) -> str:
        """What incidents, budgets and windows are counted by: `domain/<uuid or name>`, `bridge/xenbr0`."""
        return f"{self.kind}/{self.uuid or self.name}"

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"


HOST = Subject("host", HOST_NAME)
