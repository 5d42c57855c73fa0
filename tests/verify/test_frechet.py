"""FID by group, whichever order pictures came in."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from surgery.judges.metrics import Frechet
from surgery.report.verify import Group
from surgery.verify.frechet import frechet_figures
from surgery.verify.samples import Sample
from tests.verify.build import rows

FRECHET = Frechet("abc", nn.Identity())


def samples(group: Group, before: Tensor, after: Tensor) -> list[Sample]:
    some = rows(group, "van gogh", [None] * len(before), [None] * len(before))
    pairs = zip(before, after, strict=True)
    return [Sample(0, row, None, pair) for row, pair in zip(some, pairs, strict=True)]


def noise(seed: int, count: int = 20) -> Tensor:
    return torch.randn(count, 4, generator=torch.Generator().manual_seed(seed))


def test_every_group_has_a_distance_of_its_own_in_the_order_of_groups() -> None:
    pytest.importorskip("torchmetrics", reason="torchmetrics is not installed")
    kept = samples("kept", noise(1), noise(1) + 1)
    gone = samples("erased", noise(2), noise(2) + 3)
    found = frechet_figures(FRECHET, [*kept, *gone])
    assert list(found) == ["erased", "kept"]
    assert found["erased"].value == pytest.approx(4 * 3**2, rel=1e-4)
    assert found["kept"].value == pytest.approx(4, rel=1e-4)
    assert (found["kept"].count, found["kept"].how) == (20, "none")
    assert found["kept"].low == found["kept"].high == found["kept"].value


def test_one_picture_alone_has_none() -> None:
    assert frechet_figures(FRECHET, samples("kept", noise(1, 1), noise(2, 1))) == {}


def test_without_features_there_is_none() -> None:
    plain = [Sample(0, row) for row in rows("kept", "monet", [None] * 3, [None] * 3)]
    assert frechet_figures(FRECHET, plain) == {}
