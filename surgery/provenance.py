"""The record of an edit, made from what was solved and written. Reads tensors, writes nothing.

The same recipe on the same base gives the same record: where a model of this machine lies is
circumstance and is not told, only what it is called; which commit it was on the Hub is.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from importlib.metadata import version as version_of
from pathlib import Path

import numpy as np

from surgery.edits.scored import ScoredEdit
from surgery.edits.scores import Scores
from surgery.errors import CheckpointError, UsageError
from surgery.figures import OWN, SolvedEdit
from surgery.plan import Plan
from surgery.report import (
    Drift,
    EditedTensor,
    Gate,
    Leak,
    Record,
    RecordedBase,
    RecordedTensor,
    Spread,
)
from surgery.rounding import Result
from surgery.store.checkpoint import Checkpoint
from surgery.store.hub_address import parse
from surgery.store.hub_cache import COMMIT
from surgery.store.text import quoted, visible
from surgery.version import __version__

_CPU = "cpu"
_MOST_LEAKS = 200

Digests = Mapping[str, tuple[str, str]]


@dataclass(frozen=True, slots=True, eq=False)
class Provenance:
    """What is known of an edit before anything is written; the digests of its tensors come later.

    Args:
        base: what was edited.
        solved: what the edits were solved on.
        digests: tensor name -> digest before and after, filled by `noted`.
    """

    base: RecordedBase
    result: Result
    solved: Sequence[SolvedEdit]
    gates: tuple[Gate, ...]
    digests: dict[str, tuple[str, str]] = field(default_factory=dict)

    def noted(self, name: str, checkpoint: Checkpoint) -> bytes:
        """The new bytes of a tensor; the digests of the old and the new ones are kept."""
        made = self.result.values[name]
        before = sha256(checkpoint[name].read()).hexdigest()
        self.digests[name] = (before, sha256(made).hexdigest())
        return made

    def text(self, past: str | None, digests: Digests | None = None) -> str:
        """The record as it lies beside an output.

        Args:
            past: the text of the record that the base has.
            digests: of every changed tensor; left out, those that were noted.
        """
        known = self.digests if digests is None else digests
        record = Record(
            recipe=json.loads(self.result.patch.recipe),
            base=self.base,
            tensors=tuple(_recorded(each, known[each.name]) for each in self.result.tensors),
            leaks=_few(self.result.leaks),
            drifts=tuple(map(_drift, self.result.drifts)),
            gates=self.gates,
            versions=versions(self.solved),
            device=device_of(self.solved),
        )
        return record.after(Record.parsed(past)).text()


def versions(solved: Sequence[SolvedEdit]) -> dict[str, str]:
    """Of what computes an edit here: surgery, Python, the libraries, and the kind of processor."""
    libraries = ("torch", "diffusers", "transformers") if any(map(_scores_of, solved)) else ()
    return {
        "surgery": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        **{name: version_of(name) for name in libraries},
        "platform": f"{platform.system()} {platform.machine()}",
    }


def device_of(solved: Sequence[SolvedEdit]) -> str:
    """What an edit was computed on: numpy's processor, unless the model itself was run for it."""
    found = (str(scores.facts.get("device", _CPU)) for scores in map(_scores_of, solved) if scores)
    return next((device for device in found if device != _CPU), _CPU)


def _scores_of(one: SolvedEdit) -> Scores | None:
    """Scores that were computed for an edit, and not read from a file."""
    given = isinstance(one.edit, ScoredEdit) and one.edit.scores is not None
    return None if given else one.context.scores


def recorded_base(checkpoint: Checkpoint, plan: Plan) -> RecordedBase:
    """What a record says of the model that is edited."""
    return RecordedBase(
        address=lasting_address(checkpoint.address),
        fingerprint=checkpoint.fingerprint,
        container=checkpoint.kind,
        layout=plan.layout,
    )


def lasting_address(address: str) -> str:
    """An address that means the same model elsewhere, or the bare name of a model of this machine.

    A path would tell strangers about this machine and would not help them.
    """
    if address == "atelier" or is_pinned(address):
        return address
    return Path(address).resolve().name


def is_pinned(address: str) -> bool:
    """Whether an address is a commit on the Hub."""
    place = parse(address)
    return place is not None and COMMIT.fullmatch(place.revision) is not None


def recorded(out: Checkpoint) -> Record:
    """The record of a model's last edit.

    Raises:
        CheckpointError: there is none, or it cannot be read.
    """
    text, where = out.record(), visible(out.address)
    if text is None:
        hint = "records come with the outputs of `surgery apply`; edits in place have none"
        raise CheckpointError("no record of an edit comes with it", where=where, hint=hint)
    try:
        return Record.from_json(text)
    except (UsageError, RecursionError) as error:
        problem = f"its record cannot be read: {visible(str(error))}"
        raise CheckpointError(problem, where=where) from error


def check_weights(record: Record, model: Checkpoint) -> None:
    """Raise CheckpointError unless a record is of the weights beside it."""
    for each in record.tensors:
        ref = model.get(each.name)
        if ref is None or sha256(ref.read()).hexdigest() != each.after:
            raise CheckpointError(
                f"the record is of other weights: {quoted(each.name)} was changed afterwards",
                where=visible(model.address),
                hint="make the model again with `surgery apply`",
            )


def _recorded(tensor: EditedTensor, digests: tuple[str, str]) -> RecordedTensor:
    return RecordedTensor(
        name=tensor.name,
        dtype=tensor.dtype,
        shape=tensor.shape,
        before=digests[0],
        after=digests[1],
        rank=tensor.rank,
        relative_norm=_short(tensor.relative_norm),
        changed=_short(tensor.changed),
        lost=_short(tensor.lost),
    )


def _few(leaks: tuple[Leak, ...]) -> tuple[Leak, ...]:
    """All of them; of hundreds of concepts those of their own prompts, or a record takes MB."""
    told = [leak for leak in leaks if len(leaks) <= _MOST_LEAKS or leak.wording in OWN]
    return tuple(replace(leak, figure=_spread(leak.figure)) for leak in told)


def _drift(drift: Drift) -> Drift:
    return replace(drift, figure=_spread(drift.figure), most=())


def _spread(figure: Spread) -> Spread:
    """What a reader needs of four figures; the last digits depend on the processor."""
    least, middle, high, most = map(_short, (figure.min, figure.median, figure.p95, figure.max))
    return Spread(least, middle, high, most, figure.count)


def _short(figure: float) -> float:
    return float(f"{figure:.6g}")
