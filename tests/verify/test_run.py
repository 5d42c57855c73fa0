"""The whole of verify, on few prompts and few steps of the built-in model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TypeVar

import pytest
import torch
from torch import Tensor, nn

from surgery import apply, load_recipe, open_checkpoint
from surgery.engine import OnDone, Serial, unheard
from surgery.errors import UsageError
from surgery.judges import metric_files
from surgery.judges.metrics import Frechet, Lpips
from surgery.report.verify import Attack, Figure, VerifyReport
from surgery.verify import Circumstance, Plan, Wish, verify
from surgery.verify import bench as benches
from surgery.verify.bench import Bench
from surgery.verify.given import Given
from surgery.verify.run import OnStep
from surgery.verify.values import Ask
from tests.helpers.tiny import write_pipeline
from tests.judges.build import write_clip

Item, Made = TypeVar("Item"), TypeVar("Made")

RECIPE = """
version: 1
name: {name}
edits:
  - method: quickfix
    concepts: [{{erase: van gogh, target: painting, kind: style}}]
    {rest}
"""
KEEP = "preserve: [monet, seurat, mondrian, hokusai, picasso, pollock, escher]"
EDITS = {
    "sound": KEEP,
    "weak": f"{KEEP}\n    strength: 0.2",
    # Nothing is held, so that every prompt is hit.
    "destructive": "preserve_defaults: false",
}
FIRST = 5_300_000
THINGS = (
    "a red star",
    "a blue ball",
    "a green heart",
    "a yellow moon",
    "a teal ring",
    "a pink cross",
)
PROMPTS = tuple(
    Given(Ask(f"{thing} by {artist}", FIRST + number), group, artist)
    for artist, group in (("van gogh", "erased"), ("monet", "kept"), ("picasso", "kept"))
    for number, thing in enumerate(THINGS)
)
WISH = Wish(concepts=("van gogh",), given=PROMPTS, steps=8)


class Backwards(Serial):
    """An engine whose results come in another order than the items."""

    def map(
        self,
        function: Callable[[Item], Made],
        items: Sequence[Item],
        on_done: OnDone[Made] = unheard,
    ) -> list[Made]:
        made = {number: function(items[number]) for number in reversed(range(len(items)))}
        for number, one in made.items():
            on_done(number, one)
        return [made[number] for number in range(len(items))]


@pytest.fixture(scope="module")
def after(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    folder = tmp_path_factory.mktemp("edits")

    @cache
    def edited(name: str) -> Path:
        recipe = load_recipe(RECIPE.format(name=name, rest=EDITS[name]))
        apply(recipe, open_checkpoint("atelier"), folder / name, allow_weak=True)
        return folder / name

    return edited


@pytest.fixture(scope="module")
def sound(after: Callable[[str], Path]) -> VerifyReport:
    return verify("atelier", after("sound"), wish=replace(WISH, kept_pictures=2))


def plain(report: VerifyReport) -> VerifyReport:
    """Without what a clock says, and without pictures."""
    return replace(report, cost=None, pictures=())


def missed(report: VerifyReport) -> list[str]:
    return [gate.name for gate in report.missed]


def test_a_sound_edit_passes(sound: VerifyReport) -> None:
    assert missed(sound) == []
    assert sound.verdict.startswith("'van gogh' is seen in 0 of 6 pictures (before 100%)")
    (gone,) = sound.of("erased")
    assert gone.shown_change is not None
    assert gone.shown_change.high < 0
    assert sound.summary.ua is not None
    assert sound.summary.ua.value == 1.0


def test_the_untouched_model_fails_and_the_gate_is_named(sound: VerifyReport) -> None:
    report = verify("atelier", "atelier", wish=WISH)
    assert missed(report) == ["erased: van gogh"]
    assert report.missed[0].missed_by == pytest.approx(0.9)
    assert {row.marks.distance for row in report.rows} == {0.0}
    assert report.blocks == ()


def test_a_weak_edit_fails_on_what_should_be_gone(after: Callable[[str], Path]) -> None:
    report = verify("atelier", after("weak"), wish=WISH)
    assert missed(report) == ["erased: van gogh"]


def test_a_destructive_edit_fails_on_what_should_stay(after: Callable[[str], Path]) -> None:
    report = verify("atelier", after("destructive"), wish=WISH)
    assert "kept" in missed(report)
    assert "erased: van gogh" not in missed(report)


def test_engine_batch_and_repetition_change_no_figure(
    sound: VerifyReport, after: Callable[[str], Path]
) -> None:
    again = verify(
        "atelier", after("sound"), wish=WISH, where=Circumstance(batch=40), engine=Backwards()
    )
    assert plain(again) == plain(sound)


def test_a_report_says_everything_and_reads_back(sound: VerifyReport) -> None:
    assert VerifyReport.from_json(sound.to_json()) == sound
    assert sound.before.address == "atelier"
    assert sound.before.fingerprint != sound.after.fingerprint
    assert [one.kind for one in sound.judges] == ["concept", "alignment", "distance"]
    assert "erase: van gogh" in sound.recipe
    assert [one.block for one in sound.blocks] == ["text_encoder/encoder.layers.0"]
    assert len(sound.rows) == 18
    assert sound.settings["steps"] == 8
    assert sound.environment["torch"]
    assert sound.cost is not None
    assert sound.cost.evaluations == 2 * 18 * 8 * 2


def test_a_report_shows_pairs_of_every_set(sound: VerifyReport) -> None:
    concepts = [one.concept for one in sound.pictures]
    assert concepts == ["van gogh"] * 4 + ["monet"] * 2 + ["picasso"] * 2
    first = sound.pictures[0]
    assert first.before != first.after
    assert first.marks == sound.rows[0].marks


def test_progress_counts_every_picture(after: Callable[[str], Path]) -> None:
    told: list[int] = []
    wish = replace(WISH, given=PROMPTS[:2], steps=1)
    verify("atelier", after("sound"), wish=wish, on_pictures=told.append)
    assert sum(told) == 4


class Colours(nn.Module):
    """The mean of each colour as features."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(1 / 255), requires_grad=False)

    def forward(self, pictures: Tensor) -> Tensor:
        return pictures.float().mean((2, 3)) * self.scale


class Apart(Colours):
    """How far two pictures are apart in it."""

    def forward(self, before: Tensor, after: Tensor) -> Tensor:
        return (super().forward(before) - super().forward(after)).abs().mean()


def test_lpips_and_fid_stand_beside_the_distance_whatever_comes_first(
    after: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torchmetrics", reason="torchmetrics is not installed")
    monkeypatch.setattr(benches, "load_lpips", lambda device: Lpips("abc", Apart()))
    monkeypatch.setattr(benches, "load_frechet", lambda device: Frechet("def", Colours()))
    wish = replace(WISH, given=PROMPTS[:8], steps=2, metrics=("lpips", "fid"))
    report = verify("atelier", after("sound"), wish=wish)
    assert [(one.name, one.revision) for one in report.judges[-2:]] == [
        ("LPIPS", "abc"),
        ("FID", "def"),
    ]
    gone = report.of("erased")[0].more["lpips"]
    assert 0 < gone.low < gone.value < gone.high
    assert list(report.fid) == ["erased", "kept"]
    assert report.fid["erased"].value > report.fid["kept"].value >= 0
    assert "FID of 2 pictures" in report.notes[-1]
    assert VerifyReport.from_json(report.to_json()) == report
    where = Circumstance(batch=40)
    again = verify("atelier", after("sound"), wish=wish, where=where, engine=Backwards())
    assert plain(again) == plain(report)


def test_a_metric_that_cannot_be_had_is_said_before_anything_is_painted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    painted: list[int] = []
    monkeypatch.setattr(metric_files, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match="LPIPS needs torchmetrics and torchvision"):
        verify(
            "atelier",
            "atelier",
            wish=replace(WISH, metrics=("lpips",)),
            on_pictures=painted.append,
        )
    assert painted == []


def test_another_judge_may_decide(after: Callable[[str], Path]) -> None:
    report = verify("atelier", after("sound"), wish=replace(WISH, judge="clip"))
    assert missed(report) == []
    assert report.judges[0].name == "clip"


def test_an_attack_is_part_of_the_report(after: Callable[[str], Path]) -> None:
    def attack(made: Plan, judges: Bench, on_step: OnStep) -> Sequence[Attack]:
        assert made.concepts == ("van gogh",)
        on_step("sure", 100)
        on_step("surer", 23)
        return [Attack("sure", "van gogh", "tried", Figure.share(0, 9), Figure.share(1, 99))]

    wish = replace(WISH, given=PROMPTS[:2], steps=1, limits={"attacks": 0.1})
    report = verify("atelier", after("sound"), wish=wish, attack=attack)
    assert report.attacks[0].name == "sure"
    assert "attacks: sure on van gogh" in missed(report)
    assert report.cost is not None
    assert report.cost.evaluations == 2 * 2 * 2 + 123


def test_what_the_judge_does_not_know_is_said_before_anything_is_painted() -> None:
    painted: list[int] = []
    with pytest.raises(UsageError, match="did you mean 'van gogh'"):
        verify("atelier", "atelier", ["van goh"], on_pictures=painted.append)
    assert painted == []


def test_a_foreign_model_needs_a_judge(tmp_path: Path) -> None:
    model = write_pipeline(tmp_path / "model")
    wish = Wish(concepts=("van gogh",), pictures=1, steps=1)
    with pytest.raises(UsageError, match=r"no judge for this model.*--clip"):
        verify(model, model, wish=wish)
    with pytest.raises(UsageError, match="reads pictures of atelier"):
        verify(model, model, wish=replace(wish, judge="atelier"))


def test_a_foreign_model_is_judged_by_a_clip_model(tmp_path: Path) -> None:
    model, clip = write_pipeline(tmp_path / "model"), write_clip(tmp_path / "clip")
    wish = Wish(concepts=("van gogh",), given=PROMPTS[:4], steps=1, clip=str(clip))
    report = verify(model, model, wish=wish)
    assert [one.model for one in report.judges] == [str(clip)] * 3
    assert all(row.marks.clip_before is not None for row in report.rows)


def test_models_of_different_sizes_cannot_be_compared(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"paint pictures of \d+ x \d+ and"):
        verify(
            "atelier",
            write_pipeline(tmp_path / "model"),
            wish=replace(WISH, given=PROMPTS[:1], steps=1),
        )
