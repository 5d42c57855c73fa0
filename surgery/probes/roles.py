"""Roles: what a token does in a prompt, so that prompts of different words can be set side by side.

Source: Meng et al. 2022, Locating and Editing Factual Associations in GPT, arXiv 2202.05262,
section 2.2, with the begin, end and padding tokens of CLIP added.
"""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

Role: TypeAlias = Literal["begin", "before", "first", "middle", "last", "after", "end", "pads"]
ROLES: tuple[Role, ...] = get_args(Role)


def places(role: Role, span: tuple[int, int], end: int, length: int, begins: int = 1) -> range:
    """The places of a role in a prompt; empty where the prompt has none.

    Args:
        span: first and last place of the subject; a subject of one token is all `last`.
        end: place of the end token, which every prompt has.
        length: places in the padded prompt.
        begins: begin tokens there are: one in CLIP, none in T5.
    """
    first, last = span
    return {
        "begin": range(min(first, begins)),
        "before": range(begins, first),
        "first": range(first, min(first + 1, last)),
        "middle": range(first + 1, last),
        "last": range(last, last + 1),
        "after": range(last + 1, end),
        "end": range(end, end + 1),
        "pads": range(end + 1, length),
    }[role]
