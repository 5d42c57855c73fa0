"""A probe finds the same, bit for bit, in one process, in several and on a cluster."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from surgery.engine import Engine, Serial, engine_for
from surgery.errors import CheckpointError, UsageError
from surgery.judges.given import GivenJudge, given_judge
from surgery.localise.journal import Journal
from surgery.localise.probe import probe
from surgery.localise.run import Means, run_probe
from surgery.localise.tools import Addresses, addresses_of, lent
from surgery.localise.wish import Circumstance
from surgery.probes.locogen import LocoGen
from surgery.report import ProbeReport
from surgery.store.checkpoint import open_checkpoint
from tests.helpers.clusters import cluster, on_ray
from tests.helpers.probing import folder, judge_of, study

SHORT = {"prompts": 2, "seeds": 1, "steps": 2, "batch": 4}


@pytest.fixture(scope="module")
def two() -> Iterator[Engine]:
    with engine_for("local", 2) as engine:
        yield engine


def asked(engine: Engine | None, journal: Journal | None = None, **more: object) -> ProbeReport:
    """A short probe of `atelier`, or of the model that is named."""
    settings = {"method": "locogen", "window": 4, **SHORT, **more}
    place = settings.pop("model", "atelier")
    found = probe(place, "van gogh", engine=engine, journal=journal, **settings)  # type: ignore[arg-type]
    assert isinstance(found, ProbeReport)
    return found


def told(report: ProbeReport) -> str:
    """Everything but what it cost."""
    return replace(report, cost=None).to_json()


WAYS = {
    "judged by pictures": {"thumbnails": True},
    "judged by latents": {"judge": "noise"},
    "quick": {"method": "quick", "window": None, "check": 1},
    "tracing": {"method": "trace_text", "draws": 1, "steps": 1, "batch": 16, "window": None},
}


@pytest.mark.parametrize("way", WAYS)
def test_several_processes_find_what_one_finds(way: str, two: Engine) -> None:
    here, there = asked(None, **WAYS[way]), asked(two, **WAYS[way])
    assert told(here) == told(there)
    assert here.cost and there.cost
    assert here.cost.evaluations == there.cost.evaluations > 0


def test_a_model_of_the_wide_world_too(two: Engine) -> None:
    more = {"model": folder("if"), "judge": "noise", "sort": "style", "window": 9}
    assert told(asked(None, threads=1, **more)) == told(asked(two, threads=1, **more))


def test_measurements_of_one_engine_are_another_engines(two: Engine, tmp_path: Path) -> None:
    first = asked(two, Journal(tmp_path / "j"))
    again = asked(None, Journal(tmp_path / "j"))
    assert told(first) == told(again)
    assert again.cost and again.cost.evaluations == 0
    # What workers measured is in the file, each once.
    keys = [
        json.loads(line)["key"] for line in (tmp_path / "j").read_text("utf-8").splitlines() if line
    ]
    assert first.cost and len(keys) == len(set(keys)) == again.cost.kept - first.cost.kept


def test_progress_counts_every_step_once(two: Engine) -> None:
    for engine in (Serial(), two):
        planned, done = [], []
        probe(
            "atelier", "van gogh", engine=engine, method="locogen", window=9,
            stage=counting(planned, done), **SHORT,  # type: ignore[arg-type]
        )  # fmt: skip
        assert sum(done) == sum(planned) > 0


def counting(planned: list[int], done: list[int]) -> object:
    from contextlib import nullcontext

    def stage(label: str, total: int) -> object:
        planned.append(total)
        return nullcontext(done.append)

    return stage


def redness(pictures: np.ndarray, question: object) -> Sequence[float]:
    return [float(score) for score in pictures[..., 0].mean((1, 2))]


class Killing:
    """A judge's function that kills the worker it is called in, once."""

    def __init__(self, trace: Path, spared: int) -> None:
        self.trace, self.spared = trace, spared

    def __call__(self, pictures: np.ndarray, question: object) -> Sequence[float]:
        if os.getpid() != self.spared and not self.trace.exists():
            self.trace.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return redness(pictures, question)


def test_a_judge_of_the_users_own_goes_along_if_it_is_in_a_module(two: Engine) -> None:
    assert told(asked(None, judge=redness)) == told(asked(two, judge=redness))
    own = given_judge(lambda pictures, question: redness(pictures, question), "mine")
    assert asked(None, judge=own).judge == "mine"
    with pytest.raises(UsageError) as raised:
        asked(two, judge=own)
    assert str(raised.value) == (
        "the judge 'mine' cannot be sent to a worker; "
        "define its function by def in a module, or take --engine serial"
    )


def test_a_killed_worker_changes_nothing(two: Engine, tmp_path: Path) -> None:
    judge = GivenJudge(Killing(tmp_path / "killed", os.getpid()), "redness")
    journal = Journal(tmp_path / "j")
    there = asked(two, journal, judge=judge)
    assert (tmp_path / "killed").exists()
    assert told(there) == told(asked(None, judge=judge))


@on_ray
def test_a_cluster_finds_what_one_process_finds_though_a_worker_is_killed(tmp_path: Path) -> None:
    judge = GivenJudge(Killing(tmp_path / "killed", os.getpid()), "redness")
    with cluster(nodes=2) as made, engine_for("ray", address=made.address) as engine:
        assert told(asked(engine, judge=judge)) == told(asked(None, judge=judge))
        assert (tmp_path / "killed").exists()
        assert told(asked(engine, judge="noise")) == told(asked(None, judge="noise"))


def test_a_mistake_in_a_worker_is_the_one_sentence_that_it_is_here(two: Engine) -> None:
    said = []
    for engine in (None, two):
        with pytest.raises(UsageError) as raised:
            asked(engine, resolution=7)
        said.append(str(raised.value))
    assert said[0] == said[1]


def test_workers_that_find_another_model_are_noticed(two: Engine) -> None:
    place = addresses_of(open_checkpoint("atelier"), Circumstance())
    means = Means(place, judge_of("atelier"), engine=Swapped(two))
    with pytest.raises(CheckpointError, match="a worker found another model than the first"):
        run_probe(means, LocoGen(window=9), study(steps=1, seeds=1))


class Swapped(Serial):
    """After the facts were told, the model is another one."""

    is_here = False

    def __init__(self, real: Engine) -> None:
        self.real, self.calls = real, 0

    def map(self, function, items, on_done=lambda number, made: None):  # type: ignore[no-untyped-def]
        self.calls += 1
        made = self.real.map(function, items)
        if self.calls == 1:
            return [replace(one, fingerprint="other") for one in made]
        for number, one in enumerate(made):
            on_done(number, one)
        return made


def test_addresses_hold_from_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    where = Circumstance(config=Path("config"), tokenizer=Path("tokenizer"))
    monkeypatch.chdir(folder("if").parent)
    place = addresses_of(open_checkpoint("if"), where, "my_clip")
    assert (place.model, place.clip) == (str(folder("if")), str(Path("my_clip").absolute()))
    assert place.where.config == Path("config").absolute()
    assert addresses_of(open_checkpoint("atelier"), where).model == "atelier"
    assert addresses_of(open_checkpoint("atelier"), where, "org/name").clip == "org/name"


def test_a_judge_with_a_network_is_sent_by_name() -> None:
    place = Addresses("atelier", False, Circumstance(), "atelier")
    sent = lent(place, judge_of("atelier"))
    assert sent.judging is not judge_of("atelier")
    assert sent.judge.name == judge_of("atelier").name
    assert lent(place, judge_of("if")).judge.name == "noise"
    assert sent.model is sent.model
