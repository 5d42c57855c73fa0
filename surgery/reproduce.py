"""reproduce: an edit is made again from the record beside its output, and held against it.

Nothing is written: what the edit would write is made in memory, one tensor at a time. Returns a
`ReproduceReport`; prints nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np

from surgery.errors import CheckpointError, SurgeryError, UsageError
from surgery.figures import SolvedEdit
from surgery.numerics.tensors import WORD_BYTES
from surgery.plan import layout_for
from surgery.provenance import is_pinned, recorded, versions
from surgery.recipe import load_recipe
from surgery.report import Record
from surgery.report.remade import Level, RemadeTensor, ReproduceReport, VersionChange
from surgery.rounding import round_once
from surgery.scaled import meaning
from surgery.solve import solve
from surgery.store.checkpoint import Checkpoint, open_checkpoint
from surgery.store.compare import same_bytes
from surgery.store.text import quoted, visible

ROUNDING, SMALL = 1e-6, 0.01
"""How far, beside the weights, rounding may take an entry; what is small beside the change."""


@dataclass(frozen=True, slots=True)
class How:
    """How an edit is made again.

    Args:
        base: the model to begin with; None takes the recorded one.
        tokenizer: a folder with the tokenizer to use; left out, it is searched for.
        allow_pickle: whether a base that is a pickle is converted.
        bring: makes of a model on the Hub one on this machine.
        on_bytes: called with the number of bytes just compared.
    """

    base: str | None = None
    tokenizer: Path | None = None
    allow_pickle: bool = False
    bring: Callable[[Checkpoint], Checkpoint] = Checkpoint.here
    on_bytes: Callable[[int], None] = lambda count: None


def reproduce(out: Checkpoint, how: How = How()) -> ReproduceReport:
    """Make an edit again, and compare every tensor with what is there.

    Args:
        out: an edited model with its record.

    Raises:
        CheckpointError: no record, or the base is not the model that was edited.
        UsageError: the base was a model of another machine, and none is named.
        SurgeryError: as solving raises.
    """
    record = recorded(out)
    base = how.bring(_base(record, out, how))
    check_base(record, base)
    out = how.bring(out)
    made, solved = _made_again(record, base, how.tokenizer)
    known = {each.name: each.after for each in record.tensors}
    tensors = tuple(
        _compared(name, (base, out), made.get(name), known.get(name))
        for name in dict.fromkeys((*known, *made))
    )
    touched = {each.name for each in tensors}
    astray = tuple(_astray(base, out, touched, how.on_bytes))
    kept = sum(name not in touched for name in base) - sum(name in base for name in astray)
    changes = tuple(_changed(record.versions, versions(solved)))
    return ReproduceReport(out.address, base.address, record.name, tensors, kept, astray, changes)


def check_base(record: Record, base: Checkpoint) -> None:
    """Raise CheckpointError unless a model holds what was edited."""
    for each in record.tensors:
        ref = base.get(each.name)
        if ref is None or sha256(ref.read()).hexdigest() != each.before:
            problem = "is not there" if ref is None else "has other bytes than were edited"
            raise CheckpointError(
                f"this is not the base: {quoted(each.name)} {problem}",
                where=visible(base.address),
                hint=f"name {quoted(record.base.address)} with --base",
            )


def _base(record: Record, out: Checkpoint, how: How) -> Checkpoint:
    address = record.base.address
    if how.base is not None:
        return open_checkpoint(how.base, allow_pickle=how.allow_pickle)
    if address == "atelier" or is_pinned(address):
        return open_checkpoint(address, allow_pickle=how.allow_pickle)
    if "/" not in address:
        for place in dict.fromkeys((Path(address), out.root.parent / address)):
            if (found := _fitting(place, record)) is not None:
                return found
    raise UsageError(
        f"the base was {quoted(address)}, a model of the machine that edited it",
        where=visible(out.address),
        hint="name it with --base",
    )


def _fitting(place: Path, record: Record) -> Checkpoint | None:
    """A model of this machine, if it is the recorded one."""
    if not place.exists():
        return None
    try:
        found = open_checkpoint(place)
    except SurgeryError:
        return None
    return found if found.fingerprint == record.base.fingerprint else None


def _made_again(
    record: Record, base: Checkpoint, tokenizer: Path | None
) -> tuple[Mapping[str, bytes], Sequence[SolvedEdit]]:
    recipe = load_recipe(json.dumps(record.recipe) + "\n")
    layout = layout_for(base) if recipe.edits else None
    patch, solved = solve(recipe, base, tokenizer, layout)
    return round_once(patch, solved, base).values, solved


def _compared(
    name: str, models: tuple[Checkpoint, Checkpoint], made: bytes | None, known: str | None
) -> RemadeTensor:
    base, out = models
    ref = out.get(name)
    if (
        made is None
        or ref is None
        or (ref.dtype, ref.shape) != (base[name].dtype, base[name].shape)
    ):
        return RemadeTensor(name, base[name].dtype, "different", 0, 1.0, 1.0, False)
    found = ref.read()
    as_recorded = sha256(found).hexdigest() == known
    if found == made:
        return RemadeTensor(name, ref.dtype, "identical", 0, 0.0, 0.0, as_recorded)
    steps = steps_between(found, made, ref.dtype)
    there, again, before = (
        meaning(base, name, raw).astype(np.float64) for raw in (found, made, base[name].read())
    )
    off = float(np.linalg.norm(there - again))
    relative = off / (float(np.linalg.norm(again)) or 1.0)
    of_change = off / (float(np.linalg.norm(again - before)) or 1.0)
    level = level_of(steps, relative, of_change)
    return RemadeTensor(name, ref.dtype, level, steps, relative, of_change, as_recorded)


def level_of(steps: int, relative: float, of_change: float) -> Level:
    """How serious a difference is; what is not a number is different."""
    if steps <= 1 or relative <= ROUNDING:
        return "rounding"
    return "small" if of_change <= SMALL else "different"


def steps_between(a: bytes, b: bytes, dtype: str) -> int:
    """The most steps of a type of float between two entries of equally long runs of it.

    Floats of one type are ordered as their bits are, signs apart.
    """
    width = WORD_BYTES[dtype]
    sign = 1 << (8 * width - 1)

    def places(raw: bytes) -> np.ndarray:
        words = np.frombuffer(raw, f"<u{width}").astype(object if width == 8 else np.int64)
        return np.where(words >= sign, sign - words, words)

    return int(np.abs(places(a) - places(b)).max(initial=0))


def _astray(
    base: Checkpoint, out: Checkpoint, touched: set[str], on_bytes: Callable[[int], None]
) -> Iterator[str]:
    """The tensors outside the edit that are not the base's."""
    for name, ref in base.items():
        if name not in touched and (name not in out or not same_bytes(ref, out[name])):
            yield name
        on_bytes(ref.nbytes)
    yield from (name for name in out if name not in base and name not in touched)


def _changed(then: Mapping[str, str], now: Mapping[str, str]) -> Iterator[VersionChange]:
    for name in dict.fromkeys((*then, *now)):
        if then.get(name) != now.get(name):
            yield VersionChange(name, then.get(name, ""), now.get(name, ""))
