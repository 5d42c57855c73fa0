from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from surgery.edits.delta import Dense
from surgery.edits.uce import Uce
from surgery.errors import CheckpointError, EditError
from surgery.gather import Weights, gather
from surgery.layout import Site, detect
from surgery.patch import Change
from surgery.store import contents
from surgery.store.checkpoint import Checkpoint, open_checkpoint
from tests.helpers.recipes import recipe
from tests.helpers.tiny import WIDTH, write_pipeline

OUT = "text_encoder/text_model.encoder.layers.0.self_attn.out_proj.weight"
TABLE = "text_encoder/text_model.embeddings.token_embedding.weight"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_pipeline(tmp_path / "p")


def states(checkpoint: Checkpoint) -> np.ndarray:
    return gather(recipe().edits[0], detect(checkpoint), Weights(checkpoint))[0].keys


def rewrite(folder: Path, name: str, value: np.ndarray) -> None:
    file = folder / "text_encoder" / "model.safetensors"
    save_file(load_file(file) | {name.partition("/")[2]: value}, file)


def test_gathers_one_finite_row_per_asked_place(folder: Path) -> None:
    checkpoint = open_checkpoint(folder)
    context, _ = gather(recipe().edits[0], detect(checkpoint), Weights(checkpoint))
    assert context.keys.shape == context.targets.shape == (5, WIDTH)
    assert set(context.key_labels) == {"van gogh"}
    assert set(context.preserve_labels) == {"monet"}
    assert np.isfinite(context.keys).all()
    assert not np.allclose(context.keys, context.targets)


def test_what_it_is_measured_on_is_other_than_what_it_is_solved_on(folder: Path) -> None:
    checkpoint = open_checkpoint(folder)
    context, checked = gather(recipe().edits[0], detect(checkpoint), Weights(checkpoint))
    own = [row for row, wording in enumerate(checked.wordings) if wording == "prompts"]
    assert np.array_equal(checked.keys[own], context.keys)
    assert {"misspellings", "languages", "end token", "padding"} <= set(checked.wordings)
    assert len(set(checked.neutral_labels)) > 500
    assert not any("gogh" in prompt for prompt in checked.neutral_labels)
    assert checked.neutral.shape[1] == WIDTH


def test_the_states_that_cross_attention_reads_are_those_of_the_whole_tower(folder: Path) -> None:
    torch = pytest.importorskip("torch")
    from transformers import CLIPTextModel, CLIPTokenizer

    edit = Uce.model_validate({"concepts": [{"erase": "van gogh"}], "preserve_defaults": False})
    checkpoint = open_checkpoint(folder)
    context, _ = gather(edit, detect(checkpoint), Weights(checkpoint))
    model = CLIPTextModel.from_pretrained(folder / "text_encoder", dtype=torch.float32)
    ids = CLIPTokenizer.from_pretrained(folder / "tokenizer")("van gogh", return_tensors="pt")
    with torch.no_grad():
        wanted = model(ids.input_ids).last_hidden_state[0]
    assert np.allclose(context.keys[0], wanted[-2].numpy(), atol=1e-4)
    assert np.allclose(context.keys[1], wanted[-1].numpy(), atol=1e-4)


def test_agrees_with_transformers(folder: Path) -> None:
    torch = pytest.importorskip("torch")
    from transformers import CLIPTextModel, CLIPTokenizer

    model = CLIPTextModel.from_pretrained(folder / "text_encoder", dtype=torch.float32)
    tokenizer = CLIPTokenizer.from_pretrained(folder / "tokenizer")
    seen: list[torch.Tensor] = []
    (module,) = [m for n, m in model.named_modules() if n.endswith("layers.0.self_attn.out_proj")]
    module.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    ids = tokenizer("van gogh", return_tensors="pt").input_ids
    with torch.no_grad():
        model(ids)
    wanted = seen[0][0, ids.shape[1] - 2].numpy()
    assert np.allclose(states(open_checkpoint(folder))[0], wanted, atol=1e-5)


def test_reads_only_the_embedding_rows_that_occur(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint, read = open_checkpoint(folder), []
    original = contents.read_span

    def counted(file: Path, start: int, count: int) -> bytes:
        read.append(count)
        return original(file, start, count)

    monkeypatch.setattr(contents, "read_span", counted)
    states(checkpoint)
    assert sum(read) < checkpoint.total_bytes / 10
    assert max(read) < checkpoint[TABLE].nbytes


def test_later_edits_see_what_earlier_ones_changed(folder: Path) -> None:
    checkpoint = open_checkpoint(folder)
    noise = np.random.default_rng(0).normal(size=checkpoint[TABLE].shape)
    weights = Weights(checkpoint).with_change(TABLE, Change(Dense(noise)))
    changed = gather(recipe().edits[0], detect(checkpoint), weights)[0].keys
    assert not np.allclose(changed, states(checkpoint), atol=0.1)


def test_a_change_is_seen_by_its_site_and_leaves_the_first_weights_alone(folder: Path) -> None:
    first = Weights(open_checkpoint(folder))
    second = first.with_change(OUT, Change(Dense(np.ones((WIDTH, WIDTH)))))
    site = Site("text.self_attn.out", 0, OUT)
    assert np.allclose(second.matrix(site), first.matrix(site) + 1)


def test_rows_of_a_shared_tensor_are_cut_out(folder: Path) -> None:
    weights = Weights(open_checkpoint(folder))
    part = weights.value(Site("text.self_attn.q", 0, OUT, rows=(3, 7)))
    assert np.array_equal(part, weights.value(Site("text.self_attn.out", 0, OUT))[3:7])


def test_a_damaged_weight_is_named(folder: Path) -> None:
    rewrite(folder, OUT.replace("out_proj", "v_proj"), np.full((WIDTH, WIDTH), np.nan, np.float16))
    with pytest.raises(EditError, match=r"v_proj\.weight: .*NaN"):
        states(open_checkpoint(folder))


def test_a_tokenizer_of_another_model_is_noticed(folder: Path) -> None:
    rewrite(folder, TABLE, np.ones((50, WIDTH), np.float16))
    with pytest.raises(CheckpointError, match="50 rows"):
        states(open_checkpoint(folder))


def test_a_model_without_tokenizer_says_what_is_missing(folder: Path) -> None:
    for file in (folder / "tokenizer").iterdir():
        file.unlink()
    (folder / "tokenizer").rmdir()
    with pytest.raises(CheckpointError, match="no tokenizer beside the weights"):
        states(open_checkpoint(folder))


def test_a_concept_of_too_many_tokens_is_refused(folder: Path) -> None:
    edit = recipe(erase="zzzz " * 30).edits[0]
    checkpoint = open_checkpoint(folder)
    with pytest.raises(EditError, match="tokens"):
        gather(edit, detect(checkpoint), Weights(checkpoint))
