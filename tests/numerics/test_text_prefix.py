from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch

from surgery.numerics import text_prefix
from surgery.numerics.text_prefix import FirstLayer, attended, used_ids


@pytest.fixture(scope="module")
def tower() -> Iterator[object]:
    from transformers import CLIPTextConfig, CLIPTextModel

    torch.manual_seed(0)
    config = CLIPTextConfig(
        vocab_size=60,
        hidden_size=48,
        intermediate_size=64,
        num_hidden_layers=1,
        num_attention_heads=4,
        max_position_embeddings=20,
        bos_token_id=58,
        eos_token_id=59,
        layer_norm_eps=1e-4,
    )
    model = CLIPTextModel(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return model


def tensors(tower: torch.nn.Module) -> dict[str, np.ndarray]:
    return {
        name.removeprefix("text_model."): value.numpy()
        for name, value in tower.state_dict().items()
    }


def first_layer(named: dict[str, np.ndarray]) -> FirstLayer:
    inside = "encoder.layers.0."
    maps = {
        f"{part}_{kind}": named[f"{inside}self_attn.{part}_proj.{kind}"]
        for part in "qkv"
        for kind in ("weight", "bias")
    }
    return FirstLayer(
        positions=named["embeddings.position_embedding.weight"],
        norm_weight=named[f"{inside}layer_norm1.weight"],
        norm_bias=named[f"{inside}layer_norm1.bias"],
        heads=4,
        eps=1e-4,
        **maps,
    )


def hooked(tower: torch.nn.Module, tokens: tuple[int, ...]) -> np.ndarray:
    """What transformers feeds to the first out_proj at every token of a prompt."""
    seen: list[torch.Tensor] = []
    out = next(
        m for name, m in tower.named_modules() if name.endswith("layers.0.self_attn.out_proj")
    )
    handle = out.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    with torch.no_grad():
        tower(torch.tensor([tokens]))
    handle.remove()
    return seen[0][0].numpy()


PROMPTS = [
    (58, 3, 4, 5, 59),
    (58, 3, 4, 59),
    (58, 59, *[59] * 18),
    (58, *range(1, 19), 59),
    (58, 7, 59),
]


def places(prompts: list[tuple[int, ...]]) -> list[tuple[int, ...]]:
    return [prompt[: place + 1] for prompt in prompts for place in range(len(prompt))]


def test_it_gives_what_transformers_feeds_to_the_first_output_map(tower) -> None:
    named = tensors(tower)
    expected = np.concatenate([hooked(tower, prompt) for prompt in PROMPTS])
    rows = dict(enumerate(named["embeddings.token_embedding.weight"]))
    found = attended(places(PROMPTS), rows, first_layer(named))
    assert np.abs(found - expected).max() < 1e-5 * np.abs(expected).max()


def test_neither_order_nor_company_nor_batches_matter(tower, monkeypatch) -> None:
    named = tensors(tower)
    rows = dict(enumerate(named["embeddings.token_embedding.weight"]))
    wanted = places(PROMPTS)
    together = attended(wanted, rows, first_layer(named))
    monkeypatch.setattr(text_prefix, "PAIRS", 6)
    backwards = attended(wanted[::-1], rows, first_layer(named))[::-1]
    np.testing.assert_allclose(backwards, together, rtol=1e-4, atol=1e-6)
    alone = np.concatenate([attended([prefix], rows, first_layer(named)) for prefix in wanted])
    np.testing.assert_allclose(alone, together, rtol=1e-4, atol=1e-6)


def test_only_the_rows_of_tokens_that_occur_are_read(tower) -> None:
    named = tensors(tower)
    wanted = [(58, 3, 4), (58, 3)]
    assert used_ids(wanted) == (3, 4, 58)
    rows = {token: named["embeddings.token_embedding.weight"][token] for token in used_ids(wanted)}
    assert attended(wanted, rows, first_layer(named)).shape == (2, 48)


def test_the_same_place_asked_twice_is_answered_twice(tower) -> None:
    named = tensors(tower)
    rows = dict(enumerate(named["embeddings.token_embedding.weight"]))
    found = attended([(58, 3), (58,), (58, 3)], rows, first_layer(named))
    np.testing.assert_array_equal(found[0], found[2])
    assert not np.allclose(found[0], found[1])
