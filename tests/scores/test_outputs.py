from __future__ import annotations

import numpy as np
import torch

from surgery.hooks import intervene
from surgery.scores.outputs import Outputs
from tests.helpers.probing import model

SITES = ("ff.in[0]", "ff.in[1]")


def test_it_is_the_mean_over_places_and_steps_of_every_picture() -> None:
    found = Outputs(model("atelier"), SITES[:1])
    layer = model("atelier").owner(SITES[0])
    width = layer.get_parameter("weight").shape[1]
    first, second = torch.randn(2, 3, 5, width, generator=torch.Generator().manual_seed(0))
    with torch.no_grad(), intervene(found.hooks()):
        given = [layer(one) for one in (first, second)]
    expected = torch.stack(given).double().mean(dim=(0, 2)).numpy()
    np.testing.assert_allclose(found.means(SITES[0]), expected, rtol=1e-5, atol=1e-7)


def test_nothing_that_flows_is_changed_and_no_hook_stays() -> None:
    loaded = model("sd1")
    told = loaded.encode(["a red ball", "a picture"])
    plain = loaded.denoise(told, [0, 1], steps=1)
    found = Outputs(loaded, SITES)
    watched = loaded.denoise(told, [0, 1], steps=1, hooks=found.hooks())
    assert torch.equal(plain, watched)
    assert found.means(SITES[1]).shape[0] == 2
    once = found.means(SITES[0])
    loaded.denoise(told, [0, 1], steps=1)
    np.testing.assert_array_equal(found.means(SITES[0]), once)


def test_under_guidance_it_is_that_of_the_prompt_alone() -> None:
    loaded, means = model("sd1"), []
    for guidance in (1.0, 3.0):
        found = Outputs(loaded, SITES)
        loaded.denoise(
            loaded.encode(["a red ball"]), [0], steps=1, guidance=guidance, hooks=found.hooks()
        )
        means.append(found.means(SITES[0]))
    np.testing.assert_allclose(means[0], means[1], rtol=1e-4, atol=1e-6)
