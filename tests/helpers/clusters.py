"""Ray clusters whose machines are simulated on this one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import pytest

HAS_RAY = find_spec("ray") is not None


def on_ray(test: Callable[..., None]) -> Callable[..., None]:
    """A test that starts a cluster; skipped with its reason where there is no Ray."""
    reason = "starts a Ray cluster, and ray is not installed: pip install '.[ray]'"
    return pytest.mark.slow(pytest.mark.skipif(not HAS_RAY, reason=reason)(test))


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster that is running.

    Args:
        address: to connect to.
        nodes: ids of its machines, the head first.
    """

    address: str
    nodes: tuple[str, ...]
    _made: Any
    _own: dict[str, Any]

    def end(self, node: str) -> None:
        """Pull the plug of a machine."""
        self._made.remove_node(self._own[node], allow_graceful=False)


@contextmanager
def cluster(nodes: int) -> Iterator[Cluster]:
    """One processor in each machine, one that nobody else can reach."""
    from ray.cluster_utils import Cluster as Simulated

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        size = {"num_cpus": 1, "object_store_memory": 80_000_000, "include_dashboard": False}
        made = Simulated(initialize_head=True, head_node_args=size)
        others = [
            made.add_node(num_cpus=1, object_store_memory=80_000_000) for _ in range(nodes - 1)
        ]
        try:
            own = {str(one.node_id): one for one in (made.head_node, *others)}
            yield Cluster(made.address, tuple(own), made, own)
        finally:
            made.shutdown()
