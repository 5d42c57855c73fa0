from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from surgery.errors import EditError, LayoutError
from surgery.kinds import lora, packing, quantised, sentences, why_not_editable
from surgery.plan import make_plan
from surgery.store.checkpoint import Checkpoint, open_checkpoint
from tests.helpers.eighths import to_eighths
from tests.helpers.recipes import recipe
from tests.helpers.tiny import write_pipeline

UNET = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q"
BLOCK = "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn1"
LORAS = {
    "a LoRA of rank 8 (kohya naming)": {
        f"{UNET}.lora_down.weight": (8, 16),
        f"{UNET}.lora_up.weight": (16, 8),
        f"{UNET}.alpha": (),
    },
    "a LoRA of rank 4 (diffusers/PEFT naming)": {
        f"{BLOCK}.to_q.lora_A.weight": (4, 16),
        f"{BLOCK}.to_q.lora_B.weight": (16, 4),
    },
    "a LoRA of ranks 2 to 4 (diffusers/PEFT naming)": {
        "base_model.model.q.lora_A.default.weight": (4, 16),
        "base_model.model.q.lora_B.default.weight": (16, 4),
        "base_model.model.k.lora_A.default.weight": (2, 16),
        "base_model.model.k.lora_B.default.weight": (16, 2),
    },
    "a LoRA of rank 3 (diffusers (old) naming)": {
        f"{BLOCK}.processor.to_q_lora.down.weight": (3, 16),
        f"{BLOCK}.processor.to_q_lora.up.weight": (16, 3),
    },
    "a LoRA of rank 5 (LyCORIS naming)": {
        f"{UNET}.hada_w1_a": (16, 5),
        f"{UNET}.hada_w1_b": (5, 16),
        f"{UNET}.hada_w2_a": (16, 5),
        f"{UNET}.hada_w2_b": (5, 16),
    },
    "a LoRA (LyCORIS naming)": {f"{UNET}.lokr_w1": (4, 4), f"{UNET}.lokr_w2": (4, 4)},
}
QUANTISED = {
    "bitsandbytes 4-bit (nf4)": "x.weight.quant_state.bitsandbytes__nf4",
    "bitsandbytes 4-bit (fp4)": "x.weight.quant_state.bitsandbytes__fp4",
    "bitsandbytes 4-bit": "x.weight.absmax",
    "bitsandbytes int8": "x.SCB",
    "GPTQ or AWQ": "x.qzeros",
    "SVDQuant 4-bit": "x.wscales",
}


def stored(path: Path, shapes: dict[str, tuple[int, ...]], **metadata: str) -> Checkpoint:
    tensors = {name: np.zeros(shape, np.float16) for name, shape in shapes.items()}
    save_file(tensors, path, metadata=metadata or None)
    return open_checkpoint(path)


@pytest.mark.parametrize(("shown", "shapes"), LORAS.items(), ids=LORAS)
def test_a_lora_is_named_with_its_rank_and_refused(
    tmp_path: Path, shown: str, shapes: dict[str, tuple[int, ...]]
) -> None:
    checkpoint = stored(tmp_path / "x.safetensors", shapes)
    assert str(lora(checkpoint)) == shown
    with pytest.raises(LayoutError) as caught:
        make_plan(recipe(), checkpoint)
    assert f"this is {shown}, not a whole model" in str(caught.value)


def test_a_model_is_no_lora(tmp_path: Path) -> None:
    checkpoint = open_checkpoint(write_pipeline(tmp_path / "p"))
    assert lora(checkpoint) is None
    assert why_not_editable(checkpoint) is None
    assert list(sentences(checkpoint)) == []


def test_a_model_with_a_few_factors_beside_it_is_a_model(tmp_path: Path) -> None:
    shapes = {f"layer{n}.weight": (2, 2) for n in range(9)} | {"x.lora_down.weight": (1, 2)}
    assert lora(stored(tmp_path / "x.safetensors", shapes)) is None


@pytest.mark.parametrize(("shown", "name"), QUANTISED.items(), ids=QUANTISED)
def test_packed_weights_are_named_and_refused(tmp_path: Path, shown: str, name: str) -> None:
    checkpoint = stored(tmp_path / "x.safetensors", {"x.weight": (8, 1), name: (4,)})
    assert quantised(checkpoint) == shown
    assert f"it holds quantised weights: {shown}" in list(sentences(checkpoint))
    with pytest.raises(LayoutError, match="its weights are quantised") as caught:
        make_plan(recipe(), checkpoint)
    assert shown in str(caught.value)


def test_a_packed_tensor_is_known_by_what_stands_beside_it() -> None:
    names = dict.fromkeys(["a.weight", "a.weight.absmax", "b.weight", "b.SCB", "c.weight"])
    assert packing("a.weight", names) == "bitsandbytes 4-bit"
    assert packing("b.weight", names) == "bitsandbytes int8"
    assert packing("c.weight", names) == ""


def test_an_int8_model_is_refused_by_what_it_is(tmp_path: Path) -> None:
    from safetensors.numpy import load_file

    file = write_pipeline(tmp_path / "p") / "text_encoder" / "model.safetensors"
    tensors = load_file(file)
    module = "text_model.encoder.layers.0.self_attn.out_proj"
    tensors[f"{module}.weight"] = np.zeros((32, 32), np.int8)
    tensors[f"{module}.SCB"] = np.ones(32, np.float32)
    save_file(tensors, file)
    with pytest.raises(EditError, match="stored as bitsandbytes int8, which cannot be edited"):
        make_plan(recipe(), open_checkpoint(tmp_path / "p"))


@pytest.mark.parametrize(("ending", "how"), [("scale_weight", "with"), ("", "without scales")])
def test_8_bit_floats_are_named(tmp_path: Path, ending: str, how: str) -> None:
    file = write_pipeline(tmp_path / "p") / "text_encoder" / "model.safetensors"
    to_eighths(file, ending)
    (said,) = sentences(open_checkpoint(tmp_path / "p"))
    assert "tensors of 8-bit floats" in said
    assert how in said


def test_ema_copies_and_merges_are_named(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    checkpoint = stored(path, {"model_ema.a": (1,)}, sd_merge_recipe='{"a\x1b": 1}' + "x" * 99)
    ema, merge = sentences(checkpoint)
    assert "EMA" in ema
    assert merge.startswith('its metadata tells of a merge: sd_merge_recipe = {"a\\u001b": 1}x')
    assert merge.endswith("...")


def test_a_patch_is_named_and_refused_as_a_model(tmp_path: Path) -> None:
    metadata = {"surgery.patch": "1"}
    checkpoint = stored(tmp_path / "p.safetensors", {"0.forward": (9,)}, **metadata)
    assert next(sentences(checkpoint)).startswith("it is a patch, not weights")
    reason = why_not_editable(checkpoint)
    assert reason is not None
    assert "surgery patch apply" in reason[1]
