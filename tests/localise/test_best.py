from __future__ import annotations

import pytest

from surgery.judges.noise import NoiseJudge
from tests.helpers.probing import model, probed, small, study


@pytest.mark.parametrize("method", ["locogen", "trace_unet", "trace_text"])
def test_the_best_place_is_the_one_with_the_largest_effect_whichever_way_scores_go(
    method: str,
) -> None:
    loaded = model("sd1")
    report = probed(loaded, small(method, loaded), study(seeds=1), NoiseJudge())
    assert report.best == "least"
    largest = max(report.scores, key=lambda score: score.effect)
    assert report.ranked()[0].effect == largest.effect
    assert report.ranked()[-1].effect == min(one.effect for one in report.scores)
