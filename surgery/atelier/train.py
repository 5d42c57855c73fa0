"""How `atelier` is made, from nothing: `python -m surgery.atelier.train --folder training`.

Stages, each resumable: judge → vae and clip → polish (the judge, on reconstructions) → unet. Run
one alone with `--stage`; `vae` and `clip` need the judge only and may run side by side.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from diffusers import AutoencoderKL
from transformers import CLIPModel, CLIPTokenizer

from surgery.atelier.clip import train_clip
from surgery.atelier.judge import load_judge
from surgery.atelier.pictures import Pictures, render
from surgery.atelier.train_judge import polish_judge, train_judge
from surgery.atelier.unet import Lessons, caption_states, train_unet
from surgery.atelier.vae import encode_all, train_vae
from surgery.atelier.vocabulary import learn_tokenizer

STAGES = ("judge", "vae", "clip", "polish", "unet")


@dataclass(frozen=True, slots=True)
class Settings:
    """All that decides the result, beside the code; its hash stands in the model card."""

    pictures: int = 24_000
    seed: int = 1
    judge_steps: int = 400
    polish_steps: int = 200
    vae_steps: int = 2_600
    clip_steps: int = 1_500
    unet_steps: int = 6_500

    @property
    def fingerprint(self) -> str:
        return hashlib.sha256(json.dumps(asdict(self)).encode()).hexdigest()[:16]


def drawn(folder: Path, settings: Settings) -> Pictures:
    return render(folder / "pictures", settings.pictures, settings.seed)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("training"))
    parser.add_argument("--stage", choices=(*STAGES, "all"), default="all")
    asked = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", force=True)
    torch.set_num_threads(1)
    settings = Settings()
    asked.folder.mkdir(parents=True, exist_ok=True)
    stages = STAGES if asked.stage == "all" else (asked.stage,)
    for stage in stages:
        run_stage(stage, asked.folder, settings)


def run_stage(stage: str, folder: Path, settings: Settings) -> None:
    pictures = drawn(folder, settings)
    torch.manual_seed(settings.seed)
    if stage == "judge":
        return train_judge(pictures, settings.judge_steps, folder)
    judge = load_judge(folder / "judge.safetensors")
    if stage == "vae":
        train_vae(pictures, judge, settings.vae_steps, folder).save_pretrained(folder / "vae")
    if stage == "clip":
        tokenizer = learn_tokenizer()
        clip = train_clip(pictures, judge, tokenizer, settings.clip_steps, folder)
        clip.save_pretrained(folder / "clip")
        tokenizer.save_pretrained(folder / "tokenizer")
    if stage == "polish":
        vae = AutoencoderKL.from_pretrained(folder / "vae").eval()
        polish_judge(judge, vae, pictures, settings.polish_steps, folder)
    if stage == "unet":
        lessons = make_lessons(pictures, folder)
        train_unet(lessons, settings.unet_steps, folder).save_pretrained(folder / "unet")
    return None


def make_lessons(pictures: Pictures, folder: Path) -> Lessons:
    """Every picture as latents, every caption as text states; both computed once."""
    clip = CLIPModel.from_pretrained(folder / "clip").eval()
    numbers, states = caption_states(clip, CLIPTokenizer.from_pretrained(folder / "tokenizer"))
    file = folder / "moments.pt"
    if not file.exists():
        vae = AutoencoderKL.from_pretrained(folder / "vae").eval()
        torch.save(encode_all(vae, pictures) * vae.config.scaling_factor, file)
    return Lessons(torch.load(file, weights_only=True), pictures.labels, numbers, states)


if __name__ == "__main__":
    main()
