"""Runs whose text a tower made with one layer's output, at some tokens, from the clean prompt."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor

from surgery.hooks import Hook
from surgery.model import Conditioning, Model
from surgery.probes.base import Clean, RestoreText
from surgery.probes.roles import Role, places
from surgery.runs.base import Case, Row, Sampling
from surgery.runs.companions import Batch, with_companions
from surgery.runs.corruption import noise_hooks


def text_restored(
    model: Model, rows: Sequence[Row], sampling: Sampling, on_step: Callable[[int], None]
) -> Tensor:
    """Each row samples its corrupted prompt, some of whose text states were restored.

    Returns:
        Latents (n, channels, height, width).
    """
    return model.denoise(
        restored_text(model, rows, sampling),
        [row.case.seed for row in rows],
        steps=sampling.steps,
        guidance=sampling.guidance,
        on_step=lambda *_: on_step(len(rows)),
    )


def restored_text(model: Model, rows: Sequence[Row], sampling: Sampling) -> Conditioning:
    """What the denoiser reads in each row."""
    batch = with_companions(rows, _is_restored)
    hooks = noise_hooks(model, batch.corrupted(_is_clean), sampling)
    prompts = [case.pair.source for case in batch.cases]
    states = model.encode(prompts, hooks=[*hooks, *_hooks(model, batch)])
    return states.rows(list(range(len(rows))))


def has_places(model: Model, row: Row) -> bool:
    """Whether the row's prompt has tokens of the role that would be restored."""
    what = row.arm.intervention
    return (
        not isinstance(what, RestoreText) or not what.kind or bool(_places(model, row.case, what))
    )


def _is_clean(row: Row) -> bool:
    return isinstance(row.arm.intervention, Clean)


def _is_restored(row: Row) -> bool:
    return isinstance(row.arm.intervention, RestoreText) and bool(row.arm.intervention.kind)


def _places(model: Model, case: Case, what: RestoreText) -> range:
    tokens = model.tokens(what.kind.partition(".")[0])
    span = tokens.subject_span(case.pair.source, case.pair.subject)
    end = tokens.eos_position(case.pair.source)
    role: Role = what.role  # type: ignore[assignment]
    return places(role, span, end, tokens.max_length, begins=len(tokens.encode("")) - 1)


def _hooks(model: Model, batch: Batch) -> list[Hook]:
    by_layer: dict[tuple[str, int], list[tuple[int, range]]] = {}
    for number, row in enumerate(batch.rows):
        what = row.arm.intervention
        if isinstance(what, RestoreText) and what.kind:
            spot = (number, _places(model, row.case, what))
            by_layer.setdefault((what.kind, what.layer), []).append(spot)
    return [
        Hook(model.modules(kind)[layer], "output", _copying(spots, batch))
        for (kind, layer), spots in by_layer.items()
    ]


def _copying(spots: Sequence[tuple[int, range]], batch: Batch) -> Callable[[Tensor], Tensor]:
    def copy(output: Tensor) -> Tensor:
        changed = output.clone()
        for number, some in spots:
            changed[number, list(some)] = output[batch.companion[number], list(some)]
        return changed

    return copy
