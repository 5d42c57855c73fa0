"""What a text tower's forward pass needs, from shapes, then configurations, then the layout."""

from __future__ import annotations

import pytest

from surgery.errors import LayoutError
from surgery.layout import TextShape, detect
from tests.helpers.dumps import dump

LARGE = TextShape(12, 12, 768, 77, "quick_gelu")
HUGE = TextShape(16, 23, 1024, 77, "gelu", pad_id=0, kind="openclip")
GIANT = TextShape(
    20, 32, 1280, 77, "gelu", pad_id=0, tokenizer="tokenizer_2", kind="clip", reads="penultimate"
)


def towers(name: str, **changes: object) -> dict[str, TextShape]:
    configs = {**dump(name).configs, **changes}
    return dict(detect(dump(name).tensors, configs).towers)


def test_clip_large_is_the_same_in_folder_and_file() -> None:
    assert towers("sd1") == towers("sd1-new-names") == towers("sd1-ldm") == {"text": LARGE}


def test_sd2_reads_openclip_huge() -> None:
    assert towers("sd2-ldm") == {"text": HUGE}


def test_sdxl_reads_two_towers() -> None:
    assert towers("sdxl")["text2"] == GIANT
    assert towers("sdxl-sgm")["text2"].heads == 20
    assert {shape.reads for shape in towers("sdxl").values()} == {"penultimate"}


def test_a_test_size_tower_takes_its_heads_from_the_configuration() -> None:
    assert towers("tiny-sd1")["text"] == TextShape(4, 4, 96, 32, "quick_gelu")


def test_a_tower_whose_heads_nothing_tells_still_has_sites() -> None:
    layout = detect(dump("tiny-sd1-ldm").tensors)
    assert len(layout.select("text.self_attn.out")) == 4
    with pytest.raises(LayoutError, match=r"how many heads the text tower of width 96 has"):
        _ = layout.text


def test_t5_takes_its_heads_from_the_position_bias() -> None:
    shape = towers("t5")["text"]
    assert (shape.heads, shape.layers, shape.width, shape.kind) == (64, 24, 4096, "t5")
    assert shape.norm_eps == 1e-6


def test_prompts_are_as_long_as_the_family_says() -> None:
    assert towers("if")["text"].max_length == 77
    assert towers("sd3")["text3"].max_length == 256
    assert towers("flux")["text2"].max_length == 512


def test_the_tokenizer_says_what_pads() -> None:
    marks = {"tokenizer/special_tokens_map.json": {"pad_token": "!", "eos_token": "<|end|>"}}
    assert towers("sd1")["text"].pad_id is None
    assert towers("sd1", **marks)["text"].pad_id == 0
    same = {"tokenizer/special_tokens_map.json": {"pad_token": {"content": "e"}, "eos_token": "e"}}
    assert towers("sdxl", **same)["text"].pad_id is None


def test_a_configuration_of_another_width_is_an_error() -> None:
    config = {**dump("sd1").configs["text_encoder/config.json"], "hidden_size": 1024}
    with pytest.raises(LayoutError, match="width 1024 and 12 heads by the configuration"):
        towers("sd1", **{"text_encoder/config.json": config})


def test_a_configuration_of_another_depth_is_an_error() -> None:
    config = {**dump("sd1").configs["text_encoder/config.json"], "num_hidden_layers": 11}
    with pytest.raises(LayoutError, match="11 by the configuration"):
        towers("sd1", **{"text_encoder/config.json": config})


def test_heads_that_do_not_divide_the_width_are_an_error() -> None:
    config = {**dump("sd1").configs["text_encoder/config.json"], "num_attention_heads": 7}
    with pytest.raises(LayoutError, match="width 768 and 7 heads"):
        towers("sd1", **{"text_encoder/config.json": config})
