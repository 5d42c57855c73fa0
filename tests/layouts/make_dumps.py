"""Write the header dumps the layout tests read: `python -m tests.layouts.make_dumps [NAME ...]`.

A dump is what a checkpoint's headers say (names, shapes, configuration files), the layout it is,
and the truth its sites are held against: the order in which a model runs its blocks (hooks on a
forward pass), and for single files the rows that diffusers' own converters take from each
tensor (marked tensors sent through them). Needs torch, diffusers and transformers.
"""

from __future__ import annotations

import gzip
import json
import logging
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.helpers.structures import component_shapes, config_files, configs, folder
from tests.layouts.convert import Shape, Sources, convert
from tests.layouts.forward import block_order

DUMPS = Path(__file__).parent / "dumps"
log = logging.getLogger("make_dumps")


def _diffusers(model: str, layout: str, **options: object) -> dict[str, object]:
    """A diffusers folder; truth is the order in which its blocks run."""
    tensors = {name: ref.shape for name, ref in folder(model, **options).items()}
    inside = {name.split("/")[0] for name in tensors}
    files = {
        path: data
        for path, data in config_files(model).items()
        if path.split("/")[0] in inside or path.startswith("tokenizer")
    }
    order = block_order(model) if inside & {"unet", "transformer"} else []
    return {"layout": layout, "model": model, "tensors": tensors, "configs": files, "order": order}


def _single(layout: str, model: str, parts: Mapping[str, tuple[str, str]]) -> dict[str, object]:
    """A single file; truth is which rows diffusers' converters take for each parameter.

    Args:
        parts: component -> (prefix in the file, kind of naming).
    """
    tensors: dict[str, Shape] = {}
    sources: Sources = {}
    for component, (prefix, naming) in parts.items():
        config = configs(VAES.get(model, model) if component == "vae" else model)[component]
        shapes, found = convert(naming, prefix, component_shapes(config), config)
        tensors |= shapes
        sources |= {f"{component}/{name}": source for name, source in found.items()}
    base = {"layout": layout, "model": model, "tensors": tensors, "configs": {}}
    return base | {"sources": sources}


def _sd2_last_layer(dump: dict[str, object]) -> dict[str, object]:
    """Single SD2 files hold one more text layer, which diffusers' converter drops."""
    tensors = dict(dump["tensors"])
    for name in list(tensors):
        if ".resblocks.22." in name:
            tensors[name.replace(".22.", ".23.")] = tensors[name]
    tensors["cond_stage_model.model.text_projection"] = (1024, 1024)
    tensors["cond_stage_model.model.logit_scale"] = ()
    return dump | {"tensors": tensors}


def _with_ema(dump: dict[str, object]) -> dict[str, object]:
    """The file with the EMA copies that LDM's trainer keeps: names without dots."""
    tensors = dict(dump["tensors"])
    for name, shape in dump["tensors"].items():
        if name.startswith("model.diffusion_model."):
            tensors["model_ema." + "".join(name.split(".")[1:])] = shape
    return dump | {"tensors": tensors | {"model_ema.decay": (), "model_ema.num_updates": ()}}


def _without(dump: dict[str, object], layout: str, keep: str, strip: bool) -> dict[str, object]:
    """One network of a file, with or without its prefix."""

    def bare(name: str) -> str:
        return name.removeprefix(keep) if strip else name

    tensors = {bare(n): shape for n, shape in dump["tensors"].items() if n.startswith(keep)}
    sources = {
        name: (bare(source), first, last)
        for name, (source, first, last) in dump.get("sources", {}).items()
        if source.startswith(keep)
    }
    return dump | {"layout": layout, "tensors": tensors, "sources": sources, "configs": {}}


UNET = "model.diffusion_model."
VAE = ("first_stage_model.", "vae")
# Models that come with the VAE of another.
VAES = {"bk-sdm-small": "sd1", "tiny-sd1": "sd1", "ssd-1b": "sdxl", "sdxl-refiner": "sdxl"}
CLIP_G = ("conditioner.embedders.1.model.", "openclip")
SD1 = {
    "unet": (UNET, "unet"),
    "text_encoder": ("cond_stage_model.transformer.", "same"),
    "vae": VAE,
}
SD2 = {"unet": (UNET, "unet"), "text_encoder": ("cond_stage_model.model.", "openclip"), "vae": VAE}
SDXL = {
    "unet": (UNET, "unet"),
    "text_encoder": ("conditioner.embedders.0.transformer.", "same"),
    "text_encoder_2": CLIP_G,
    "vae": VAE,
}
REFINER = {
    "unet": (UNET, "unet"),
    "text_encoder_2": ("conditioner.embedders.0.model.", "openclip"),
    "vae": VAE,
}
SD3 = {
    "transformer": (UNET, "sd3"),
    "text_encoder": ("text_encoders.clip_l.transformer.", "same"),
    "text_encoder_2": ("text_encoders.clip_g.transformer.", "same"),
    "text_encoder_3": ("text_encoders.t5xxl.transformer.", "same"),
    "vae": VAE,
}
FLUX = {
    "transformer": (UNET, "flux"),
    "text_encoder": ("text_encoders.clip_l.transformer.", "same"),
    "text_encoder_2": ("text_encoders.t5xxl.transformer.", "same"),
    "vae": ("vae.", "vae"),
}
MAKERS: dict[str, Callable[[], dict[str, object]]] = {
    "sd1": lambda: _diffusers("sd1", "sd1"),
    "sd1-new-names": lambda: _diffusers("sd1", "sd1", old_clip=False),
    "sd1-unet-folder": lambda: _diffusers("sd1", "sd1", leave_out=("text_encoder", "vae")),
    "sd1-ldm": lambda: _single("sd1-ldm", "sd1", SD1),
    "sd1-ldm-ema": lambda: _with_ema(_single("sd1-ldm", "sd1", SD1)),
    "sd1-ldm-unet": lambda: _without(_single("sd1-ldm", "sd1", SD1), "sd1-ldm", UNET, True),
    "sd2": lambda: _diffusers("sd2", "sd2"),
    "sd2-ldm": lambda: _sd2_last_layer(_single("sd2-ldm", "sd2", SD2)),
    "sd2-ldm-unet": lambda: _without(_single("sd2-ldm", "sd2", SD2), "sd2-ldm", UNET, False),
    "sdxl": lambda: _diffusers("sdxl", "sdxl"),
    "sdxl-sgm": lambda: _single("sdxl-sgm", "sdxl", SDXL),
    "sdxl-sgm-unet": lambda: _without(_single("sdxl-sgm", "sdxl", SDXL), "sdxl-sgm", UNET, True),
    "openclip": lambda: _without(_single("sdxl-sgm", "sdxl", SDXL), "openclip", CLIP_G[0], True),
    "sdxl-refiner": lambda: _diffusers("sdxl-refiner", "sdxl-refiner"),
    "sdxl-refiner-sgm": lambda: _single("sdxl-refiner-sgm", "sdxl-refiner", REFINER),
    "if": lambda: _diffusers("if", "if"),
    "sd3": lambda: _diffusers("sd3", "sd3"),
    "sd3-single": lambda: _single("sd3-single", "sd3", SD3),
    "sd3.5-medium": lambda: _diffusers("sd3.5-medium", "sd3"),
    "sd3.5-large": lambda: _diffusers("sd3.5-large", "sd3"),
    "sd3.5-large-single": lambda: _single(
        "sd3-single", "sd3.5-large", {"transformer": ("", "sd3")}
    ),
    "clip": lambda: _without(
        _single("sd3-single", "sd3", SD3), "clip", SD3["text_encoder"][0], True
    ),
    "clip-big": lambda: _without(
        _single("sd3-single", "sd3", SD3), "clip-big", SD3["text_encoder_2"][0], True
    ),
    "t5": lambda: _without(_single("sd3-single", "sd3", SD3), "t5", SD3["text_encoder_3"][0], True),
    "flux": lambda: _diffusers("flux", "flux"),
    "flux-bfl": lambda: _single("flux-bfl", "flux", FLUX),
    "flux-schnell": lambda: _diffusers("flux-schnell", "flux"),
    "flux-schnell-bfl": lambda: _single("flux-bfl", "flux-schnell", {"transformer": ("", "flux")}),
    "pixart": lambda: _diffusers("pixart", "pixart"),
    "pixart-single": lambda: _single("pixart-single", "pixart", {"transformer": ("", "pixart")}),
    "sana": lambda: _diffusers("sana", "sana"),
    "sana-single": lambda: _single("sana-single", "sana", {"transformer": ("", "sana")}),
    "wan": lambda: _diffusers("wan", "wan"),
    "wan-original": lambda: _single("wan-original", "wan", {"transformer": ("", "wan")}),
    "wan-i2v": lambda: _diffusers("wan-i2v", "wan"),
    "wan-i2v-original": lambda: _single("wan-original", "wan-i2v", {"transformer": (UNET, "wan")}),
    "bk-sdm-base": lambda: _diffusers("bk-sdm-base", "sd1"),
    "bk-sdm-small": lambda: _diffusers("bk-sdm-small", "sd1"),
    "bk-sdm-small-ldm": lambda: _single("sd1-ldm", "bk-sdm-small", SD1),
    "bk-sdm-tiny": lambda: _diffusers("bk-sdm-tiny", "sd1"),
    "ssd-1b": lambda: _diffusers("ssd-1b", "sdxl"),
    "ssd-1b-sgm": lambda: _single("sdxl-sgm", "ssd-1b", SDXL),
    "tiny-sd1": lambda: _diffusers("tiny-sd1", "sd1"),
    "tiny-sd1-ldm": lambda: _single("sd1-ldm", "tiny-sd1", SD1),
}


def make(name: str) -> dict[str, object]:
    """Return one dump as JSON values."""
    return json.loads(json.dumps(MAKERS[name]()))


def main(names: list[str]) -> None:
    """Write the named dumps, or all."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    log.setLevel(logging.INFO)
    DUMPS.mkdir(exist_ok=True)
    for name in names or MAKERS:
        text = json.dumps(make(name), separators=(",", ":"))
        # A fixed time stamp, so that the same dump is the same bytes.
        data = gzip.compress(text.encode(), 9, mtime=0)
        (DUMPS / f"{name}.json.gz").write_bytes(data)
        log.info("%s: %d bytes", name, len(data))


if __name__ == "__main__":
    main(sys.argv[1:])
