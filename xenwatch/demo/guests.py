"""The guests of the demo: what their configuration files say, and how busy each is."""

from dataclasses import dataclass

GROUP = "vg_guests"
MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Guest:
    """One guest as it is configured. `load` is in processor seconds a second, the rates are in bytes a second."""

    number: int
    name: str
    vcpus: int
    mib: int
    volumes: tuple[str, ...]
    bridges: tuple[str, ...]
    load: float
    receives: float
    sends: float
    reads: float
    writes: float

    @property
    def uuid(self) -> str:
        return f"5f1c6a1e-0b1d-4c0a-9d3e-6a0f7c1b2d{self.number:02x}"

    @property
    def address(self) -> str:
        return f"192.0.2.{20 + self.number}"

    @property
    def config_path(self) -> str:
        return f"/etc/xen/{self.name}.cfg"

    def mac(self, nth: int) -> str:
        return f"00:16:3e:00:{self.number:02x}:{nth + 1:02x}"

    def config(self) -> str:
        """Its file for xl."""
        disks = ", ".join(f'"phy:/dev/{GROUP}/{lv},xvd{"abcd"[n]},w"' for n, lv in enumerate(self.volumes))
        vifs = ", ".join(f'"mac={self.mac(n)},bridge={bridge}"' for n, bridge in enumerate(self.bridges))
        return (
            f'name = "{self.name}"\nuuid = "{self.uuid}"\ntype = "pvh"\nkernel = "/boot/guests/vmlinuz"\n'
            f'ramdisk = "/boot/guests/initrd.img"\nroot = "/dev/xvda ro"\nmemory = {self.mib}\nvcpus = {self.vcpus}\n'
            f'disk = [{disks}]\nvif = [{vifs}]\non_crash = "destroy"\n'
        )


GUESTS = {
    guest.name: guest
    for guest in (
        Guest(1, "web", 2, 2048, ("web", "web-swap"), ("xenbr1",), 0.42, 310e3, 2.4e6, 180e3, 95e3),
        Guest(2, "db", 4, 6144, ("db",), ("xenbr0",), 1.31, 420e3, 760e3, 3.1e6, 4.6e6),
        Guest(3, "mail", 1, 1024, ("mail",), ("xenbr0",), 0.08, 24e3, 31e3, 12e3, 88e3),
        Guest(4, "build", 4, 14336, ("build",), ("xenbr0", "xenbr0"), 2.35, 150e3, 45e3, 900e3, 2.2e6),
        Guest(5, "archive", 1, 12288, ("archive",), ("xenbr0",), 0.05, 95e3, 8e3, 14e3, 640e3),
        Guest(6, "shop", 2, 2048, ("shop",), ("xenbr0",), 0.37, 180e3, 1.1e6, 210e3, 160e3),
    )
}

VOLUME_MIB = {
    "web": 20480,
    "web-swap": 2048,
    "db": 102400,
    "mail": 40960,
    "build": 81920,
    "archive": 204800,
    "shop": 30720,
}
"""Sizes of the logical volumes."""
GROUP_MIB = 614400
