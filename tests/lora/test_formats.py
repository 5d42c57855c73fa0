from __future__ import annotations

from pathlib import Path

import pytest

from surgery.errors import EditError
from surgery.layout import detect
from surgery.lora.formats import LoraFormat, Named, config, named
from surgery.lora.layers import Layer
from surgery.lora.modules import Modules
from surgery.store.checkpoint import open_checkpoint
from tests.helpers.dumps import dump
from tests.helpers.loras import low_rank, names_in, random_patch
from tests.helpers.pipelines import write_folder

TEXT = "text_model.encoder.layers.0.self_attn.out_proj"
ATTENTION = "transformer_blocks.0.attn2.to_k"


def one(name: str, selector: str, format: LoraFormat) -> Named:
    """The names of one site of a real structure."""
    found = dump(name)
    layout = detect(found.tensors, found.configs)
    (site,) = layout.select(selector)
    layer = Layer(site, low_rank(8, 8, 2))
    first, *_ = named([layer], layout, Modules(layout, found.tensors), format)
    return first


UNDERSCORED, TO_K = TEXT.replace(".", "_"), ATTENTION.replace(".", "_")
LAYER = "text_model.encoder.layers"
DIFFUSERS = {
    ("sd1", "text.self_attn.out[0]"): f"text_encoder.{TEXT}.lora_linear_layer.down",
    ("sd1-ldm", "cross_attn.k[0]"): f"unet.down_blocks.0.attentions.0.{ATTENTION}.lora_A",
    ("sdxl-sgm", "text2.self_attn.q[3]"): (
        f"text_encoder_2.{LAYER}.3.self_attn.q_proj.lora_linear_layer.down"
    ),
    ("flux-bfl", "context_attn.k[2]"): "transformer.transformer_blocks.2.attn.add_k_proj.lora_A",
}
KOHYA = {
    ("sd1-ldm", "cross_attn.k[6]"): f"lora_unet_mid_block_attentions_0_{TO_K}",
    ("sd2-ldm", "text.self_attn.v[1]"): "lora_te_text_model_encoder_layers_1_self_attn_v_proj",
    ("sdxl", "cross_attn.k[0]"): f"lora_unet_input_blocks_4_1_{TO_K}",
    ("sdxl", "text.self_attn.out[0]"): f"lora_te1_{UNDERSCORED}",
    ("sdxl-sgm", "text2.self_attn.out[0]"): f"lora_te2_{UNDERSCORED}",
}
PEFT = {
    ("sd1", "text.self_attn.out[0]"): TEXT.removeprefix("text_model."),
    ("sdxl", "text2.self_attn.out[0]"): TEXT,
}


@pytest.mark.parametrize(("name", "selector"), DIFFUSERS)
def test_a_layer_is_called_as_diffusers_calls_it(name: str, selector: str) -> None:
    assert one(name, selector, "diffusers").down == f"{DIFFUSERS[name, selector]}.weight"


@pytest.mark.parametrize(("name", "selector"), KOHYA)
def test_a_layer_is_called_as_kohya_calls_it(name: str, selector: str) -> None:
    assert one(name, selector, "kohya").down == f"{KOHYA[name, selector]}.lora_down.weight"


@pytest.mark.parametrize(("name", "selector"), PEFT)
def test_a_layer_is_called_as_in_memory_for_peft(name: str, selector: str) -> None:
    wanted = f"base_model.model.{PEFT[name, selector]}.lora_A.weight"
    assert one(name, selector, "peft").down == wanted


def test_only_kohya_stores_an_alpha_and_it_is_the_rank() -> None:
    assert one("sd1", "cross_attn.k[0]", "diffusers").alpha == ""
    kohya = one("sd1", "cross_attn.k[0]", "kohya")
    tensors = dict(kohya.tensors())
    assert kohya.alpha.endswith("_to_k.alpha")
    assert float(tensors[kohya.alpha]) == 2.0 == len(tensors[kohya.down])


def test_peft_has_a_folder_for_each_component() -> None:
    assert one("sdxl", "cross_attn.k[0]", "peft").file == "unet/adapter_model.safetensors"
    text = one("sdxl", "text2.self_attn.out[0]", "peft")
    assert text.file == "text_encoder_2/adapter_model.safetensors"


def test_all_layers_of_a_component_have_one_rank(tmp_path: Path) -> None:
    checkpoint = open_checkpoint(write_folder("sd1", tmp_path / "model"))
    patch = random_patch(checkpoint, "cross_attn.k, text.self_attn.out[0]")
    _, found = names_in(patch, checkpoint, "diffusers")
    ranks = {(each.component, each.change.rank) for each in found}
    assert ranks == {("unet", 3), ("text_encoder", 2)}
    assert {each.layer.change.rank for each in found if each.component == "unet"} == {1, 2, 3}
    settings = config(found[:3], "a/model")
    assert (settings["r"], settings["lora_alpha"], settings["peft_type"]) == (3, 3, "LORA")
    assert settings["target_modules"] == [each.module for each in found[:3]]


@pytest.mark.parametrize(
    ("name", "selector", "format", "why"),
    [
        ("flux", "context_attn.k[0]", "kohya", "kohya's names for flux are not known"),
        ("sd3", "text3.self_attn.out[0]", "diffusers", "no LoRA of text_encoder_3"),
        ("clip", "text.self_attn.out[0]", "kohya", "kohya's names for clip are not known"),
        ("clip-big", "text.self_attn.out[0]", "diffusers", "does not say which of a model's it is"),
        ("t5", "text.self_attn.out[0]", "peft", "does not say which of a model's it is"),
    ],
)
def test_a_network_without_names_in_a_format_is_refused(
    name: str, selector: str, format: LoraFormat, why: str
) -> None:
    with pytest.raises(EditError, match=why):
        one(name, selector, format)


def test_nothing_is_named_without_layers() -> None:
    found = dump("sd1")
    layout = detect(found.tensors, found.configs)
    assert named([], layout, Modules(layout, found.tensors), "kohya") == ()


def test_values_of_a_tower_come_with_an_output_for_diffusers(tmp_path: Path) -> None:
    checkpoint = open_checkpoint(write_folder("sd1", tmp_path / "model"))
    patch = random_patch(checkpoint, "text.self_attn.v, cross_attn.v")
    for format, more in (("kohya", 1), ("diffusers", 0)):
        _, found = names_in(patch, checkpoint, format)  # type: ignore[arg-type]
        extra = [each for each in found if each.layer.site.kind == "text.self_attn.out"]
        assert len(found) == len(patch.changes) + more
        assert [each.layer.site.index for each in extra] == [0] * more
        assert not any(each.change.up.any() or each.change.down.any() for each in extra)
