"""The states that denoisers read, against transformers on models of every family and naming."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file
from transformers import CLIPTextModel, CLIPTextModelWithProjection

from surgery.edits.delta import Dense
from surgery.errors import EditError, LayoutError
from surgery.gather import Weights
from surgery.layout import detect
from surgery.numerics.prefix_tree import Prefix
from surgery.patch import Change
from surgery.store.checkpoint import open_checkpoint
from surgery.text_states import conditioning, pooled
from surgery.tokens import Tokens, load_tokens
from tests.helpers.dumps import dump
from tests.helpers.pipelines import write_folder, write_single

PROMPTS = ("", "a painting by van gogh", "a flag", "van gogh and monet in a ring of red balls")
FAMILIES = ("sd1", "sd2", "sdxl")
Compute = Callable[..., np.ndarray]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("models")
    for family in FAMILIES:
        write_folder(family, root / family)
        write_single(family, root / f"{family}-file" / "model.safetensors")
    return root


def compute(what: Compute, path: Path | str, prefixes: Sequence[Prefix]) -> np.ndarray:
    checkpoint = open_checkpoint(path)
    return what(prefixes, detect(checkpoint), Weights(checkpoint))


def places(tokens: Tokens) -> list[Prefix]:
    filled = [tokens.padded(prompt) for prompt in PROMPTS]
    return [ids[: place + 1] for ids in filled for place in range(len(ids))]


def ends(tokens: Tokens) -> list[Prefix]:
    return [tokens.encode(prompt) for prompt in PROMPTS]


def answers(folder: Path, number: str, *, projected: bool = False):
    """What transformers says of every prompt, padded by the tower's own tokenizer."""
    kind = CLIPTextModelWithProjection if projected else CLIPTextModel
    model = kind.from_pretrained(folder / f"text_encoder{number}", dtype=torch.float32).eval()
    tokens = load_tokens(folder / f"tokenizer{number}", max_length=_length(model))
    model.config.eos_token_id = tokens.end
    for part in model.modules():
        if hasattr(part, "eos_token_id"):
            part.eos_token_id = tokens.end
    ids = torch.tensor([tokens.padded(prompt) for prompt in PROMPTS])
    with torch.no_grad():
        return model(ids, output_hidden_states=True)


def _length(model: torch.nn.Module) -> int:
    return model.config.max_position_embeddings


def flat(states: torch.Tensor) -> np.ndarray:
    return states.reshape(-1, states.shape[-1]).numpy()


def error(found: np.ndarray, wanted: np.ndarray) -> float:
    assert found.shape == wanted.shape
    assert found.dtype == np.float64
    return float(np.abs(found - wanted).max() / np.abs(wanted).max())


@pytest.mark.parametrize("family", ["sd1", "sd2"])
@pytest.mark.parametrize("naming", ["{}", "{}-file/model.safetensors"])
def test_one_tower_is_read_after_its_final_norm(models: Path, family: str, naming: str) -> None:
    wanted = flat(answers(models / family, "").last_hidden_state)
    tokens = load_tokens(models / family / "tokenizer")
    found = compute(conditioning, models / naming.format(family), places(tokens))
    assert error(found, wanted) <= 1e-5


@pytest.mark.parametrize("naming", ["sdxl", "sdxl-file/model.safetensors"])
def test_two_towers_are_read_side_by_side_before_their_last_layers(
    models: Path, naming: str
) -> None:
    first = flat(answers(models / "sdxl", "").hidden_states[-2])
    second = flat(answers(models / "sdxl", "_2", projected=True).hidden_states[-2])
    tokens = load_tokens(models / "sdxl" / "tokenizer")
    found = compute(conditioning, models / naming, places(tokens))
    assert error(found[:, : first.shape[1]], first) <= 1e-5
    assert error(found[:, first.shape[1] :], second) <= 1e-5


@pytest.mark.parametrize("naming", ["sdxl", "sdxl-file/model.safetensors"])
def test_the_pooled_state_is_the_text_embedding(models: Path, naming: str) -> None:
    wanted = answers(models / "sdxl", "_2", projected=True).text_embeds.numpy()
    tokens = load_tokens(models / "sdxl" / "tokenizer")
    assert error(compute(pooled, models / naming, ends(tokens)), wanted) <= 1e-5
    whole = [tokens.padded(prompt) for prompt in PROMPTS]
    assert error(compute(pooled, models / naming, whole), wanted) <= 1e-5


def test_atelier_is_read_as_transformers_reads_it() -> None:
    checkpoint = open_checkpoint("atelier")
    folder = checkpoint.root
    tokens = load_tokens(folder / "tokenizer", max_length=detect(checkpoint).text.max_length)
    found = compute(conditioning, "atelier", places(tokens))
    assert error(found, flat(answers(folder, "").last_hidden_state)) <= 1e-5


def test_the_layer_that_sd2_files_store_and_never_run_is_skipped(
    models: Path, tmp_path: Path
) -> None:
    lead = "cond_stage_model.model.transformer.resblocks."
    tensors = load_file(models / "sd2-file" / "model.safetensors")
    deep = {name: value for name, value in tensors.items() if not name.startswith(lead)}
    for number in range(24):
        source = f"{lead}{number % 2}."
        for name in [name for name in tensors if name.startswith(source)]:
            deep[name.replace(source, f"{lead}{number}.")] = 0.3 * tensors[name]
    save_file(deep, tmp_path / "whole.safetensors")
    broken = {n: v if ".23." not in n else np.full_like(v, np.nan) for n, v in deep.items()}
    save_file(broken, tmp_path / "broken.safetensors")
    tokens = load_tokens(models / "sd2" / "tokenizer")
    found = compute(conditioning, tmp_path / "broken.safetensors", places(tokens))
    same = compute(conditioning, tmp_path / "whole.safetensors", places(tokens))
    np.testing.assert_array_equal(found, same)
    run = {name: value for name, value in deep.items() if ".resblocks.23." not in name}
    save_file(run, tmp_path / "run.safetensors")
    np.testing.assert_array_equal(
        compute(conditioning, tmp_path / "run.safetensors", places(tokens)), found
    )


def test_earlier_edits_are_seen(models: Path) -> None:
    checkpoint = open_checkpoint(models / "sd1")
    layout = detect(checkpoint)
    (site,) = layout.select("text.mlp.out[1]")
    noise = np.random.default_rng(0).normal(size=checkpoint[site.tensor].shape)
    asked = ends(load_tokens(models / "sd1" / "tokenizer"))
    before = conditioning(asked, layout, Weights(checkpoint))
    edited = Weights(checkpoint).with_change(site.tensor, Change(Dense(noise)))
    after = conditioning(asked, layout, edited)
    assert not np.allclose(before, after, atol=0.1)


@pytest.mark.parametrize("name", ["if", "pixart", "sd3", "flux", "sana", "wan", "t5", "clip"])
@pytest.mark.parametrize("what", [conditioning, pooled])
def test_a_denoiser_that_reads_something_else_is_refused(
    models: Path, name: str, what: Compute
) -> None:
    found = dump(name)
    weights = Weights(open_checkpoint(models / "sd1"))
    with pytest.raises(LayoutError, match=r"what the denoiser of .* reads here is not computed"):
        what([(1, 2)], detect(found.tensors, found.configs), weights)


def test_a_unet_without_its_text_tower_is_refused(models: Path, tmp_path: Path) -> None:
    tensors = load_file(models / "sd1-file" / "model.safetensors")
    unet = {n: v for n, v in tensors.items() if n.startswith("model.diffusion_model.")}
    save_file(unet, tmp_path / "unet.safetensors")
    with pytest.raises(LayoutError, match=r"unet\.safetensors.*no text tower.*whole model"):
        compute(conditioning, tmp_path / "unet.safetensors", [(1, 2)])


def test_a_tower_without_its_projection_has_no_pooled_state(models: Path, tmp_path: Path) -> None:
    tensors = load_file(models / "sdxl-file" / "model.safetensors")
    del tensors["conditioner.embedders.1.model.text_projection"]
    save_file(tensors, tmp_path / "model.safetensors")
    (tmp_path / "tokenizer").symlink_to(models / "sdxl-file" / "tokenizer")
    tokens = load_tokens(models / "sdxl" / "tokenizer")
    assert np.isfinite(compute(conditioning, tmp_path / "model.safetensors", ends(tokens))).all()
    with pytest.raises(LayoutError, match=r"text2 tower.*no projection.*whole model"):
        compute(pooled, tmp_path / "model.safetensors", ends(tokens))


def test_a_prompt_without_its_end_has_no_pooled_state(models: Path) -> None:
    tokens = load_tokens(models / "sdxl" / "tokenizer")
    with pytest.raises(EditError, match="has none"):
        compute(pooled, models / "sdxl", [tokens.encode("a flag")[:-1]])


@pytest.mark.parametrize(("length", "said"), [(0, "0 tokens"), (78, "78 tokens")])
def test_a_prompt_must_fit_the_tower(models: Path, length: int, said: str) -> None:
    with pytest.raises(EditError, match=said):
        compute(conditioning, models / "sd1", [(1,), (1,) * length])


def test_an_activation_that_is_not_known_is_named(tmp_path: Path) -> None:
    folder = write_folder("sd1", tmp_path / "p")
    config = folder / "text_encoder" / "config.json"
    config.write_text(config.read_text("utf-8").replace("quick_gelu", "relu"), "utf-8")
    with pytest.raises(
        EditError, match=r"activation 'relu' of the text tower.*quick_gelu and gelu"
    ):
        compute(conditioning, folder, [(1, 2)])


def test_no_prefixes_give_no_rows(models: Path) -> None:
    assert compute(conditioning, models / "sdxl", []).shape == (0, 320)
