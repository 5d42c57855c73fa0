"""The model and the judge that rows are measured with: in hand, or by address for a worker.

A worker is told where they are and loads them itself, once; no network is ever sent.
"""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal, Protocol

from surgery.errors import UsageError
from surgery.judges import Judge
from surgery.layout import Layout
from surgery.localise.wish import Circumstance
from surgery.model import Model, load_model
from surgery.store.address import on_hub
from surgery.store.checkpoint import Checkpoint, open_checkpoint

BUILT_IN = "atelier"


class Tools(Protocol):
    """What rows are measured with."""

    @property
    def model(self) -> Model: ...

    @property
    def judge(self) -> Judge: ...


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """Both in this process."""

    model: Model
    judge: Judge


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where a worker finds a model, and how it is to run it.

    Args:
        model: absolute, where it is on a disk.
        allow_pickle: as the user did.
        clip: of the judge of that name.
    """

    model: str
    allow_pickle: bool
    where: Circumstance
    clip: str = BUILT_IN


@dataclass(frozen=True, slots=True)
class JudgeAt:
    """A judge with a network, by name; for `clip` with its model's address."""

    name: Literal["atelier", "clip"]
    device: str
    clip: str = BUILT_IN


@dataclass(frozen=True, slots=True)
class Lent:
    """Both by address; loaded in the process that first asks, and kept there.

    Args:
        judging: a judge without a network comes as it is.
    """

    addresses: Addresses
    judging: JudgeAt | Judge

    @property
    def model(self) -> Model:
        """The model, in this process."""
        return _model(self.addresses)

    @property
    def judge(self) -> Judge:
        """The judge, in this process."""
        return _judge(self.judging) if isinstance(self.judging, JudgeAt) else self.judging


@lru_cache(maxsize=1)
def _model(place: Addresses) -> Model:
    where = place.where
    return load_model(
        open_checkpoint(place.model, allow_pickle=place.allow_pickle),
        config=where.config,
        tokenizer=where.tokenizer,
        device=where.device,
        dtype=where.dtype,
        resolution=where.resolution,
    )


@lru_cache(maxsize=1)
def _judge(place: JudgeAt) -> Judge:
    if place.name == "atelier":
        from surgery.judges.atelier import atelier_judge

        return atelier_judge(place.device)
    from surgery.judges.clip import ClipJudge
    from surgery.judges.towers import load_towers

    return ClipJudge(load_towers(place.clip, place.device))


def lent(addresses: Addresses, judge: Judge) -> Lent:
    """Both for a worker.

    Raises:
        UsageError: a judge that no other process can have.
    """
    from surgery.judges.atelier import AtelierJudge
    from surgery.judges.clip import ClipJudge

    device = addresses.where.device
    if isinstance(judge, AtelierJudge):
        return Lent(addresses, JudgeAt("atelier", device))
    if isinstance(judge, ClipJudge):
        return Lent(addresses, JudgeAt("clip", device, addresses.clip))
    try:
        pickle.dumps(judge)
    except (AttributeError, TypeError, pickle.PicklingError) as error:
        raise UsageError(
            f"the judge {judge.name!r} cannot be sent to a worker",
            hint="define its function by def in a module, or take --engine serial",
        ) from error
    return Lent(addresses, judge)


def addresses_of(
    checkpoint: Checkpoint, where: Circumstance, clip: str | Path | None = None
) -> Addresses:
    """Where a worker, which may stand in another folder, finds what was opened here."""
    own = Circumstance(
        where.device,
        where.dtype,
        where.resolution,
        where.config and where.config.absolute(),
        where.tokenizer and where.tokenizer.absolute(),
    )
    return Addresses(
        _absolute(checkpoint.address), bool(checkpoint.origins), own, _absolute(clip or BUILT_IN)
    )


def _absolute(address: str | Path) -> str:
    if address == BUILT_IN or on_hub(address) is not None:
        return str(address)
    return str(Path(address).absolute())


@dataclass(frozen=True, slots=True)
class Facts:
    """What there is to know of a model without having it.

    Args:
        device, dtype: where and in which numbers it computes.
        side: of its latents.
        resolution: of its pictures.
    """

    layout: Layout
    fingerprint: str
    device: str
    dtype: str
    side: int
    resolution: int


def facts_of(tools: Tools) -> Facts:
    """The facts about the model, which is loaded where this is called."""
    model = tools.model
    return Facts(
        model.layout,
        model.fingerprint,
        model.device.type,
        str(model.dtype).removeprefix("torch."),
        model.side,
        model.resolution,
    )
