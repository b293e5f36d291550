"""Builds the disk and the kernels of a real Xen host (Debian, xl, libvirt's libxl driver) to be booted under QEMU.

Everything comes from Debian's packages. Needs root, and on the machine: qemu-system-x86 qemu-utils mmdebstrap e2fsprogs
cpio openssh-client grub-common. The result (about 900 MB) is cached by suite and by what this recipe says.
"""

import hashlib
import lzma
import os
import shutil
import struct
import subprocess
import zlib
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
CACHE = HERE.parents[1] / ".cache" / "xenhost"

PACKAGES = """
 linux-image-amd64 xen-hypervisor-{xen}-amd64 xen-utils-{xen} xen-utils-common qemu-system-xen
 bridge-utils lvm2 iproute2 ifupdown mdadm kpartx thin-provisioning-tools nfs-common nfs-kernel-server
 libvirt-daemon-system libvirt-daemon-driver-xen libvirt-clients polkitd
 python3 python3-libvirt openssh-server openssh-client curl
 systemd-sysv dbus udev kmod procps psmisc iputils-ping e2fsprogs fdisk busybox-static cpio rsyslog logrotate nftables
""".split()

# services that only slow the boot or wait for a network that is not there
MASKED = """
 apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer systemd-timesyncd.service
 ifupdown-pre.service systemd-logind.service systemd-machined.service getty@tty1.service systemd-pstore.service
 logrotate.timer dpkg-db-backup.timer systemd-networkd-wait-online.service mdcheck_start.timer mdcheck_continue.timer
 mdmonitor-oneshot.timer libvirt-guests.service networkd-dispatcher.service nfs-server.service rpcbind.service
""".split()


@dataclass(frozen=True)
class Suite:
    """One Debian release, the Xen it ships, and the Python its dom0 runs."""

    name: str
    xen: str
    python: str


SUITES = {s.name: s for s in (Suite("bookworm", "4.17", "3.11"), Suite("trixie", "4.20", "3.13"))}


@dataclass(frozen=True)
class Image:
    """A built host: `disk` is a qcow2 that machines overlay; the rest is handed to QEMU as multiboot modules."""

    suite: Suite
    folder: Path

    @property
    def disk(self) -> Path:
        return self.folder / "base.qcow2"

    @property
    def key(self) -> Path:
        return self.folder / "id_ed25519"


def build(suite: Suite) -> Image:
    """The image, from the cache or made now (about two minutes)."""
    recipe = hashlib.sha256(b"".join(p.read_bytes() for p in sorted([Path(__file__), *_files()]))).hexdigest()[:12]
    image = Image(suite, CACHE / f"{suite.name}-{recipe}")
    if image.disk.exists():
        return image
    shutil.rmtree(image.folder, ignore_errors=True)
    root = image.folder / "rootfs"
    root.mkdir(parents=True)
    _debootstrap(suite, root, image.folder)
    _configure(image, root)
    _kernels(image, root)
    _disk(image, root)
    shutil.rmtree(root)
    return image


def _files() -> list[Path]:
    return [p for folder in ("rootfs", "initrd") for p in (HERE / folder).rglob("*") if p.is_file()]


def _run(*argv: str | Path, **kwargs: object) -> str:
    done = subprocess.run(list(map(str, argv)), capture_output=True, text=True, timeout=1200, check=False, **kwargs)  # type: ignore[call-overload]
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, argv))}: exit {done.returncode}: {done.stderr[-2000:]}")
    return str(done.stdout)


def _debootstrap(suite: Suite, root: Path, folder: Path) -> None:
    wanted = ",".join(p.format(xen=suite.xen) for p in PACKAGES)
    _run(
        "mmdebstrap", "--mode=root", "--format=directory", "--variant=minbase",
        '--aptopt=APT::Install-Recommends "false"',
        *(f"--dpkgopt=path-exclude=/usr/share/{d}/*" for d in ("man", "locale", "doc")),
        '--essential-hook=mkdir -p "$1/etc/initramfs-tools/conf.d" "$1/usr/share/man/man1";'
        ' echo RESUME=none > "$1/etc/initramfs-tools/conf.d/resume"',
        f"--include={wanted}", suite.name, root,
    )  # fmt: skip
    _run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "xenhost", "-f", folder / "id_ed25519")


def _configure(image: Image, root: Path) -> None:
    shutil.copytree(HERE / "rootfs", root, dirs_exist_ok=True)
    ssh = root / "root/.ssh"
    shutil.copy(image.folder / "id_ed25519.pub", ssh / "authorized_keys")
    shutil.copy(image.key, ssh / "id_ed25519")  # so that it can migrate a guest to itself
    for path, mode in ((ssh, 0o700), (ssh / "authorized_keys", 0o600), (ssh / "id_ed25519", 0o600)):
        path.chmod(mode)
        os.chown(path, 0, 0)
    units = root / "etc/systemd/system"
    for unit in MASKED:
        (units / unit).unlink(missing_ok=True)
        (units / unit).symlink_to("/dev/null")
    wants = units / "multi-user.target.wants"
    (wants / "xenhost-ready.service").symlink_to("../xenhost-ready.service")
    link = root / "etc/systemd/network/99-default.link"  # keeps the kernel's eth0
    link.parent.mkdir(exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to("/dev/null")
    with (root / "etc/default/xen").open("a") as defaults:
        defaults.write('\nXENCONSOLED_ARGS="--log=all --log-dir=/var/log/xen/console --timestamp=all"\n')
    (root / "var/log/xen/console").mkdir(parents=True, exist_ok=True)
    with (root / "etc/xen/xl.conf").open("a") as conf:
        conf.write('\nautoballoon="off"\n')
    # TCG has no VME: libvirt's libxl driver would find no CPU model and libvirtd would die in a restart loop
    model = root / "usr/share/libvirt/cpu_map/x86_486.xml"
    model.write_text("".join(line for line in model.read_text().splitlines(keepends=True) if "'vme'" not in line))
    (root / "etc/machine-id").write_text("0123456789abcdef0123456789abcdef\n")


def _kernels(image: Image, root: Path) -> None:
    version = next((root / "lib/modules").iterdir()).name
    vmlinux = image.folder / "vmlinux"
    vmlinux.write_bytes(_uncompressed((root / f"boot/vmlinuz-{version}").read_bytes()))
    hypervisor = next((root / "boot").glob(f"xen-{image.suite.xen}-amd64.gz"))
    (image.folder / "xen").write_bytes(zlib.decompress(hypervisor.read_bytes(), 31))
    _initrd(image, root, version, "dom0", "virtio_pci", "virtio_net", "virtio_blk", "ext4", "crc32c_generic")
    _initrd(image, root, version, "domu", "xen-blkfront", "xen-netfront", "ext4", "crc32c_generic")
    _grub_guest(image)
    for name in ("vmlinux", "initrd-domu.cpio", "grub-pv"):
        shutil.copy(image.folder / name, root / "opt/xenhost" / name)


def _uncompressed(bz_image: bytes) -> bytes:
    """The ELF inside a bzImage, so that neither Xen nor the domain builder has to decompress it under emulation.

    Offsets: Documentation/arch/x86/boot.rst (setup_sects at 0x1f1, payload_offset and _length at 0x248).
    """
    sectors = bz_image[0x1F1] or 4
    offset, length = struct.unpack_from("<II", bz_image, 0x248)
    payload = bz_image[(sectors + 1) * 512 + offset :][:length]
    if payload.startswith(b"\xfd7zXZ\0"):
        elf = lzma.LZMADecompressor().decompress(payload)
    elif payload.startswith(b"\x1f\x8b"):
        elf = zlib.decompressobj(31).decompress(payload)
    else:
        elf = subprocess.run(["zstd", "-dcq"], input=payload[:-4], stdout=subprocess.PIPE, check=True).stdout
    if not elf.startswith(b"\x7fELF"):
        raise RuntimeError("the kernel's payload is of an unknown kind")
    return elf


def _initrd(image: Image, root: Path, version: str, name: str, *modules: str) -> None:
    tree = image.folder / f"initrd.{name}"
    for folder in ("bin", "dev", "proc", "sys", "newroot", "mod", "etc", "mnt"):
        (tree / folder).mkdir(parents=True)
    shutil.copy(root / "bin/busybox", tree / "bin/busybox")
    (tree / "bin/sh").symlink_to("busybox")
    os.mknod(tree / "dev/console", 0o600 | 0o020000, os.makedev(5, 1))
    shutil.copy(HERE / "initrd" / name, tree / "init")
    (tree / "init").chmod(0o755)
    listed = _run("chroot", root, "modprobe", "-S", version, "-a", "--show-depends", *modules)
    paths = dict.fromkeys(line.split()[1] for line in listed.splitlines() if line.startswith("insmod"))
    for number, path in enumerate(paths):
        data = (root / path.lstrip("/")).read_bytes()
        data = lzma.decompress(data) if path.endswith(".xz") else data
        (tree / "mod" / f"{number:02}-{Path(path).name.removesuffix('.xz')}").write_bytes(data)
    names = "\n".join(str(p.relative_to(tree)) for p in sorted(tree.rglob("*")))
    archive = subprocess.run(
        ["cpio", "-o", "-H", "newc", "--quiet"], cwd=tree, input=names.encode(), stdout=subprocess.PIPE, check=True
    )
    (image.folder / f"initrd-{name}.cpio").write_bytes(archive.stdout)
    shutil.rmtree(tree)


def _grub_guest(image: Image) -> None:
    """GRUB for PV guests: a guest that is up in a second or two."""
    work = image.folder / "grub"
    (work / "disk").mkdir(parents=True)
    _run("apt-get", "download", "-q", "grub-xen-bin", cwd=work)
    _run("dpkg", "-x", next(work.glob("grub-xen-bin_*.deb")), work / "deb")
    (work / "disk/grub.cfg").write_text("echo XENHOST-GRUB-UP\n")
    (work / "early.cfg").write_text("configfile (memdisk)/grub.cfg\n")
    _run("tar", "cf", work / "memdisk.tar", "-C", work / "disk", "grub.cfg")
    _run(
        "grub-mkimage", "-O", "x86_64-xen", "-d", work / "deb/usr/lib/grub/x86_64-xen", "-m", work / "memdisk.tar",
        "-c", work / "early.cfg", "-p", "(memdisk)/", "-o", image.folder / "grub-pv",
        "memdisk", "tar", "echo", "sleep", "configfile", "normal", "reboot", "halt",
    )  # fmt: skip
    shutil.rmtree(work)


def _disk(image: Image, root: Path) -> None:
    raw, half = image.folder / "root.raw", image.folder / "base.part"
    with raw.open("wb") as file:
        file.truncate(4 << 30)
    _run(
        "mke2fs", "-q", "-t", "ext4", "-O", "^has_journal,^metadata_csum", "-E", "lazy_itable_init=1,root_owner=0:0",
        "-m0", "-L", "dom0", "-d", root, raw,
    )  # fmt: skip
    _run("qemu-img", "convert", "-O", "qcow2", raw, half)
    raw.unlink()
    half.rename(image.disk)  # the name appears only when it is whole
