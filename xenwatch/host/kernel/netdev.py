"""/proc/net/dev: counters of all network interfaces in one read."""

NetCounters = tuple[int, int, int, int, int, int, int, int]
"""Received bytes, packets, errors, dropped; then the same sent. dom0's view."""


def parse_net_dev(data: bytes) -> dict[str, NetCounters]:
    """Counters by interface; a line of another shape is passed over."""
    found: dict[str, NetCounters] = {}
    for line in data.splitlines()[2:]:
        name, colon, numbers = line.rpartition(b":")
        words = numbers.split()
        if colon and len(words) >= 12:  # noqa: PLR2004 - 8 columns each way; old kernels have 16, newer no fewer
            try:
                rx, tx = words[0:4], words[8:12]
                found[name.strip().decode("utf-8", "replace")] = (
                    int(rx[0]), int(rx[1]), int(rx[2]), int(rx[3]), int(tx[0]), int(tx[1]), int(tx[2]), int(tx[3]),
                )  # fmt: skip
            except ValueError:
                continue
    return found
