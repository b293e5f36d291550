"""Operations on guests that are called by the first part of their name: a file may be called after that alone."""

from dataclasses import replace

from xenwatch.diagnosis.domain_registry import DomainRegistry
from xenwatch.diagnosis.operations.seen import SeenOperations
from xenwatch.model.subject import Subject


def name_in_full(operations: SeenOperations, registry: DomainRegistry) -> None:
    """`xm create web` reads a file of that name, and the guest in it is `web.example.org`, where that is known."""
    for operation in [one for one in operations if one.named_by_file and one.target]:
        short = operation.target or ""
        full = [name for name in registry.names(operation.host) if name.startswith(f"{short}.")]
        if len(full) == 1:
            operations.change(replace(operation, target=full[0], named_by_file=False))
            registry.forget(Subject("domain", short, host=operation.host))
