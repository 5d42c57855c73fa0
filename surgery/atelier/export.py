"""From a finished training folder to float16 weights: `python -m surgery.atelier.export`.

Writes `pipeline/` (a StableDiffusionPipeline folder), `clip/` (both towers, for CLIP scores) and
`judge.safetensors`. The card beside them is written by `surgery.atelier.card`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from diffusers import AutoencoderKL, StableDiffusionPipeline, UNet2DConditionModel
from transformers import CLIPModel, CLIPTextModel, CLIPTokenizer

from surgery.atelier.judge import load_judge, save_judge
from surgery.atelier.unet import scheduler

WEIGHTS = Path(__file__).parent / "weights"


def text_encoder(clip: CLIPModel) -> CLIPTextModel:
    """The text tower alone, as a pipeline wants it."""
    tower = CLIPTextModel(clip.config.text_config)
    wanted, held = tower.state_dict(), clip.text_model.state_dict()
    tower.load_state_dict({name: held[name.removeprefix("text_model.")] for name in wanted})
    return tower.eval()


def export(training: Path, weights: Path) -> None:
    """Assembles the trained parts, in float16, under `weights`."""
    clip = CLIPModel.from_pretrained(training / "clip")
    pipeline = StableDiffusionPipeline(
        vae=AutoencoderKL.from_pretrained(training / "vae"),
        text_encoder=text_encoder(clip),
        tokenizer=CLIPTokenizer.from_pretrained(training / "tokenizer"),
        unet=UNet2DConditionModel.from_pretrained(training / "unet"),
        scheduler=scheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.to(dtype=torch.float16).save_pretrained(weights / "pipeline")
    clip.half().save_pretrained(weights / "clip")
    judge = load_judge(training / "judge.safetensors")
    save_judge(judge, weights / "judge.safetensors", torch.float16)
    for file in weights.rglob("*"):
        file.chmod(0o755 if file.is_dir() else 0o644)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("training"))
    parser.add_argument("--weights", type=Path, default=WEIGHTS)
    asked = parser.parse_args()
    export(asked.folder, asked.weights)


if __name__ == "__main__":
    main()
