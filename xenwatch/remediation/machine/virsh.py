"""virsh on the libvirt that the configuration names: the one place where its command line is made."""

from xenwatch.remediation.machine.port import Machine


def virsh(machine: Machine, *words: str) -> tuple[str, ...]:
    """A command that changes something."""
    return ("virsh", "-c", machine.libvirt_uri, *words)


def virsh_reading(machine: Machine, *words: str) -> tuple[str, ...]:
    """A command that only reads; libvirt refuses it everything else."""
    return ("virsh", "--readonly", "-c", machine.libvirt_uri, *words)
