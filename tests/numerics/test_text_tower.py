from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import numpy as np
import pytest
import torch
from transformers import CLIPTextConfig, CLIPTextModelWithProjection

from surgery.numerics import text_tower
from surgery.numerics.text_prefix import used_ids
from surgery.numerics.text_tower import Linear, Norm, Tower, TowerLayer, hidden

WIDTH, HEADS, DEPTH, LENGTH, END = 48, 4, 3, 20, 59
PROMPTS = [
    (58, 3, 4, 5, END),
    (58, 3, 4, END),
    (58, END, *[END] * 18),
    (58, *range(1, 19), END),
    (58, 7, END, *[0] * 10),
]
PLACES = [prompt[: place + 1] for prompt in PROMPTS for place in range(len(prompt))]


def model(activation: str = "quick_gelu") -> CLIPTextModelWithProjection:
    torch.manual_seed(0)
    config = CLIPTextConfig(
        vocab_size=60,
        hidden_size=WIDTH,
        intermediate_size=64,
        projection_dim=32,
        num_hidden_layers=DEPTH,
        num_attention_heads=HEADS,
        max_position_embeddings=LENGTH,
        hidden_act=activation,
        bos_token_id=58,
        eos_token_id=END,
    )
    built = CLIPTextModelWithProjection(config).eval()
    with torch.no_grad():
        for parameter in built.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    return built


def tensors(built: torch.nn.Module) -> dict[str, np.ndarray]:
    return {n.removeprefix("text_model."): v.numpy() for n, v in built.state_dict().items()}


def layer(named: Mapping[str, np.ndarray], number: int) -> TowerLayer:
    inside = f"encoder.layers.{number}."

    def part(kind: type[Linear] | type[Norm], name: str) -> Linear | Norm:
        return kind(named[f"{inside}{name}.weight"].copy(), named[f"{inside}{name}.bias"])

    return TowerLayer(
        norm1=part(Norm, "layer_norm1"),
        q=part(Linear, "self_attn.q_proj"),
        k=part(Linear, "self_attn.k_proj"),
        v=part(Linear, "self_attn.v_proj"),
        out=part(Linear, "self_attn.out_proj"),
        norm2=part(Norm, "layer_norm2"),
        mlp_in=part(Linear, "mlp.fc1"),
        mlp_out=part(Linear, "mlp.fc2"),
    )


def tower(named: Mapping[str, np.ndarray], depth: int = DEPTH, *, normed: bool = True) -> Tower:
    final = Norm(named["final_layer_norm.weight"], named["final_layer_norm.bias"])
    return Tower(
        positions=named["embeddings.position_embedding.weight"],
        heads=HEADS,
        activation="quick_gelu",
        depth=depth,
        layers=lambda: (layer(named, number) for number in range(depth)),
        final_norm=final if normed else None,
    )


def table(named: Mapping[str, np.ndarray]) -> dict[int, np.ndarray]:
    return dict(enumerate(named["embeddings.token_embedding.weight"]))


def by_transformers(built: torch.nn.Module, read: Callable[..., torch.Tensor]) -> np.ndarray:
    """What a reader takes from the model's answer, at every place of every prompt."""
    with torch.no_grad():
        answers = [built(torch.tensor([p]), output_hidden_states=True) for p in PROMPTS]
        return np.concatenate([read(answer)[0].numpy() for answer in answers])


def close(found: np.ndarray, wanted: np.ndarray, tolerance: float = 1e-5) -> bool:
    return bool(np.abs(found - wanted).max() <= tolerance * np.abs(wanted).max())


@pytest.fixture(scope="module")
def named() -> dict[str, np.ndarray]:
    return tensors(model())


@pytest.mark.parametrize("activation", ["quick_gelu", "gelu"])
def test_the_last_states_are_those_of_transformers(activation: str) -> None:
    built = model(activation)
    run = replace(tower(tensors(built)), activation=activation)
    wanted = by_transformers(built, lambda answer: answer.last_hidden_state)
    assert close(hidden(PLACES, table(tensors(built)), run), wanted)


@pytest.mark.parametrize("depth", range(DEPTH))
def test_states_before_the_last_layer_are_those_of_transformers(depth: int) -> None:
    built = model()
    found = hidden(PLACES, table(tensors(built)), tower(tensors(built), depth, normed=False))
    assert close(found, by_transformers(built, lambda answer: answer.hidden_states[depth]))


def test_projected_states_are_the_text_embeddings_of_transformers() -> None:
    built = model()
    held = tensors(built)
    run = replace(tower(held), projection=held["text_projection.weight"].T)
    ends = [prompt[: prompt.index(END) + 1] for prompt in PROMPTS]
    wanted = by_transformers(built, lambda answer: answer.text_embeds)
    found = hidden(ends, table(held), run)
    assert found.dtype == np.float32
    assert close(found.reshape(-1), wanted)


def test_neither_order_nor_company_nor_batches_nor_pieces_matter(named, monkeypatch) -> None:
    together = hidden(PLACES, table(named), tower(named))
    alone = [hidden([prefix], table(named), tower(named)) for prefix in PLACES]
    assert close(np.concatenate(alone), together, 1e-6)
    monkeypatch.setattr(text_tower, "BATCH", 6 * WIDTH)
    monkeypatch.setattr(text_tower, "PIECE", 10 * WIDTH)
    monkeypatch.setattr(text_tower, "ROWS", 3)
    assert close(hidden(PLACES[::-1], table(named), tower(named))[::-1], together, 1e-6)


def test_what_prompts_share_is_computed_once(named, monkeypatch) -> None:
    rows: list[int] = []
    original = text_tower._mapped

    def counted(states: np.ndarray, linear: Linear) -> np.ndarray:
        rows.append(len(states))
        return original(states, linear)

    monkeypatch.setattr(text_tower, "_mapped", counted)
    wanted = [(58, 3, 4, 5), (58, 3, 4, 6), (58, 3, 4)]
    hidden([*wanted, *wanted], table(named), tower(named))
    assert max(rows) == 5
    # The last layer goes on with the wanted places alone.
    assert rows[-1] == 3


def test_only_the_rows_of_tokens_that_occur_are_read(named) -> None:
    wanted = [(58, 3, 4), (58, 3)]
    rows = {token: table(named)[token] for token in used_ids(wanted)}
    assert hidden(wanted, rows, tower(named)).shape == (2, WIDTH)


def test_the_same_place_asked_twice_is_answered_twice(named) -> None:
    found = hidden([(58, 3), (58,), (58, 3)], table(named), tower(named))
    np.testing.assert_array_equal(found[0], found[2])
    assert not np.allclose(found[0], found[1])


def test_no_prefixes_give_no_states(named) -> None:
    assert hidden([], {}, tower(named)).shape == (0, WIDTH)


def test_only_one_layer_is_held_at_a_time(named, monkeypatch) -> None:
    held: list[weakref.ref[np.ndarray]] = []
    most = 0

    def layers() -> Iterator[TowerLayer]:
        nonlocal most
        for number in range(DEPTH):
            # A layer is about to be read: those before it must be gone.
            most = max(most, sum(ref() is not None for ref in held))
            held.append(weakref.ref((made := [layer(named, number)])[0].mlp_in.weight))
            yield made.pop()

    monkeypatch.setattr(text_tower, "BATCH", 10 * WIDTH)
    gc.disable()
    try:
        hidden(PLACES, table(named), replace(tower(named), layers=layers))
    finally:
        gc.enable()
    assert len(held) > DEPTH
    assert most == 0
