"""Pictures to paint, as independent items: any order, any process, the same pictures.

What is painted together decides the last bits of a picture. So prompts are put into groups once,
set by set, and a group is always one batch, painted with the same number of threads; how many
groups make an item is circumstance.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

Pixels: TypeAlias = NDArray[np.uint8]
Arm: TypeAlias = Literal["before", "after"]
Some = TypeVar("Some")

ARMS: tuple[Arm, Arm] = ("before", "after")
GROUP = 16
"""Pictures of the built-in model that are painted at a time; larger models take fewer."""
THREADS = 1
"""Sums depend on how many threads share them."""


@dataclass(frozen=True, slots=True)
class Painting:
    """How all pictures are painted.

    Args:
        steps: of the sampler.
        scheduler: JSON of the scheduler's configuration, the same for both models; '' takes each
            model's own.
        resolution: in pixels; None for the model's own.
        device, dtype: where, and in which numbers the networks compute.
        threads: of the CPU.
        config: folder with the configuration of an unusual single file.
        tokenizer: folder with the model's tokenizer, where it comes without one.
    """

    steps: int
    scheduler: str = ""
    resolution: int | None = None
    device: str = "cpu"
    dtype: Literal["float32", "bfloat16", "float16"] = "float32"
    threads: int = THREADS
    config: str | None = None
    tokenizer: str | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """Prompts that are always painted together, each from its own seed."""

    prompts: tuple[str, ...]
    seeds: tuple[int, ...]
    guidance: float

    def __len__(self) -> int:
        """Return the number of pictures."""
        return len(self.prompts)


@dataclass(frozen=True, slots=True)
class Item:
    """Pictures to paint with one model.

    Args:
        number: its place among all items of both models.
        model: address; of a model on the Hub with its commit.
        fingerprint: of the checkpoint that the address meant when the item was made.
    """

    number: int
    arm: Arm
    model: str
    fingerprint: str
    batches: tuple[Batch, ...]
    painting: Painting

    def __len__(self) -> int:
        """Return the number of pictures."""
        return sum(map(len, self.batches))


@dataclass(frozen=True, slots=True, eq=False)
class ItemResult:
    """The pictures of an item.

    Args:
        pictures: (n, height, width, 3), in the order of the item's batches.
        evaluations: denoiser runs on one sample.
    """

    number: int
    arm: Arm
    pictures: Pixels
    evaluations: int


def batches(
    asks: Iterable[tuple[str, int, float]], group: int = GROUP
) -> tuple[tuple[int, ...], ...]:
    """Which of one set's pictures are painted together: their places, by groups.

    Args:
        asks: prompt, seed and guidance of each.
        group: the most that are painted together.
    """
    by_guidance: dict[float, list[int]] = {}
    for place, (_, _, guidance) in enumerate(asks):
        by_guidance.setdefault(guidance, []).append(place)
    return tuple(
        tuple(places[first : first + group])
        for places in by_guidance.values()
        for first in range(0, len(places), group)
    )


def items(
    models: Sequence[tuple[str, str]],
    made: Sequence[Batch],
    painting: Painting,
    batch: int = GROUP,
) -> tuple[Item, ...]:
    """Both models' items, those of the same pictures side by side.

    Args:
        models: address and fingerprint of the model before and after.
        made: the batches, in order.
        batch: pictures in an item, rounded to whole batches; it changes no picture.
    """
    found: list[Item] = []
    for some in chunks(made, list(map(len, made)), batch):
        for arm, (address, fingerprint) in zip(ARMS, models, strict=True):
            found.append(Item(len(found), arm, address, fingerprint, some, painting))
    return tuple(found)


def chunks(made: Sequence[Some], sizes: Sequence[int], most: int) -> tuple[tuple[Some, ...], ...]:
    """Neighbours put together up to a size; what is larger by itself stays alone.

    Args:
        sizes: of each.
        most: in one chunk.
    """
    found: list[list[Some]] = []
    filled = most
    for one, size in zip(made, sizes, strict=True):
        if filled + size > most:
            found.append([])
            filled = 0
        found[-1].append(one)
        filled += size
    return tuple(map(tuple, found))


def run_item(item: Item) -> ItemResult:
    """Paint an item; a function of the item alone. Models are kept for the next one.

    Raises:
        CheckpointError: the model is not the one that the item was made for.
        UsageError: its numbers overflow.
    """
    from surgery.verify.painting import paint

    return paint(item)
