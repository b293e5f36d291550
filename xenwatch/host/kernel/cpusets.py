"""Sets of cpus as Xen's tools print them: `all`, `0-3,6`, `any cpu`."""


def count_cpus(text: str, all_of_them: int) -> int | None:
    """How many cpus `text` names out of `all_of_them`; None where it cannot be told."""
    if text in ("all", "any", "any cpu"):
        return all_of_them or None
    cpus: set[int] = set()
    for part in text.split(","):
        first, dash, last = part.strip().removeprefix("^").partition("-")
        if not first.isdigit() or (dash and not last.isdigit()):
            return None
        members = range(int(first), int(last or first) + 1)
        cpus = cpus.difference(members) if part.strip().startswith("^") else cpus.union(members)
    return len(cpus)
