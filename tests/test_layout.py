"""Every layout against real structures: which it is, how many sites, and where each one is."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from surgery.errors import LayoutError
from surgery.layout import Layout, Site, detect, layout_names
from tests.helpers.dumps import NAMES, Dump, dump
from tests.helpers.structures import Ref

SINGLE = [name for name in NAMES if dump(name).sources]
RUN = [name for name in NAMES if dump(name).order]
# Which component of a diffusers folder holds which role's tensors.
ROLES = {"text_encoder": "text.", "text_encoder_2": "text2.", "text_encoder_3": "text3."}
# Files with one text tower: there it is `text`, whatever it was in the pipeline.
ALONE = {"clip-big": "text2.", "openclip": "text2.", "t5": "text3."}
COUNTS = {
    "sd1": 16,
    "sd2": 16,
    "sdxl": 70,
    "sdxl-refiner": 44,
    "if": 22,
    "pixart": 28,
    "sana": 20,
    "wan": 30,
    "wan-i2v": 40,
    "bk-sdm-base": 10,
    "bk-sdm-small": 9,
    "bk-sdm-tiny": 9,
    "ssd-1b": 34,
    "tiny-sd1": 10,
}
RESNETS = {
    "sd1": 22,
    "sd2": 22,
    "sdxl": 17,
    "sdxl-refiner": 22,
    "if": 36,
    "bk-sdm-base": 14,
    "bk-sdm-small": 12,
    "bk-sdm-tiny": 9,
    "ssd-1b": 16,
    "tiny-sd1": 11,
}
STREAMS = {"sd3": 24, "sd3.5-medium": 24, "sd3.5-large": 38, "flux": 19, "flux-schnell": 19}


def layout_of(name: str) -> Layout:
    found = dump(name)
    return detect(found.tensors, found.configs)


def full(tensors: Mapping[str, Ref], site: Site) -> tuple[str, int, int]:
    return (site.tensor, *(site.rows or (0, tensors[site.tensor].shape[0])))


@pytest.mark.parametrize("name", NAMES)
def test_every_dump_is_exactly_one_layout(name: str) -> None:
    assert layout_of(name).name == dump(name).layout


def test_every_layout_has_a_dump() -> None:
    assert {dump(name).layout for name in NAMES} == set(layout_names())


@pytest.mark.parametrize("name", COUNTS)
def test_counts_are_those_of_the_real_model(name: str) -> None:
    counts = layout_of(name).counts
    assert {counts[f"cross_attn.{x}"] for x in ("q", "k", "v", "out")} == {COUNTS[name]}


@pytest.mark.parametrize("name", RESNETS)
def test_resnet_blocks_are_counted(name: str) -> None:
    counts = layout_of(name).counts
    assert counts["resnet.in"] == counts["resnet.out"] == RESNETS[name]


@pytest.mark.parametrize("name", RESNETS)
def test_resnet_blocks_are_in_the_order_in_which_the_model_runs(name: str) -> None:
    layout = layout_of(name)
    ran = [module for module, which in dump(name).order if which == "resnet"]
    for kind, leaf in (("resnet.in", "conv1"), ("resnet.out", "conv2")):
        assert [s.tensor for s in layout.select(kind)] == [f"{m}.{leaf}.weight" for m in ran]


@pytest.mark.parametrize("name", STREAMS)
def test_text_streams_are_counted(name: str) -> None:
    counts = layout_of(name).counts
    assert {counts[f"context_attn.{x}"] for x in ("q", "k", "v")} == {STREAMS[name]}
    assert counts["entry.weight"] == counts["pooled.in.weight"] == 1


@pytest.mark.parametrize("name", RUN)
def test_depth_is_the_order_in_which_the_model_runs(name: str) -> None:
    layout, order = layout_of(name), dump(name).order
    kind = "cross_attn" if "cross_attn.k" in layout.counts else "context_attn"
    leaf = "add_k_proj" if kind == "context_attn" or layout.family == "if" else "to_k"
    ran = [f"{module}.{leaf}.weight" for module, reads in order if reads == "cross"]
    assert [site.tensor for site in layout.select(f"{kind}.k")] == ran
    if "self_attn.k" in layout.counts:
        reads = "cross" if layout.family == "if" else "self"
        ran = [f"{module}.to_k.weight" for module, which in order if which == reads]
        assert [site.tensor for site in layout.select("self_attn.k")] == ran


@pytest.mark.parametrize("name", SINGLE)
def test_single_file_sites_hold_the_rows_diffusers_takes(name: str) -> None:
    held, found = dump(name), layout_of(name)
    folder = dump(held.model)
    wanted = expected_sites(held, detect(folder.tensors, folder.configs))
    assert {(s.kind, s.index): full(held.tensors, s) for s in found.sites} == wanted


def expected_sites(held: Dump, folder: Layout) -> dict[tuple[str, int], tuple[str, int, int]]:
    """The folder's sites, each at the rows that diffusers' converter reads for it."""
    alone = ALONE.get(held.layout, "")
    wanted = {}
    for site in folder.sites:
        if source := held.sources.get(site.tensor):
            kind = "text." + site.kind.removeprefix(alone) if alone else site.kind
            wanted[kind, site.index] = source
    return wanted


def test_sites_keep_their_kind_and_depth_in_every_naming() -> None:
    for folder, single in (("sd1", "sd1-ldm"), ("sd2", "sd2-ldm"), ("sdxl", "sdxl-sgm")):
        assert layout_of(folder).counts == layout_of(single).counts


def test_the_layer_that_sd2_files_store_and_never_run_is_no_site() -> None:
    assert "cond_stage_model.model.transformer.resblocks.23.ln_1.weight" in dump("sd2-ldm").tensors
    layout = layout_of("sd2-ldm")
    assert layout.text.layers == 23
    assert not [site for site in layout.sites if ".resblocks.23." in site.tensor]


def test_fused_attention_is_split_by_rows() -> None:
    [site] = layout_of("sdxl-sgm").select("text2.self_attn.v[3]")
    lead = "conditioner.embedders.1.model.transformer.resblocks.3.attn."
    assert site == Site("text2.self_attn.v", 3, f"{lead}in_proj_weight", (2560, 3840))


@pytest.mark.parametrize("name", ["sd1", "sd1-ldm", "sdxl-sgm", "tiny-sd1"])
def test_files_with_and_without_text_model_are_the_same_layout(name: str) -> None:
    found = dump(name)
    bare = {key.replace(".text_model.", "."): ref for key, ref in found.tensors.items()}
    bare = {key.replace("/text_model.", "/"): ref for key, ref in bare.items()}
    assert bare.keys() != found.tensors.keys()
    assert detect(bare, found.configs).counts == layout_of(name).counts


def test_things_beside_the_model_do_not_matter() -> None:
    more = {"first_stage_model.encoder.conv_in.weight": Ref((128, 3, 3, 3)), "betas": Ref((1000,))}
    lead = "cond_stage_model.transformer.text_model.embeddings."
    more[f"{lead}position_ids"] = Ref((1, 77))
    assert detect({**dump("sd1-ldm").tensors, **more}).name == "sd1-ldm"


def test_a_unet_alone_has_no_text_tower_and_says_so() -> None:
    layout = layout_of("sd1-ldm-unet")
    assert layout.counts["cross_attn.k"] == 16
    with pytest.raises(LayoutError, match="no text tower"):
        _ = layout.text


@pytest.mark.parametrize(
    ("name", "selector", "message"),
    [
        ("sd1-ldm-unet", "text.self_attn.out[0]", "no text tower; it has: denoiser"),
        ("clip", "cross_attn.{k,v}", "no denoiser; it has: text"),
        ("clip", "resnet.in[0]", "no denoiser; it has: text"),
        ("sd1", "text2.self_attn.q", "no text2 tower; it has: denoiser, text"),
    ],
)
def test_sites_of_a_network_that_is_elsewhere_ask_for_the_whole_model(
    name: str, selector: str, message: str
) -> None:
    with pytest.raises(LayoutError, match=f"{message}; give the whole model"):
        layout_of(name).select(selector)


@pytest.mark.parametrize(
    ("name", "probing"),
    [
        ("sd1", (2, 1)),
        ("sd1-ldm", (2, 1)),
        ("sd2", (2, 1)),
        ("sd2-ldm", (2, 1)),
        ("sdxl", (5, 5)),
        ("sdxl-sgm", (5, 5)),
        ("if", (3, 1)),
        ("bk-sdm-base", None),
        ("ssd-1b", None),
        ("tiny-sd1-ldm", None),
        ("sdxl-refiner", None),
        ("flux", None),
        ("clip", None),
    ],
)
def test_models_as_deep_as_the_published_are_probed_as_they_were(
    name: str, probing: tuple[int, int] | None
) -> None:
    assert layout_of(name).probing == probing


def test_a_window_in_which_edits_fail_is_not_given() -> None:
    with pytest.raises(LayoutError, match="nothing says which of the 22 cross-attention"):
        layout_of("if").window("style")


def test_prefixes_say_where_each_role_begins() -> None:
    assert layout_of("sdxl-sgm").prefixes == {
        "denoiser": "model.diffusion_model.",
        "text": "conditioner.embedders.0.transformer.text_model.",
        "text2": "conditioner.embedders.1.model.",
    }


def test_ema_copies_are_found() -> None:
    layout = layout_of("sd1-ldm-ema")
    [site] = layout.select("cross_attn.v[7]")
    twin = "model_ema.diffusion_modeloutput_blocks31transformer_blocks0attn2to_vweight"
    assert layout.ema_twin(site.tensor) == twin
    assert layout.ema_twin(layout.select("text.self_attn.out[0]")[0].tensor) is None
    assert layout_of("sd1-ldm").ema_twin(site.tensor) is None


def test_a_site_without_the_ema_copy_others_have_is_an_error() -> None:
    tensors = dict(dump("sd1-ldm-ema").tensors)
    del tensors["model_ema.diffusion_modeloutput_blocks31transformer_blocks0attn2to_vweight"]
    with pytest.raises(LayoutError, match=r"cross_attn\.v\[7\] is missing"):
        detect(tensors)


def test_what_was_seen_is_printed_when_nothing_fits() -> None:
    with pytest.raises(LayoutError) as caught:
        detect({"rnn.attn.weight": Ref((4, 4)), "rnn.bias": Ref((4,)), "head\x1b.b": Ref((1,))})
    text = str(caught.value)
    assert "no layout describes this checkpoint" in text
    assert "seen 3 tensors (rnn. 2, head\\x1b. 1), such as rnn.attn.weight" in text


def test_a_near_miss_says_why() -> None:
    tensors = {**dump("sd1-ldm").tensors, "control_model.out": Ref((1,))}
    with pytest.raises(LayoutError, match=r"nearest: .*sd1-ldm \('control_model\.' is there\)"):
        detect(tensors)


def test_two_layouts_at_once_are_both_named() -> None:
    with pytest.raises(LayoutError, match="several layouts describe this checkpoint: clip, t5"):
        detect({**dump("clip").tensors, **dump("t5").tensors})


def test_an_empty_checkpoint_is_no_layout() -> None:
    with pytest.raises(LayoutError, match="seen 0 tensors"):
        detect({})


def test_one_network_at_two_places_is_an_error() -> None:
    tensors = {**dump("sd1-ldm").tensors, **dump("sd1-ldm-unet").tensors}
    with pytest.raises(LayoutError, match="denoiser is there twice"):
        detect(tensors)


def test_configurations_come_from_the_checkpoint_itself_when_not_given() -> None:
    class Folder(dict[str, Ref]):
        def json(self, path: str) -> Mapping[str, object] | None:
            return dump("tiny-sd1").configs.get(path)

    assert detect(Folder(dump("tiny-sd1").tensors)).text.heads == 4
    assert detect(dump("tiny-sd1").tensors, dump("tiny-sd1").configs.get).text.heads == 4
