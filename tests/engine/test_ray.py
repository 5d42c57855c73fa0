"""A cluster of two simulated machines on this one; these tests run where ray is installed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from surgery.engine import Engine, Serial, engine_for
from surgery.engine.ray import Ray
from surgery.errors import CheckpointError, ResourceError, UsageError
from tests.engine import work
from tests.helpers.clusters import Cluster, cluster, on_ray


@pytest.fixture(scope="module")
def two_nodes() -> Iterator[Cluster]:
    with cluster(nodes=2) as made:
        yield made


@pytest.fixture
def engine(two_nodes: Cluster) -> Iterator[Engine]:
    with engine_for("ray", address=two_nodes.address) as connected:
        yield connected


def test_without_ray_one_sentence_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("surgery.engine.ray.find_spec", lambda name: None)
    with pytest.raises(UsageError) as raised:
        engine_for("ray")
    assert str(raised.value) == (
        "Ray is not installed; pip install 'surgery[ray]', or take --engine local"
    )


@pytest.mark.parametrize(
    ("device", "workers", "there", "expected"),
    [
        ("cpu", None, {"CPU": 5}, (1, 0.0, 5)),
        ("cpu", 2, {"CPU": 5}, (1, 0.0, 2)),
        ("cpu", 9, {"CPU": 5, "GPU": 2}, (1, 0.0, 5)),
        ("cuda", None, {"CPU": 8, "GPU": 2}, (1, 1.0, 2)),
        ("cuda", 1, {"CPU": 8, "GPU": 2}, (1, 1.0, 1)),
        ("cuda", 6, {"CPU": 8, "GPU": 2}, (1, 0.3333, 6)),
        ("cuda", 64, {"CPU": 8, "GPU": 2}, (1, 0.25, 8)),
    ],
)
def test_a_worker_takes_a_processor_or_its_share_of_the_gpus(
    device: str,
    workers: int | None,
    there: dict[str, float],
    expected: tuple[float, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("surgery.engine.ray.find_spec", lambda name: True)
    needs, room = Ray("here", workers, device=device)._needs(there)
    assert (needs["num_cpus"], needs["num_gpus"], room) == expected


@pytest.mark.parametrize(
    ("device", "there", "what"),
    [("cuda", {"CPU": 4}, "with a GPU"), ("cpu", {"GPU": 1}, "free processors")],
)
def test_a_cluster_without_what_is_needed_is_refused(
    device: str, there: dict[str, float], what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("surgery.engine.ray.find_spec", lambda name: True)
    with pytest.raises(UsageError, match=what):
        Ray("here", device=device)._needs(there)


@on_ray
def test_both_machines_work_and_give_the_bits_of_this_process(
    engine: Engine, two_nodes: Cluster, tmp_path: Path
) -> None:
    told: dict[int, bytes] = {}
    assert engine.map(work.sums, range(6), told.__setitem__) == Serial().map(work.sums, range(6))
    assert sorted(told) == [*range(6)]
    assert set(engine.map(work.meet, [tmp_path] * 2)) == set(two_nodes.nodes)
    assert engine.map(work.seen, [0])[0][:2] == (1, "1")


@on_ray
def test_a_killed_worker_loses_nothing(engine: Engine, tmp_path: Path) -> None:
    items = [work.Fatal((), number) for number in range(6)]
    items[2] = work.Fatal((tmp_path / "first", tmp_path / "second"), 2)
    told: list[int] = []
    assert engine.map(work.mortal, items, lambda n, made: told.append(made)) == [*range(6)]
    assert sorted(told) == [*range(6)]
    assert len(list(tmp_path.iterdir())) == 2


@on_ray
def test_mistakes_come_back_whole_and_the_next_items_are_done(
    engine: Engine, tmp_path: Path
) -> None:
    with pytest.raises(CheckpointError) as raised:
        engine.map(work.refuse, range(4))
    assert (raised.value.what, raised.value.hint) == ("it is damaged", "get another")
    traces = tuple(tmp_path / str(number) for number in range(9))
    with pytest.raises(ResourceError, match="3 workers died over the same work"):
        engine.map(work.mortal, [work.Fatal(traces)])
    assert engine.map(work.square, range(3)) == [0, 1, 4]


@on_ray
def test_a_lost_machine_loses_nothing(tmp_path: Path) -> None:
    with cluster(nodes=2) as made, engine_for("ray", address=made.address) as engine:
        assert set(engine.map(work.meet, [tmp_path] * 2)) == set(made.nodes)
        lost: list[str] = []

        def end_it(number: int, where: str) -> None:
            if not lost and where != made.nodes[0]:
                lost.append(where)
                made.end(where)

        assert len(engine.map(work.node, range(40), end_it)) == 40
        assert lost == [made.nodes[1]]
        assert set(engine.map(work.node, range(3))) == {made.nodes[0]}


@on_ray
def test_one_process_is_in_one_cluster(two_nodes: Cluster, engine: Engine) -> None:
    assert engine.map(work.square, [3]) == [9]
    with Ray("127.0.0.1:1") as other, pytest.raises(UsageError, match="is connected to the Ray"):
        other.map(work.square, [1])


@on_ray
def test_nobody_at_an_address_is_one_sentence() -> None:
    with Ray("127.0.0.1:1") as nobody, pytest.raises(UsageError, match="no Ray cluster answers"):
        nobody.map(work.square, [1])


SCRIPT = """
from surgery.engine import engine_for
from tests.engine import work

if __name__ == "__main__":
    import signal
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with engine_for("ray", 1) as engine:
        assert engine.map(work.square, [3]) == [9]
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
"""


@on_ray
def test_without_an_address_a_cluster_is_there_for_the_engine_alone_and_silent(
    tmp_path: Path,
) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT, "utf-8")
    surroundings: dict[str, Any] = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, env=surroundings
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
