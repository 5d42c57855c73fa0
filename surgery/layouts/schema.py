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
from surgery.layouts.values import check, mapping, whole, words


@dataclass(frozen=True, slots=True)
class SitePattern:
    """Where a kind of site is stored: patterns, any of which may exist, and its share (k of n)."""

    kind: str
    patterns: tuple[str, ...]
    share: tuple[int, int] | None = None
    optional: bool = False

    @property
    def blocks(self) -> str:
        """The name of the blocks that `@` stands for in it."""
        lead = self.patterns[0].partition(".")[0]
        return lead[1:] if lead.startswith("@") else ""


@dataclass(frozen=True, slots=True)
class Blocks:
    """Blocks that a network runs one after another.

    Args:
        order: block patterns in forward order.
        count: configuration key, or named counter, that states how many there are.
    """

    order: tuple[str, ...] = ()
    count: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """One network's names.

    Args:
        prefixes: levels that may stand before every name, such as `text_model.`.
        anchors: names that must exist for the part to be there at all.
        blocks: name -> blocks; `@name` at the beginning of a site pattern stands for each of them,
            `@` for those without a name.
        sites: kinds and their patterns.
        facts: name -> (pattern or kind, axis or "rank"): numbers read from shapes.
        square: kinds whose matrices have as many columns as rows.
        watch: words; a matrix whose name holds one must belong to a site.
        headed: kinds whose rows are shared out among heads.
    """

    name: str
    about: str
    prefixes: tuple[str, ...]
    anchors: tuple[str, ...]
    blocks: Mapping[str, Blocks]
    sites: tuple[SitePattern, ...]
    facts: Mapping[str, tuple[str, int | str]]
    square: tuple[str, ...]
    watch: tuple[str, ...]
    headed: tuple[str, ...] = ()

    @property
    def order(self) -> tuple[str, ...]:
        """The layers' block patterns in forward order."""
        return self.blocks[""].order


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
        heads: rows of a weight -> heads, in models as published.
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
    heads: Mapping[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Located:
    """The cross-attention layers that were found to control a kind of concept.

    Args:
        layers: how many such layers a model has for which that holds.
        windows: style, object or fact -> first and last+1 layer, as `8:10`; empty where an edit of
            the layers found is known to fail.
        probing: how many layers a probe of such a model takes at once, and from how many to how
            many it goes on.
    """

    layers: int
    windows: Mapping[str, str]
    probing: tuple[int, int] | None = None


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
    check(name, data, known, {"family", "naming", "about", "roles"})
    roles = mapping(name, data["roles"])
    ema = words(name, data.get("ema", ()))
    return Spec(
        name=name,
        family=str(data["family"]),
        naming=str(data["naming"]),
        about=str(data["about"]),
        roles=tuple(_role(f"{name}.{role}", role, roles[role]) for role in roles),
        lacks=words(name, data.get("lacks", ())),
        where=words(name, data.get("where", ())),
        ema=(ema[0], ema[1]) if len(ema) == 2 else None,
        located=_located(f"{name}.located", data["located"]) if "located" in data else None,
    )


def read_part(name: str, data: Mapping[str, object]) -> Part:
    """Return a part from its YAML.

    Raises:
        LayoutError: an unknown or missing key, or a value of the wrong form.
    """
    lists = ("anchors", "order", "square", "watch", "headed")
    known = {"about", "prefixes", "sites", "facts", "count", "blocks", *lists}
    check(name, data, known, {"about", "anchors", "sites"})
    sites = mapping(name, data["sites"])
    facts = mapping(name, data.get("facts", {}))
    layers = {key: data[key] for key in ("order", "count") if key in data}
    blocks = {"": layers, **mapping(name, data.get("blocks", {}))}
    part = Part(
        name=name,
        about=str(data["about"]),
        prefixes=words(name, data.get("prefixes", [""])),
        sites=tuple(_site(name, kind, sites[kind]) for kind in sites),
        facts={fact: _fact(f"{name}.{fact}", facts[fact]) for fact in facts},
        blocks={run: _blocks(f"{name}.{run}", blocks[run]) for run in blocks},
        anchors=words(name, data["anchors"]),
        square=words(name, data.get("square", ())),
        watch=words(name, data.get("watch", ())),
        headed=words(name, data.get("headed", ())),
    )
    for site in part.sites:
        if site.blocks not in part.blocks:
            raise LayoutError(f"there are no blocks {site.blocks!r}", where=f"{name}.{site.kind}")
    return part


def _role(where: str, role: str, value: object) -> Role:
    data = mapping(where, value)
    known = {"part", "prefixes", "optional", "has", "lacks", "text", "unused", "beside", "heads"}
    check(where, data, known, {"part", "prefixes"})
    heads = mapping(where, data.get("heads", {}))
    unused = mapping(where, data.get("unused", {}))
    beside = mapping(where, data.get("beside", {}))
    return Role(
        role=role,
        part=load_part(str(data["part"])),
        prefixes=words(where, data["prefixes"]),
        optional=bool(data.get("optional", False)),
        has=words(where, data.get("has", ())),
        lacks=words(where, data.get("lacks", ())),
        text=_text(f"{where}.text", data["text"]) if "text" in data else None,
        unused={int(stored): whole(where, unused[stored]) for stored in unused},
        beside=tuple(_site(where, kind, beside[kind]) for kind in beside),
        heads={int(width): whole(where, heads[width]) for width in heads},
    )


def _blocks(where: str, value: object) -> Blocks:
    data = mapping(where, value)
    check(where, data, {"order", "count"}, set())
    return Blocks(words(where, data.get("order", ())), str(data.get("count", "")))


def _located(where: str, value: object) -> Located:
    data = mapping(where, value)
    kinds, numbers = {"style", "object", "fact"}, ("layers", "size", "stride")
    needed = kinds if kinds & set(data) else set()
    check(where, data, {*numbers, *kinds}, {*numbers, *needed})
    layers, size, stride = (whole(where, data[key]) for key in numbers)
    return Located(layers, {kind: str(data[kind]) for kind in sorted(needed)}, (size, stride))


def _text(where: str, value: object) -> TextRole:
    data = mapping(where, value)
    needed = {"activation", "pad", "tokenizer"}
    check(where, data, {*needed, "max_length", "reads", "norm_eps"}, needed)
    pad = data["pad"]
    return TextRole(
        activation=str(data["activation"]),
        pad=None if pad == "eos" else whole(where, pad),
        tokenizer=str(data["tokenizer"]),
        max_length=whole(where, data.get("max_length", 0)),
        reads=str(data.get("reads", "last")),
        norm_eps=float(str(data.get("norm_eps", 1e-5))),
    )


def _site(part: str, kind: str, value: object) -> SitePattern:
    if isinstance(value, str):
        return SitePattern(kind, (value,))
    where = f"{part}.{kind}"
    data = mapping(where, value)
    check(where, data, {"tensor", "share", "optional"}, {"tensor"})
    share = str(data["share"]).split("/") if "share" in data else []
    return SitePattern(
        kind,
        words(where, data["tensor"]),
        (int(share[0]) - 1, int(share[1])) if share else None,
        bool(data.get("optional", False)),
    )


def _fact(where: str, value: object) -> tuple[str, int | str]:
    said = str(value).split()
    if len(said) != 2 or not (said[1].isdigit() or said[1] == "rank"):
        raise LayoutError(f"a fact is 'PATTERN AXIS' or 'PATTERN rank', got {value!r}", where=where)
    return said[0], int(said[1]) if said[1].isdigit() else said[1]


def _yaml(path: Path) -> Mapping[str, object]:
    return mapping(path.name, read_yaml(path))
