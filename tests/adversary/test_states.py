from __future__ import annotations

import pytest
import torch

from surgery.adversary.painting import plain
from surgery.adversary.states import States
from tests.adversary.build import TINY as BUDGET
from tests.adversary.build import copied, latents, means, retold, turned
from tests.helpers.probing import TINY, model


@pytest.mark.parametrize("family", TINY)
def test_an_edit_of_the_text_encoder_alone_is_undone_to_the_last_bit(family: str) -> None:
    before, after = model(family), copied(family, retold)
    given = means(before, after)
    cases = given.cases("report", 2)
    old = latents(before, plain(before), cases)
    assert not torch.allclose(latents(after, plain(after), cases), old)
    assert torch.equal(latents(after, States().find(given).approach, cases), old)


def test_where_the_text_encoder_was_not_edited_there_is_nothing_to_exchange() -> None:
    before = model("sd1")
    assert "old one already" in States().missing(means(before, copied("sd1", turned())))
    assert States().missing(means(before, copied("sd1", retold))) == ""


def test_a_second_text_encoder_counts_too() -> None:
    def second(found) -> None:
        found.modules("text2.embedding")[0].weight.mul_(-1)

    assert States().missing(means(model("sdxl"), copied("sdxl", second))) == ""


def test_nothing_is_run_beforehand() -> None:
    before, after = model("sd1"), copied("sd1", retold)
    ran = after.evaluations
    States().find(means(before, after))
    assert after.evaluations == ran
    assert States().cost(BUDGET) == 0
