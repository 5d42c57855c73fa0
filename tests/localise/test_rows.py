"""What was measured is not measured again, and what depends on anything else is."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from surgery.hooks import intervene
from surgery.judges.noise import NoiseJudge
from surgery.localise.journal import Journal
from surgery.localise.study import Study
from surgery.model import load_model
from surgery.probes.locogen import LocoGen
from surgery.runs import Sampling
from tests.helpers.probing import (
    METHODS,
    QUESTION,
    ending_hook,
    farthest,
    figures,
    folder,
    judge_of,
    model,
    probed,
    small,
    study,
)


@pytest.fixture(params=METHODS)
def method(request: pytest.FixtureRequest) -> str:
    return request.param


def evaluated(asked: Study, journal: Journal, **more: object) -> int:
    """What it costs to probe the smallest model for one window."""
    report = probed(model("if"), LocoGen(window=10), asked, journal=journal, **more)  # type: ignore[arg-type]
    assert report.cost is not None
    return report.cost.evaluations


def test_what_is_kept_is_not_run_again(tmp_path: Path, method: str) -> None:
    loaded, asked = model("if"), study()
    probe = small(method, loaded)
    first = probed(loaded, probe, asked, journal=Journal(tmp_path / "j"))
    again = probed(loaded, probe, asked, journal=Journal(tmp_path / "j"))
    assert first.cost and again.cost
    assert (first.cost.evaluations > 0, first.cost.kept) == (True, 0)
    runs = sum(one.count for one in (*first.anchors, *first.scores))
    assert (again.cost.evaluations, again.cost.kept) == (0, runs)
    assert replace(again, cost=None) == replace(first, cost=None)


def test_a_stopped_probe_goes_on_where_it_was(tmp_path: Path, method: str) -> None:
    loaded, asked = model("atelier"), study(seeds=1, batch=2, steps=1, guidance=1.0)
    probe, judge = small(method, loaded), judge_of("atelier")
    whole = probed(loaded, probe, asked, judge)
    stops = ending_hook(loaded, "resnet", KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt), intervene([stops]):
        probed(loaded, probe, asked, judge, Journal(tmp_path / "j"))
    before = loaded.evaluations
    later = probed(loaded, probe, asked, judge, Journal(tmp_path / "j"))
    assert later.cost and whole.cost
    # What the third call of the denoiser stopped; a glance calls it twice for a batch.
    calls = 2 if method == "quick" else 1
    assert later.cost.kept == 2 * (2 // calls)
    assert loaded.evaluations - before == later.cost.evaluations
    companions = 1 if method == "trace_unet" else 0
    assert later.cost.evaluations == whole.cost.evaluations - 4 - companions
    assert figures(later).keys() == figures(whole).keys()
    assert farthest(later, whole) < 1e-6


def test_a_torn_last_line_is_measured_again(tmp_path: Path) -> None:
    asked, file = study(seeds=1, steps=1, guidance=1.0), tmp_path / "j"
    assert evaluated(asked, Journal(file)) == 3 + 2 - 2
    file.write_bytes(file.read_bytes()[:-9])
    # The row itself, and the two anchors that the judge holds it against.
    assert evaluated(asked, Journal(file)) == 3
    assert evaluated(asked, Journal(file)) == 0


def test_every_changed_setting_is_another_measurement(tmp_path: Path) -> None:
    asked, file = study(seeds=1, steps=1, guidance=1.0), tmp_path / "j"
    spent = evaluated(asked, Journal(file))
    assert evaluated(replace(asked, batch=1), Journal(file)) == 0
    pair = QUESTION.pairs[0]
    sampling = asked.sampling
    changed = [
        replace(asked, sampling=replace(sampling, guidance=1.5)),
        replace(asked, sampling=Sampling(2, 1.0)),
        replace(asked, seeds=(7,)),
        replace(asked, noises=(4.0,)),
        *(
            replace(asked, question=replace(asked.question, **{key: value}))
            for key, value in {
                "concept": "gogh",
                "target": "photo",
                "sort": "object",
                "pairs": (replace(pair, target="a green ball"),),
            }.items()
        ),
        replace(asked, question=replace(asked.question, pairs=(replace(pair, subject="gogh"),))),
    ]
    for one in changed:
        assert evaluated(one, Journal(file)) >= spent
        assert evaluated(one, Journal(file)) == 0
    assert evaluated(asked, Journal(file), judge=Other()) == spent
    assert evaluated(asked, Journal(file, fresh=True)) == spent


class Other(NoiseJudge):
    name = "other"


def test_an_edited_model_is_measured_again(tmp_path: Path) -> None:
    journal, asked = Journal(tmp_path / "j"), study(seeds=1, steps=1, guidance=1.0)
    reports = [
        probed(model(family), LocoGen(window=16), asked, journal=journal)
        for family in ("sd1", "sd2", "sd1")
    ]
    assert [one.cost.evaluations > 0 for one in reports if one.cost] == [True, True, False]


def test_another_tokenizer_or_scheduler_is_another_measurement(tmp_path: Path) -> None:
    journal, asked = Journal(tmp_path / "j"), study(seeds=1, steps=1, guidance=1.0)
    place = tmp_path / "model"
    shutil.copytree(folder("if"), place)

    def spent() -> int:
        report = probed(load_model(place), LocoGen(window=10), asked, journal=journal)
        assert report.cost is not None
        return report.cost.evaluations

    assert (spent(), spent()) == (3, 0)
    config = place / "scheduler" / "scheduler_config.json"
    config.write_text(config.read_text("utf-8").replace("squaredcos_cap_v2", "linear"), "utf-8")
    assert (spent(), spent()) == (3, 0)
    tokenizer = place / "tokenizer" / "tokenizer.json"
    tokenizer.write_text(tokenizer.read_text("utf-8").replace("▁gogh", "▁goth"), "utf-8")
    assert (spent(), spent()) == (3, 0)


def test_pictures_are_kept_where_they_are_asked_for_also_of_what_was_measured_before() -> None:
    loaded, journal = model("if"), Journal()
    asked, probe = study(steps=1), LocoGen(window=9)
    plain = probed(loaded, probe, asked, journal=journal)
    shown = probed(loaded, probe, replace(asked, thumbnails=True), journal=journal)
    assert not plain.pictures
    assert [one.site for one in shown.pictures] == [
        "none",
        "all",
        *(one.site for one in shown.scores),
    ]
    assert all(one.png for one in shown.pictures)
    assert farthest(shown, plain) < 1e-6
    assert not probed(loaded, probe, asked, journal=journal).pictures
