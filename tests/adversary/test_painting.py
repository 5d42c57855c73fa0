from __future__ import annotations

import base64

import pytest
import torch

from surgery.adversary.painting import marks, mute, painted, plain, rank, shown
from surgery.errors import UsageError
from surgery.judges import Mark
from tests.adversary.build import Bright, copied, means
from tests.helpers.probing import model


def test_a_picture_depends_on_its_own_case_alone() -> None:
    found = model("sd1")
    given = means(found, found)
    cases = given.cases("report", 5)
    whole = marks(given, found, plain(found), cases, label="x")
    alone = marks(given, found, plain(found), cases[3:4], label="x")
    assert len(whole) == 5
    assert alone[0].score == pytest.approx(whole[3].score, abs=1e-5)


def test_progress_is_told_in_samples() -> None:
    told: list[tuple[str, int]] = []
    found = model("sd1")
    given = means(found, found, on_step=lambda label, done: told.append((label, done)))
    before = found.evaluations
    marks(given, found, plain(found), given.cases("report", 5), label="before")
    assert {label for label, _ in told} == {"before"}
    assert sum(done for _, done in told) == found.evaluations - before == 5 * 2 * 2


def test_the_first_pictures_are_kept_where_some_are_wanted() -> None:
    found = model("sd1")
    given = means(found, found)
    cases = given.cases("report", 5)
    made = painted(given, found, plain(found), cases, label="x", kept=2)
    assert len(made.marks) == 5 and len(made.pictures) == 2
    assert all(base64.b64decode(one).startswith(b"\x89PNG") for one in made.pictures)
    assert painted(given, found, plain(found), cases[:1], label="x").pictures == ()


def test_a_judge_that_says_neither_yes_nor_no_is_refused() -> None:
    found = model("sd1")
    given = means(found, found, judge=Bright(limit=None))
    with pytest.raises(UsageError, match="'bright' does not say") as refused:
        marks(given, found, plain(found), given.cases("report", 1), label="x")
    assert str(refused.value) == str(mute("bright"))


def test_numbers_that_overflow_are_told_and_not_judged() -> None:
    broken = copied("sd1", lambda one: one.denoiser.conv_out.weight.fill_(torch.inf))
    given = means(broken, broken)
    with pytest.raises(UsageError, match="overflow"):
        marks(given, broken, plain(broken), given.cases("report", 1), label="x")


def test_a_share_has_its_interval() -> None:
    found = shown([Mark(0.9, True), Mark(0.1, False), Mark(0.2, False), Mark(0.3, False)])
    assert (found.value, found.count, found.how) == (0.25, 4, "wilson")
    assert found.low < 0.25 < found.high


def test_what_is_seen_more_often_goes_first_and_then_what_scores_more() -> None:
    found = model("sd1")
    given = means(found, found)
    often, strong = [Mark(0.6, True), Mark(0.1, False)], [Mark(0.4, False), Mark(0.4, False)]
    weak = [Mark(0.1, False), Mark(0.1, False)]
    order = sorted([weak, strong, often], key=lambda one: rank(given, one))
    assert order == [often, strong, weak]


class Replaced(Bright):
    """Scores what took the concept's place."""

    def best(self, sort: str) -> str:
        return "most"


def test_a_judge_that_scores_the_replacement_is_read_the_other_way_round() -> None:
    found = model("sd1")
    given = means(found, found, judge=Replaced())
    near, far = [Mark(0.9, False)], [Mark(0.1, False)]
    assert min([near, far], key=lambda one: rank(given, one)) == far
