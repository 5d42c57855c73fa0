"""Running a text-to-image model: encode, denoise, decode. Only this package imports diffusers.

Scoring what comes out is not done here.
"""

from __future__ import annotations

from surgery.model.base import Conditioning, Model, PromptTokens
from surgery.model.diffusers_model import DiffusersModel
from surgery.model.generate import GUIDANCE, STEPS, generate
from surgery.model.load import load_model

__all__ = [
    "GUIDANCE",
    "STEPS",
    "Conditioning",
    "DiffusersModel",
    "Model",
    "PromptTokens",
    "generate",
    "load_model",
]
