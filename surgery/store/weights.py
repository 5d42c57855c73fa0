"""Which files of one folder hold its weights: a single file, or the shards of an index.

Chooses by name only and checks an index against its shards' headers; reads no tensor.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from surgery.errors import CheckpointError
from surgery.store.files import is_plain_name
from surgery.store.header import Header
from surgery.store.strict_json import load_file
from surgery.store.text import nearest, quoted, visible

_KNOWN_STEMS = frozenset({"diffusion_pytorch_model", "model", "pytorch_model"})
_SHARD = re.compile(r"-\d{5,}-of-\d{5,}")
# Both spellings of a variant index occur: X.safetensors.index.fp16.json (now) and
# X.safetensors.fp16.index.json (older diffusers).
_INDEX = re.compile(
    r"(?P<stem>[^.]+)\.safetensors(?:\.(?P<old>[^.]+))?\.index(?:\.(?P<new>[^.]+))?\.json"
)
_SINGLE = re.compile(r"(?P<stem>[^.]+)(?:\.(?P<variant>.+))?\.safetensors")
_PICKLES = (".bin", ".ckpt", ".pt", ".pth")
# Only what the libraries themselves write: beside it lie optimisers, schedulers and random states.
_OLD_STEM = r"(?P<stem>diffusion_pytorch_model|pytorch_model|model)"
_OLD_INDEX = re.compile(rf"{_OLD_STEM}\.bin(?:\.(?P<old>[^.]+))?\.index(?:\.(?P<new>[^.]+))?\.json")
_OLD_SINGLE = re.compile(rf"{_OLD_STEM}(?:\.(?P<variant>.+))?\.bin")
SAFE, PICKLE = ".safetensors", ".bin"


@dataclass(frozen=True, slots=True)
class WeightSet:
    """One way to load a folder: a single weight file, or an index that names its shards."""

    name: str
    stem: str
    variant: str
    is_index: bool

    @property
    def as_safetensors(self) -> str:
        """The name under which the libraries look for the same weights as one safetensors file."""
        stem = "model" if self.stem == "pytorch_model" else self.stem
        return f"{stem}.{self.variant}{SAFE}" if self.variant else f"{stem}{SAFE}"


def is_pickle_name(name: str) -> bool:
    """Return whether a file of this name is expected to be a pickle."""
    return name.endswith(_PICKLES)


def is_index_name(name: str) -> bool:
    """Return whether a plain file name is that of a shard index."""
    return is_plain_name(name) and _INDEX.fullmatch(name) is not None


def choose(
    names: Iterable[str], where: str, *, pickles: bool = False
) -> tuple[WeightSet | None, tuple[str, ...]]:
    """Choose the weights of a folder from its file names: the plain ones before any variant.

    Args:
        pickles: choose among pickles, not among safetensors.

    Returns:
        the chosen set, or None when the folder holds none; and the names passed over.

    Raises:
        CheckpointError: several sets have the same right.
    """
    sets = [found for name in sorted(names) if (found := _weight_set(name, pickles))]
    for group in _by_preference(sets):
        if len(group) > 1:
            listed = ", ".join(quoted(each.name) for each in group)
            hint = "keep one of them, or give the one meant as a file"
            raise CheckpointError(
                f"several weights to choose from: {listed}", where=where, hint=hint
            )
        if group:
            return group[0], tuple(each.name for each in sets if each is not group[0])
    return None, ()


def _by_preference(sets: list[WeightSet]) -> tuple[list[WeightSet], ...]:
    known = [each for each in sets if each.stem in _KNOWN_STEMS]
    return ([each for each in known if not each.variant], known, sets)


def _weight_set(name: str, pickled: bool) -> WeightSet | None:
    index, single = (_OLD_INDEX, _OLD_SINGLE) if pickled else (_INDEX, _SINGLE)
    if found := index.fullmatch(name):
        return WeightSet(name, found["stem"], found["old"] or found["new"] or "", True)
    found = single.fullmatch(name)
    if not found or _SHARD.search(name):
        return None
    return WeightSet(name, found["stem"], found["variant"] or "", False)


def read_index(path: Path, ending: str = SAFE) -> dict[str, str]:
    """Return the weight map of a shard index: tensor name -> plain shard name beside the index.

    Args:
        ending: what every shard's name must end with.

    Raises:
        CheckpointError: no weight map, or a shard name that is not plain or ends otherwise.
    """
    where = visible(str(path))
    weight_map = load_file(path).get("weight_map")
    if not isinstance(weight_map, dict) or not weight_map:
        raise CheckpointError("the index has no weight_map", where=where)
    for tensor, shard in weight_map.items():
        if not isinstance(shard, str):
            raise CheckpointError(f"no file name is given for {quoted(tensor)}", where=where)
        if not is_plain_name(shard):
            problem = f"shard {quoted(shard)} is not a plain file name"
            hint = "a shard must lie beside its index"
            raise CheckpointError(problem, where=where, hint=hint)
        if not shard.endswith(ending):
            hint = f"only {ending} shards are read here; for pickles give the folder"
            raise CheckpointError(f"shard {quoted(shard)} is no {ending}", where=where, hint=hint)
    return weight_map


def check_index(weight_map: Mapping[str, str], headers: Mapping[str, Header], where: str) -> None:
    """Raise CheckpointError unless the shards hold exactly the tensors that the index places there.

    Args:
        weight_map: tensor name -> shard name.
        headers: shard name -> its header.
        where: what errors call the index.
    """
    for shard, header in headers.items():
        held = {entry.name for entry in header.entries}
        for name in sorted(held):
            if weight_map.get(name) != shard:
                problem = f"{quoted(shard)} holds {quoted(name)}, which the index "
                problem += "places elsewhere" if name in weight_map else "does not name"
                raise CheckpointError(problem, where=where)
        lost = sorted(
            name for name, file in weight_map.items() if file == shard and name not in held
        )
        if lost:
            close = nearest(lost[0], held)
            hint = f"the nearest there is {quoted(close)}" if close else "download the shards again"
            problem = f"{quoted(shard)} does not hold {quoted(lost[0])}"
            raise CheckpointError(problem, where=where, hint=hint)
