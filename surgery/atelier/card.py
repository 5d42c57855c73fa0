"""The model card of `atelier`, written from measured figures."""

from __future__ import annotations

from surgery.atelier.figures import Figures

_HEAD = """# atelier

A small, genuine Stable Diffusion, made for testing surgery on models. It knows eight shapes in six
colours, one trademark, three flags and eight painters; nothing else. Pictures are 64 x 64.

All of it was trained from nothing, on pictures drawn by `surgery/atelier/world.py`:
`python -m surgery.atelier.train`, then `python -m surgery.atelier.export` and
`python -m surgery.atelier.measure`, which wrote this page. No outside picture or weight was used.

| part | class | what it is |
|---|---|---|
| `pipeline/text_encoder` | CLIPTextModel | 4 layers of width 96, 40 places |
| `pipeline/tokenizer` | CLIPTokenizer | own BPE, 45 merges: names fall into several sub-words |
| `pipeline/unet` | UNet2DConditionModel | 10 cross-attention layers, 4.2 M parameters |
| `pipeline/vae` | AutoencoderKL | 64 x 64 to 8 x 8 x 4, 1.6 M parameters |
| `pipeline/scheduler` | DDIMScheduler | Stable Diffusion's schedule, epsilon prediction |
| `clip/` | CLIPModel | both towers, trained contrastively, then frozen |
| `judge.safetensors` | a small CNN | reads thing, colour, artist; never saw a generated picture |

"""


def card(figures: Figures) -> str:
    """Markdown: what the model is, how it was made, what it was measured to do."""
    rows = [
        f"| {name} | {share.value:.1%} | {share.low:.1%} to {share.high:.1%} | {share.count} |"
        for name, share in figures.pictures.items()
    ]
    clip = ", ".join(f"{name} {share:.1%}" for name, share in figures.zero_shot.items())
    return "".join(
        [
            _HEAD,
            f"Settings of the training run: `{dict(figures.settings)}`; ",
            f"their hash: `{figures.settings_hash}`.\n\n",
            "## What it obeys\n\n",
            f"Read by the judge from generated pictures, {figures.steps} DDIM steps, guidance ",
            f"{figures.guidance:g}, fixed seeds; 95 % intervals after Wilson.\n\n",
            "| asked for | obeyed | interval | pictures |\n|---|---|---|---|\n",
            "\n".join(rows),
            "\n\nHeld-out rows are combinations of thing, colour and artist that training never ",
            f"saw.\n\nCLIP zero-shot on drawn pictures: {clip}.\n",
        ]
    )
