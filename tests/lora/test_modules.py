"""The truth about names is diffusers' own converters, which the dumps recorded."""

from __future__ import annotations

import pytest

from surgery.errors import LayoutError
from surgery.layout import Layout, Site, detect
from surgery.lora.modules import Modules
from tests.helpers.dumps import NAMES, Dump, dump

CONVERTED = [
    name
    for name in NAMES
    if dump(name).sources and not dump(name).layout.startswith(("clip", "openclip", "t5"))
]
SGM = ("sgm",)


def matrices(found: Dump, layout: Layout) -> list[Site]:
    """The sites that a LoRA can carry."""
    return [
        site
        for site in layout.sites
        if len(found.tensors[site.tensor].shape) == 2
        and not any(word in site.kind for word in ("bias", "embedding", "projection"))
    ]


@pytest.mark.parametrize("name", CONVERTED)
def test_every_matrix_of_a_single_file_gets_the_name_that_the_converter_gives(name: str) -> None:
    found = dump(name)
    layout = detect(found.tensors, found.configs)
    modules = Modules(layout, found.tensors)
    checked = 0
    for site in matrices(found, layout):
        module = modules.of(site)
        rows = site.rows or (0, found.tensors[site.tensor].shape[0])
        assert found.sources[f"{module.component}/{module.path}.weight"] == (site.tensor, *rows)
        checked += 1
    assert checked >= 60


@pytest.mark.parametrize(("folder", "single"), [("sdxl", "sdxl-sgm"), ("ssd-1b", "ssd-1b-sgm")])
def test_a_unet_of_diffusers_gets_its_original_names(folder: str, single: str) -> None:
    found, truth = dump(folder), dump(single).sources
    layout = detect(found.tensors, found.configs)
    modules = Modules(layout, found.tensors)
    sites = [site for site in matrices(found, layout) if not site.kind.startswith("text")]
    assert len(sites) > 300
    for site in sites:
        tensor, *_ = truth[site.tensor]
        assert f"model.diffusion_model.{modules.of(site, SGM).path}.weight" == tensor


@pytest.mark.parametrize("name", ["sd1", "sd2", "sdxl", "flux", "sd3", "pixart", "wan", "if"])
def test_a_diffusers_folder_keeps_its_names(name: str) -> None:
    found = dump(name)
    layout = detect(found.tensors, found.configs)
    modules = Modules(layout, found.tensors)
    for site in matrices(found, layout):
        module = modules.of(site)
        assert site.tensor == f"{module.component}/{module.path}.weight"


def test_new_names_of_a_text_encoder_get_the_level_that_loaders_know() -> None:
    found = dump("sd1-new-names")
    modules = Modules(layout := detect(found.tensors, found.configs), found.tensors)
    (site,) = layout.select("text.self_attn.out[0]")
    assert site.tensor == "text_encoder/encoder.layers.0.self_attn.out_proj.weight"
    assert modules.of(site).path == "text_model.encoder.layers.0.self_attn.out_proj"


def test_a_model_without_such_a_naming_is_refused() -> None:
    found = dump("sd1")
    modules = Modules(layout := detect(found.tensors, found.configs), found.tensors)
    (site,) = layout.select("cross_attn.k[0]")
    with pytest.raises(LayoutError, match="sd1 in sgm are not known"):
        modules.of(site, SGM)
