"""Which model a command is for, where it may be left out."""

from __future__ import annotations

BUILT_IN = "atelier"


def chosen_address(model: str | None, own: str | None) -> str:
    """The model that was named, or the recipe's own, or the one that comes with surgery."""
    # An empty --model is a mistake of a script, not a wish for the built-in one.
    return model if model is not None else own or BUILT_IN
