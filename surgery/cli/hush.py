"""Keeps the model libraries' own talk off the screen of a command that loads them anyway."""

from __future__ import annotations


def hush() -> None:
    """Let diffusers and transformers say errors only, and draw no bars of their own."""
    from diffusers.utils import logging as diffusers_logging
    from transformers.utils import logging as transformers_logging

    for library in (diffusers_logging, transformers_logging):
        library.set_verbosity_error()
        library.disable_progress_bar()
