"""A small picture as text, for reports that hold their pictures themselves."""

from __future__ import annotations

import base64
import io

from PIL import Image
from torch import Tensor

SIDE = 96


def thumbnail(picture: Tensor, side: int = SIDE) -> str:
    """A PNG of at most `side` pixels along an edge, as base64 text.

    Args:
        picture: (3, height, width) in [-1, 1].
    """
    pixels = ((picture.float() + 1) * 127.5).round().clamp(0, 255).byte()
    small = Image.fromarray(pixels.permute(1, 2, 0).numpy())
    small.thumbnail((side, side), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    small.save(file, format="PNG", optimize=True)
    return base64.b64encode(file.getvalue()).decode("ascii")
