"""A module that is missing, renamed, moved or of another shape is an error, never fewer sites."""

from __future__ import annotations

import re

import pytest

from surgery.errors import LayoutError
from surgery.layout import detect
from tests.helpers.dumps import dump
from tests.helpers.structures import Ref

VARIED = ("sd1", "sd2-ldm", "if", "sd3-single", "flux", "wan-i2v", "sana-single")


def firsts(name: str) -> list[str]:
    """The tensor of the first site of each kind."""
    layout = detect(dump(name).tensors, dump(name).configs)
    return sorted({site.tensor for site in layout.sites if site.index == 0})


@pytest.mark.parametrize("name", VARIED)
def test_renaming_any_module_is_an_error(name: str) -> None:
    for tensor in firsts(name):
        words = tensor.split(".")
        renamed = ".".join([*words[:-2], words[-2] + "x", *words[-1:]])
        moved = {key if key != tensor else renamed: r for key, r in dump(name).tensors.items()}
        with pytest.raises(LayoutError):
            detect(moved, dump(name).configs)


@pytest.mark.parametrize("name", ["sd1", "sd1-ldm"])
def test_renaming_one_module_everywhere_is_an_error(name: str) -> None:
    for old in ("attn2.to_v", "attn1.to_k", "ff.net.2", "transformer_blocks", "self_attn.out_proj"):
        tensors = {key.replace(old, "other"): ref for key, ref in dump(name).tensors.items()}
        with pytest.raises(LayoutError):
            detect(tensors, dump(name).configs)


@pytest.mark.parametrize("name", ["sd1", "sdxl-sgm", "tiny-sd1"])
def test_renaming_a_whole_block_is_an_error(name: str) -> None:
    pattern = r"(up_blocks\.1\.attentions|output_blocks\.4)\.1\."
    tensors = {re.sub(pattern, "spare.1.", key): ref for key, ref in dump(name).tensors.items()}
    assert tensors.keys() != dump(name).tensors.keys()
    with pytest.raises(LayoutError):
        detect(tensors, dump(name).configs)


def test_the_missing_tensor_is_named() -> None:
    lost = "unet/up_blocks.1.attentions.0.transformer_blocks.0.attn2.to_v.weight"
    tensors = {key: ref for key, ref in dump("sd1").tensors.items() if key != lost}
    with pytest.raises(LayoutError) as caught:
        detect(tensors, dump("sd1").configs)
    assert caught.value.where == lost
    assert caught.value.hint == "15 of 16 cross_attn.v are there"


def test_a_block_fewer_than_the_configuration_says_is_an_error() -> None:
    cut = "unet/mid_block.attentions.0."
    tensors = {key: ref for key, ref in dump("sd1").tensors.items() if not key.startswith(cut)}
    with pytest.raises(LayoutError, match=r"15 cross_attn\.q in the tensor names, 16 by the conf"):
        detect(tensors, dump("sd1").configs)


@pytest.mark.parametrize("block", ["up_blocks.3.resnets.2.", "down_blocks.0.resnets.1."])
def test_a_resnet_block_fewer_than_the_configuration_says_is_an_error(block: str) -> None:
    tensors = {key: r for key, r in dump("sd1").tensors.items() if f"unet/{block}" not in key}
    with pytest.raises(LayoutError, match=r"21 resnet\.in in the tensor names, 22 by the conf"):
        detect(tensors, dump("sd1").configs)


def test_a_missing_convolution_is_named() -> None:
    lost = "unet/up_blocks.0.upsamplers.0.conv2.weight"
    tensors = {key: ref for key, ref in dump("if").tensors.items() if key != lost}
    with pytest.raises(LayoutError) as caught:
        detect(tensors, dump("if").configs)
    assert caught.value.where == lost
    assert caught.value.hint == "35 of 36 resnet.out are there"


@pytest.mark.parametrize("name", ["sd1", "sd1-ldm", "if"])
def test_renaming_a_resnet_block_is_an_error(name: str) -> None:
    pattern = r"(up_blocks\.1\.resnets\.1|output_blocks\.4\.0)\."
    tensors = {re.sub(pattern, "spare.1.", key): ref for key, ref in dump(name).tensors.items()}
    assert tensors.keys() != dump(name).tensors.keys()
    with pytest.raises(LayoutError):
        detect(tensors)


def test_a_block_that_goes_up_by_resnet_counts_after_the_one_before_it() -> None:
    """As LDM builds them with `resblock_updown`."""
    lead = "model.diffusion_model.output_blocks.2."
    renamed = {f"{lead}1.conv.weight": f"{lead}1.in_layers.2.weight"}
    tensors = {renamed.get(key, key): ref for key, ref in dump("sd1-ldm").tensors.items()}
    tensors |= {f"{lead}1.out_layers.3.weight": tensors[f"{lead}0.out_layers.3.weight"]}
    layout = detect(tensors)
    assert layout.counts["resnet.in"] == 23
    assert [site.tensor for site in layout.select("resnet.in[12:14]")] == [
        f"{lead}0.in_layers.2.weight",
        f"{lead}1.in_layers.2.weight",
    ]


def test_a_pruned_single_file_is_counted_by_its_names() -> None:
    cut = "model.diffusion_model.middle_block.1."
    tensors = {key: ref for key, ref in dump("sd1-ldm").tensors.items() if not key.startswith(cut)}
    assert detect(tensors).counts["cross_attn.k"] == 15


def test_a_hole_in_the_numbering_is_an_error() -> None:
    cut = "cond_stage_model.transformer.text_model.encoder.layers.4."
    tensors = {key: ref for key, ref in dump("sd1-ldm").tensors.items() if not key.startswith(cut)}
    with pytest.raises(
        LayoutError, match=r"layers\.4\.self_attn\.q_proj\.weight: layers follow it"
    ):
        detect(tensors)


def test_a_matrix_of_another_shape_is_an_error() -> None:
    name = "unet/mid_block.attentions.0.transformer_blocks.0.attn1.to_k.weight"
    tensors = {**dump("sd1").tensors, name: Ref((1280, 768))}
    with pytest.raises(LayoutError, match=r"self_attn\.k of shape \[1280, 768\]"):
        detect(tensors, dump("sd1").configs)


def test_an_adapter_merged_into_the_file_is_named() -> None:
    name = "unet/mid_block.attentions.0.transformer_blocks.0.attn2.processor.to_k_ip.0.weight"
    tensors = {**dump("sd1").tensors, name: Ref((1280, 768))}
    with pytest.raises(LayoutError, match="a matrix that unet does not have") as caught:
        detect(tensors, dump("sd1").configs)
    assert caught.value.where == name


def test_scales_beside_quantised_weights_are_no_strays() -> None:
    block = "model.diffusion_model.middle_block.1.transformer_blocks.0.attn2"
    more = {f"{block}.to_k.scale_weight": Ref((1, 1)), f"{block}.to_k.comfy_quant": Ref((9,))}
    assert detect({**dump("sd1-ldm").tensors, **more}).name == "sd1-ldm"


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("sd1", {"text_encoder_2/text_model.x": Ref((1,))}),
        ("sd1", {"unet/class_embedding.linear_1.weight": Ref((8, 8))}),
        ("sd1-ldm", {"conditioner.x": Ref((1,))}),
        ("sdxl", {"unet/encoder_hid_proj.weight": Ref((8, 8))}),
        ("wan", {"transformer_2/patch_embedding.weight": Ref((1,))}),
    ],
)
def test_a_relative_with_other_parts_is_no_layout(name: str, more: dict[str, Ref]) -> None:
    with pytest.raises(LayoutError, match="no layout describes"):
        detect({**dump(name).tensors, **more}, dump(name).configs)


def test_a_text_encoder_of_another_kind_is_no_layout() -> None:
    unet = {key: ref for key, ref in dump("sd1").tensors.items() if key.startswith("unet/")}
    other = {f"text_encoder/{key}": ref for key, ref in dump("t5").tensors.items()}
    with pytest.raises(LayoutError, match="'text_encoder/' is there but is no clip"):
        detect(unet | other)


def test_a_text_encoder_of_another_width_is_no_layout() -> None:
    unet = {key: ref for key, ref in dump("tiny-sd1").tensors.items() if key.startswith("unet/")}
    text = {key: r for key, r in dump("sd1").tensors.items() if key.startswith("text_encoder/")}
    with pytest.raises(LayoutError, match=r"not denoiser\.context == text\.width"):
        detect(unet | text)


def test_both_copies_of_a_tied_table_are_sites() -> None:
    table = dump("t5").tensors["shared.weight"]
    layout = detect({**dump("t5").tensors, "encoder.embed_tokens.weight": table})
    copies = [site.tensor for site in layout.select("text.token_embedding")]
    assert copies == ["shared.weight", "encoder.embed_tokens.weight"]
