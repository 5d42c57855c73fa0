"""Sites and the short language that names them: `cross_attn.{k,v}[8:10], text.self_attn.out[0]`.

What a site is and how text picks sites live here. Which sites there are, `layout` says.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from surgery.errors import LayoutError

LONGEST = 500
TERM = re.compile(r"(?P<kind>[A-Za-z0-9_.{},*]+)\s*(?:\[(?P<index>[-0-9:,*\s]*)\])?")


@dataclass(frozen=True, slots=True)
class Site:
    """One place that can be edited: a kind, its depth in execution order, and where it is stored.

    Args:
        kind: for example `cross_attn.v` or `text.self_attn.out.bias`; the same in every naming.
        index: 0-based depth in the order of the forward pass.
        tensor: full name in the checkpoint.
        rows: first and last+1 row of `tensor` when several sites share one fused tensor.
        heads: how many heads its rows are shared out among, where it has some and that is known.
    """

    kind: str
    index: int
    tensor: str
    rows: tuple[int, int] | None = None
    heads: int | None = None

    def __str__(self) -> str:
        return f"{self.kind}[{self.index}]"


def select(selector: str, sites: Sequence[Site]) -> tuple[Site, ...]:
    """Return the sites that a selector names, in the order of `sites`, each once.

    Args:
        selector: terms joined by commas; a term is a kind, where `{a,b}` and `*` (within one
            dotted word) choose several, then optionally `[7]`, `[8:10]`, `[-1]`, `[1,4:6]`.
        sites: every site there is, grouped by kind, in execution order.
    Raises:
        LayoutError: a term that cannot be read, names no kind, or an index that is not there.
    """
    counts: dict[str, int] = {}
    for site in sites:
        counts[site.kind] = counts.get(site.kind, 0) + 1
    chosen: set[tuple[str, int]] = set()
    for term in _terms(selector):
        chosen |= _expand(term, counts)
    return tuple(site for site in sites if (site.kind, site.index) in chosen)


def _terms(selector: str) -> list[str]:
    if len(selector) > LONGEST:
        raise LayoutError(f"a selector of {len(selector)} characters", hint=f"keep it to {LONGEST}")
    terms = [part.strip() for part in re.split(r",(?![^{\[]*[}\]])", selector)]
    if not all(terms):
        raise LayoutError(
            f"selector {selector!r} has an empty term", hint="write for example cross_attn.v[7]"
        )
    return terms


def _expand(term: str, counts: dict[str, int]) -> set[tuple[str, int]]:
    found = TERM.fullmatch(term)
    if found is None:
        raise LayoutError(
            f"cannot read {term!r} as a selector", hint="write for example cross_attn.{k,v}[8:10]"
        )
    kinds = _kinds(found["kind"], counts)
    if not kinds:
        raise LayoutError(f"{term!r} selects nothing", hint=_advice(found["kind"], counts))
    chosen: set[tuple[str, int]] = set()
    for kind in kinds:
        chosen |= {(kind, i) for i in _indices(found["index"], counts[kind], kind)}
    return chosen


def _kinds(pattern: str, counts: dict[str, int]) -> list[str]:
    """The kinds a pattern names; `.weight` may be written out where the short kind means it."""
    test = _as_regex(pattern)
    return [kind for kind in counts if test.fullmatch(kind) or test.fullmatch(f"{kind}.weight")]


def _as_regex(pattern: str) -> re.Pattern[str]:
    parts = []
    for piece in re.findall(r"\{[^{}]*\}|\*+|[^{}*]+|[{}]", pattern):
        if piece.startswith("*"):
            parts.append("[^.]*")
        elif piece.startswith("{") and piece.endswith("}"):
            parts.append("(?:" + "|".join(map(re.escape, piece[1:-1].split(","))) + ")")
        else:
            parts.append(re.escape(piece))
    return re.compile("".join(parts))


def _indices(text: str | None, count: int, kind: str) -> list[int]:
    if text is None:
        return list(range(count))
    pieces = [piece.strip() for piece in text.split(",")]
    chosen = [i for piece in pieces for i in _piece(piece, count, f"{kind}[{text}]")]
    if not chosen:
        raise LayoutError(f"{kind}[{text}] selects nothing", hint=f"there are {count} sites")
    return chosen


def _piece(piece: str, count: int, shown: str) -> list[int]:
    if piece == "*":
        return list(range(count))
    found = re.fullmatch(r"(-?\d{1,6})|(-?\d{1,6})?:(-?\d{1,6})?", piece)
    if found is None:
        raise LayoutError(f"cannot read the index of {shown}", hint="write [7], [8:10] or [1,4]")
    single, first, last = found.groups()
    if single is not None:
        start, stop = int(single), int(single) + 1
        start, stop = (start + count, stop + count) if start < 0 else (start, stop)
    else:
        start, stop = int(first or 0), count if last is None else int(last)
        start, stop = (start + count * (start < 0), stop + count * (stop < 0))
    if not 0 <= start <= stop <= count:
        raise LayoutError(f"{shown} reaches outside", hint=f"there are {count}: 0 to {count - 1}")
    return list(range(start, stop))


def _advice(pattern: str, counts: dict[str, int]) -> str:
    plain = re.sub(r"[{}*]", "", pattern)
    near = difflib.get_close_matches(plain, counts, n=1, cutoff=0.5)
    if near:
        return f"did you mean {near[0]}?"
    return "kinds here: " + (", ".join(list(counts)[:12]) or "none")
