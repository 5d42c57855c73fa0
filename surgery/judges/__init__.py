"""Judges: they say how much of a concept a run of a model shows.

Chosen by `choose_judge`; each is a file of its own. Nothing is generated here.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from surgery.errors import UsageError
from surgery.judges.base import Judge, Mark, Seen, Sees
from surgery.judges.readable import is_atelier, must_be_atelier
from surgery.store.checkpoint import Checkpoint
from surgery.store.text import nearest, quoted

if TYPE_CHECKING:
    from surgery.judges.given import Scorer
    from surgery.questions import Question

JUDGES = ("auto", "clip", "noise", "atelier")
"""What `--judge` takes."""

__all__ = ["JUDGES", "Judge", "Mark", "Seen", "Sees", "choose_judge"]


def choose_judge(
    name: str | Scorer | Judge | None,
    checkpoint: Checkpoint,
    *,
    clip: str | Path | None = None,
    questions: Sequence[Question] = (),
    device: str = "cpu",
) -> Judge:
    """The judge of a name, ready to use.

    Args:
        name: one of JUDGES, a function that scores pictures (see `surgery.judges.given`), or a
            judge. `auto` and None take what was named by `clip`, else the built-in judge for
            `atelier`, else the model's own noise.
        checkpoint: the model whose runs will be judged.
        clip: the address of a CLIP or SigLIP model; `atelier` has its own.
        questions: what will be asked; what a judge cannot answer is refused before anything runs.
        device: where to compute.

    Raises:
        UsageError: no judge of that name, none for this model, or no answer to a question.
        CheckpointError: `clip` is no CLIP model.
        HubError: the Hub does not give it.
    """
    chosen = _chosen(name, checkpoint, clip) if name is None or isinstance(name, str) else name
    if clip is not None and chosen != "clip":
        raise UsageError("--clip names a model for --judge clip, and another judge was asked for")
    if isinstance(chosen, Judge):
        return chosen
    if callable(chosen):
        from surgery.judges.given import given_judge

        return given_judge(chosen)
    if chosen == "clip":
        return _clip(_clip_address(checkpoint, clip), questions, device)
    if chosen == "atelier":
        return _atelier(checkpoint, questions, device)
    from surgery.judges.noise import NoiseJudge

    return NoiseJudge()


def _chosen(name: str | None, checkpoint: Checkpoint, clip: str | Path | None) -> str:
    if name is None or name == "auto":
        return "clip" if clip is not None else "atelier" if is_atelier(checkpoint) else "noise"
    if name not in JUDGES:
        guess = nearest(name, JUDGES)
        hint = f"did you mean {guess!r}?" if guess else "there are " + ", ".join(JUDGES)
        raise UsageError(f"there is no judge {quoted(name)}", hint=hint)
    return name


def _clip_address(checkpoint: Checkpoint, clip: str | Path | None) -> str | Path:
    if clip is not None:
        return clip
    if is_atelier(checkpoint):
        return "atelier"
    raise UsageError(
        "there is no CLIP model at hand to judge with",
        where="--judge clip",
        hint="name one by --clip, a folder or openai/clip-vit-large-patch14; --judge noise needs "
        "none",
    )


def _clip(address: str | Path, questions: Sequence[Question], device: str) -> Judge:
    from surgery.judges.clip import ClipJudge
    from surgery.judges.towers import load_towers

    judge = ClipJudge(load_towers(address, device))
    for question in questions:
        judge.check(question)
    return judge


def _atelier(checkpoint: Checkpoint, questions: Sequence[Question], device: str) -> Judge:
    must_be_atelier(checkpoint)
    from surgery.judges.atelier import atelier_judge

    judge = atelier_judge(device)
    for question in questions:
        judge.check(question)
    return judge
