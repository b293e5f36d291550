"""Reads the bundles of a batch as a Dask bag, on the workers of a scheduler; they see the same paths as we do."""

from collections.abc import Iterator, Sequence
from functools import partial
from importlib import import_module
from typing import Any

from xenwatch.base.errors import InputError
from xenwatch.triage.batch.result import BundleResult
from xenwatch.triage.batch.task import BatchTask, read_bundle

_CONNECT_DEADLINE = 15


def read_on_cluster(task: BatchTask, bundles: Sequence[str], scheduler: str) -> Iterator[BundleResult]:
    """The result of each bundle, in the order in which they are ready. Raises InputError without the scheduler.

    Each bundle is one partition: what a dead worker was reading is read again by another one.
    """
    try:
        # An extra: most read their bundles on one machine.
        bags, distributed = import_module("dask.bag"), import_module("distributed")
    except ImportError:
        raise InputError("--scheduler needs Dask: install xenwatch[batch], or python3-distributed") from None
    client = _client(distributed, scheduler)
    try:
        bag = bags.from_sequence(bundles, npartitions=len(bundles)).map(partial(read_bundle, task))
        names = dict(zip(client.compute(bag.to_delayed()), bundles, strict=True))
        for future in distributed.as_completed(list(names)):
            yield _result(future, names[future])
            future.release()
    finally:
        client.close()


def _client(distributed: Any, scheduler: str) -> Any:
    try:
        return distributed.Client(scheduler, timeout=_CONNECT_DEADLINE)
    except (OSError, ValueError) as error:
        raise InputError(f"the scheduler {scheduler} cannot be reached: {error}") from None


def _result(future: Any, bundle: str) -> BundleResult:
    error = future.exception()
    if error is not None:
        return BundleResult(bundle, error=f"the cluster could not read it: {type(error).__name__}: {error}")
    (result,) = future.result()
    return result if isinstance(result, BundleResult) else BundleResult(bundle, error="the cluster gave no result")
