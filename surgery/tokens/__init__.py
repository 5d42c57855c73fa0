"""Prompts to token ids, and to the places in them that an edit asks for. No weights, no models."""

from __future__ import annotations

from surgery.tokens.prompts import Tokens
from surgery.tokens.search import find_tokens
from surgery.tokens.spots import Spots, spots
from surgery.tokens.vocabulary import load_tokens

__all__ = ["Spots", "Tokens", "find_tokens", "load_tokens", "spots"]
