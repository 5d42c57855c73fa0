"""A hint is a computation on files: compared with one on networks in memory, and by hand."""

from __future__ import annotations

import shutil
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from surgery.errors import SurgeryError
from surgery.layout import detect
from surgery.localise.hint import NOTE, hint
from surgery.localise.study import Study
from surgery.localise.wish import Circumstance
from surgery.model import DiffusersModel, load_model
from surgery.probes.weights import Weights
from surgery.probes.windows import bounds
from surgery.report import ProbeReport
from surgery.store.checkpoint import open_checkpoint
from tests.helpers.probing import FAMILIES, PAIRS, TINY, folder, model, single, study

EACH = Weights(window=1, stride=1)


def hinted(address: str | Path, probe: Weights = EACH, asked: Study | None = None) -> ProbeReport:
    opened = open_checkpoint(address)
    return hint(opened, detect(opened), probe, asked or study(prompts=2), Circumstance())


@cache
def of_family(family: str) -> ProbeReport:
    return hinted("atelier" if family == "atelier" else folder(family))


def maps(loaded: DiffusersModel) -> list[np.ndarray]:
    """W_o W_v of every layer; a common factor, as these models have one, is without effect."""
    found = []
    for layer in loaded.modules("cross_attn"):
        given = getattr(layer, "add_v_proj", None)
        value = layer.get_submodule("to_v") if given is None else given
        value, out = (
            one.weight.detach().double() for one in (value, layer.get_submodule("to_out.0"))
        )
        found.append((out @ value).numpy())
    return found


def by_hand(loaded: DiffusersModel) -> np.ndarray:
    """(prompts, layers), from what the networks in memory say."""
    rows = []
    for pair in PAIRS:
        told = loaded.context(loaded.encode([pair.source, pair.target])).detach().double().numpy()
        change = told[1] - told[0]
        answers = [
            np.sqrt(sum(((both @ token) ** 2).sum() for token in change)) / np.sqrt((both**2).sum())
            for both in maps(loaded)
        ]
        rows.append(np.array(answers) / sum(answers))
    return np.array(rows)


@pytest.mark.parametrize("family", FAMILIES)
def test_shares_of_layers_are_those_of_the_model_in_memory(family: str) -> None:
    report, expected = of_family(family), by_hand(model(family))
    assert [bounds(one.site)[0] for one in report.scores] == list(range(expected.shape[1]))
    found = [one.effect for one in report.scores]
    np.testing.assert_allclose(found, expected.mean(0), rtol=1e-3)
    np.testing.assert_allclose(
        [one.std for one in report.scores], expected.std(0, ddof=1), atol=1e-4
    )
    assert np.ptp(found) > 1e-3


@pytest.mark.parametrize("family", FAMILIES)
def test_shares_sum_to_one_and_the_denoiser_never_runs(family: str) -> None:
    report = of_family(family)
    assert sum(one.effect for one in report.scores) == pytest.approx(1)
    assert report.cost is not None
    assert report.cost.evaluations == 0


def test_a_window_has_the_share_of_its_layers_together() -> None:
    each = [one.effect for one in of_family("sd1").scores]
    report = hinted(folder("sd1"), Weights(window=3, stride=2))
    for one in report.scores:
        assert one.effect == pytest.approx(sum(each[slice(*bounds(one.site))]))
        assert one.low is not None and one.high is not None
        assert one.low <= one.effect <= one.high
    assert report.found == max(report.scores, key=lambda one: one.effect).site
    assert report.best == "most"


def test_a_single_prompt_has_no_interval() -> None:
    report = hinted(folder("sd1"), asked=study(prompts=1))
    assert {(one.count, one.low, one.high, one.std) for one in report.scores} == {
        (1, None, None, 0.0)
    }


@pytest.mark.parametrize("family", ["sd1", "sdxl"])
def test_a_single_file_gives_the_same_hint(family: str) -> None:
    single(family)
    file = folder(family).parent / f"{family}-single" / "m.safetensors"
    found = [one.effect for one in hinted(file).scores]
    assert found == pytest.approx([one.effect for one in of_family(family).scores])


@pytest.mark.parametrize("family", [name for name in TINY if name != "if"])
def test_a_family_of_clip_towers_needs_no_model_that_can_be_loaded(
    family: str, tmp_path: Path
) -> None:
    place = shutil.copytree(folder(family), tmp_path / "m")
    shutil.rmtree(place / "vae")
    shutil.rmtree(place / "scheduler")
    with pytest.raises(SurgeryError):
        load_model(place)
    assert hinted(place).scores == of_family(family).scores


def test_a_report_says_that_it_is_a_hint_and_what_it_rests_on() -> None:
    report = of_family("sd1")
    assert report.notes == (NOTE,)
    assert report.method == "weights"
    assert report.prompts == tuple((one.source, one.target) for one in PAIRS)
    assert report.settings == {"prompts": 2}
    assert ProbeReport.from_json(report.to_json()) == report
