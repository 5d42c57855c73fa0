"""The YAML of layouts and parts, read once and checked to the last key.

A part is one network's names without a prefix (a UNet, a text tower); a layout says which parts a
checkpoint has, where, and what tells it from its relatives. Nothing here looks at a checkpoint.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from surgery.errors import LayoutError
from surgery.layouts.compiled import HERE, read_yaml


@dataclass(frozen=True, slots=True)
class SitePattern:
    """Where a kind of site is stored: patterns, any of which may exist, and its share (k of n)."""

    kind: str
    patterns: tuple[str, ...]
    share: tuple[int, int] | None = None
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """One network's names.

    Args:
        prefixes: levels that may stand before every name, such as `text_model.`.
        anchors: names that must exist for the part to be there at all.
        order: block patterns in forward order; `@` in a site pattern stands for each of them.
        sites: kinds and their patterns.
        facts: name -> (pattern or kind, axis or "rank"): numbers read from shapes.
        square: kinds whose matrices have as many columns as rows.
        watch: words; a matrix whose name holds one must belong to a site.
        count: configuration key, or named counter, that states how many layers there are.
    """

    name: str
    about: str
    prefixes: tuple[str, ...]
    anchors: tuple[str, ...]
    order: tuple[str, ...]
    sites: tuple[SitePattern, ...]
    facts: Mapping[str, tuple[str, int | str]]
    square: tuple[str, ...]
    watch: tuple[str, ...]
    count: str


@dataclass(frozen=True, slots=True)
class TextRole:
    """What a text tower's names and shapes do not say: see `TextShape`."""

    activation: str
    pad: int | None
    tokenizer: str
    max_length: int = 0
    reads: str = "last"
    norm_eps: float = 1e-5


@dataclass(frozen=True, slots=True)
class Role:
    """A part's place in a checkpoint, and what must or must not be beside it.

    Args:
        beside: kinds that may stand next to the part, with names that lack the part's own level.
    """

    role: str
    part: Part
    prefixes: tuple[str, ...]
    optional: bool = False
    has: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    text: TextRole | None = None
    unused: Mapping[int, int] | None = None
    beside: tuple[SitePattern, ...] = ()


@dataclass(frozen=True, slots=True)
class Located:
    """The cross-attention layers that were found to control a kind of concept.

    Args:
        layers: how many such layers a model has for which that holds.
        windows: style, object or fact -> first and last+1 layer, as `8:10`.
    """

    layers: int
    windows: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Spec:
    """One layout file."""

    name: str
    family: str
    naming: str
    about: str
    roles: tuple[Role, ...]
    lacks: tuple[str, ...] = ()
    where: tuple[str, ...] = ()
    ema: tuple[str, str] | None = None
    located: Located | None = None


@cache
def load_specs() -> tuple[Spec, ...]:
    """Return every layout in this folder, by file name."""
    files = sorted(HERE.glob("*.yaml"), key=lambda path: path.stem)
    return tuple(read_spec(path.stem, _yaml(path)) for path in files)


@cache
def load_part(name: str) -> Part:
    """Return the part of that name."""
    path = HERE / "parts" / f"{name}.yaml"
    if not path.is_file():
        raise LayoutError(f"there is no part {name!r}", where=str(path.parent))
    return read_part(name, _yaml(path))


def read_spec(name: str, data: Mapping[str, object]) -> Spec:
    """Return a layout from its YAML.

    Raises:
        LayoutError: an unknown or missing key, or a value of the wrong form.
    """
    known = {"family", "naming", "about", "roles", "lacks", "where", "ema", "located"}
    _check(name, data, known, {"family", "naming", "about", "roles"})
    roles = _mapping(name, data["roles"])
    ema = _words(name, data.get("ema", ()))
    return Spec(
        name=name,
        family=str(data["family"]),
        naming=str(data["naming"]),
        about=str(data["about"]),
        roles=tuple(_role(f"{name}.{role}", role, roles[role]) for role in roles),
        lacks=_words(name, data.get("lacks", ())),
        where=_words(name, data.get("where", ())),
        ema=(ema[0], ema[1]) if len(ema) == 2 else None,
        located=_located(f"{name}.located", data["located"]) if "located" in data else None,
    )


def read_part(name: str, data: Mapping[str, object]) -> Part:
    """Return a part from its YAML.

    Raises:
        LayoutError: an unknown or missing key, or a value of the wrong form.
    """
    lists = ("anchors", "order", "square", "watch")
    known = {"about", "prefixes", "sites", "facts", "count", *lists}
    _check(name, data, known, {"about", "anchors", "sites"})
    sites = _mapping(name, data["sites"])
    facts = _mapping(name, data.get("facts", {}))
    return Part(
        name=name,
        about=str(data["about"]),
        prefixes=_words(name, data.get("prefixes", [""])),
        sites=tuple(_site(name, kind, sites[kind]) for kind in sites),
        facts={fact: _fact(f"{name}.{fact}", facts[fact]) for fact in facts},
        count=str(data.get("count", "")),
        anchors=_words(name, data["anchors"]),
        order=_words(name, data.get("order", ())),
        square=_words(name, data.get("square", ())),
        watch=_words(name, data.get("watch", ())),
    )


def _role(where: str, role: str, value: object) -> Role:
    data = _mapping(where, value)
    known = {"part", "prefixes", "optional", "has", "lacks", "text", "unused", "beside"}
    _check(where, data, known, {"part", "prefixes"})
    unused = _mapping(where, data.get("unused", {}))
    beside = _mapping(where, data.get("beside", {}))
    return Role(
        role=role,
        part=load_part(str(data["part"])),
        prefixes=_words(where, data["prefixes"]),
        optional=bool(data.get("optional", False)),
        has=_words(where, data.get("has", ())),
        lacks=_words(where, data.get("lacks", ())),
        text=_text(f"{where}.text", data["text"]) if "text" in data else None,
        unused={int(stored): _whole(where, unused[stored]) for stored in unused},
        beside=tuple(_site(where, kind, beside[kind]) for kind in beside),
    )


def _located(where: str, value: object) -> Located:
    data = _mapping(where, value)
    kinds = {"style", "object", "fact"}
    _check(where, data, {"layers", *kinds}, {"layers", *kinds})
    return Located(_whole(where, data["layers"]), {kind: str(data[kind]) for kind in sorted(kinds)})


def _text(where: str, value: object) -> TextRole:
    data = _mapping(where, value)
    needed = {"activation", "pad", "tokenizer"}
    _check(where, data, {*needed, "max_length", "reads", "norm_eps"}, needed)
    pad = data["pad"]
    return TextRole(
        activation=str(data["activation"]),
        pad=None if pad == "eos" else _whole(where, pad),
        tokenizer=str(data["tokenizer"]),
        max_length=_whole(where, data.get("max_length", 0)),
        reads=str(data.get("reads", "last")),
        norm_eps=float(str(data.get("norm_eps", 1e-5))),
    )


def _site(part: str, kind: str, value: object) -> SitePattern:
    if isinstance(value, str):
        return SitePattern(kind, (value,))
    where = f"{part}.{kind}"
    data = _mapping(where, value)
    _check(where, data, {"tensor", "share", "optional"}, {"tensor"})
    share = str(data["share"]).split("/") if "share" in data else []
    return SitePattern(
        kind,
        _words(where, data["tensor"]),
        (int(share[0]) - 1, int(share[1])) if share else None,
        bool(data.get("optional", False)),
    )


def _fact(where: str, value: object) -> tuple[str, int | str]:
    words = str(value).split()
    if len(words) != 2 or not (words[1].isdigit() or words[1] == "rank"):
        raise LayoutError(f"a fact is 'PATTERN AXIS' or 'PATTERN rank', got {value!r}", where=where)
    return words[0], int(words[1]) if words[1].isdigit() else words[1]


def _yaml(path: Path) -> Mapping[str, object]:
    return _mapping(path.name, read_yaml(path))


def _check(where: str, data: Mapping[str, object], known: set[str], needed: set[str]) -> None:
    for key in sorted(set(data) - known):
        raise LayoutError(f"unknown key {key!r}", where=where, hint=f"keys: {sorted(known)}")
    for key in sorted(needed - set(data)):
        raise LayoutError(f"key {key!r} is missing", where=where)


def _mapping(where: str, value: object) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise LayoutError(f"expected keys and values, got {value!r}", where=where)
    return {str(key): item for key, item in value.items()}


def _words(where: str, value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
        raise LayoutError(f"expected a list of texts, got {value!r}", where=where)
    return tuple(value)


def _whole(where: str, value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise LayoutError(f"expected a whole number, got {value!r}", where=where)
    return value
