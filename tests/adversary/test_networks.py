from __future__ import annotations

import pytest
import torch

from surgery.adversary.networks import keys_and_values, must_match, same, there
from surgery.errors import UsageError
from surgery.model import Conditioning
from tests.adversary.build import copied, projection, retold, turned
from tests.helpers.probing import TINY, model


@pytest.mark.parametrize("family", TINY)
def test_keys_and_values_are_what_text_is_read_through(family: str) -> None:
    found, layers = model(family), model(family).modules("cross_attn")
    weights = keys_and_values(found)
    assert len(weights) == 2 * len(layers)
    told = found.context(found.encode(["a red ball"]))
    assert {weight.shape[1] for weight in weights} == {told.shape[-1]}
    assert torch.equal(weights[0], projection(layers[0], "k").weight)
    assert torch.equal(weights[-1], projection(layers[-1], "v").weight)


def test_networks_are_the_same_down_to_the_last_value() -> None:
    one = model("sd1")
    assert same(one.denoiser, copied("sd1", lambda found: None).denoiser)
    assert not same(one.denoiser, copied("sd1", turned()).denoiser)
    assert not same(one.towers["text"], copied("sd1", retold).towers["text"])


def test_models_of_other_shapes_are_refused() -> None:
    must_match(model("sd1"), copied("sd1", turned()))
    with pytest.raises(UsageError, match="other shapes"):
        must_match(model("sd1"), model("sd2"))


def test_what_is_told_goes_where_the_model_is() -> None:
    told = Conditioning(torch.ones(1, 2, 3, dtype=torch.float64), torch.ones(1, 4).double())
    moved = there(told, model("sd1"))
    assert moved.states.dtype == torch.float32
    assert moved.pooled is not None and moved.pooled.dtype == torch.float32
    assert there(Conditioning(told.states), model("sd1")).pooled is None
