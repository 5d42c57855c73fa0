"""Prompts from a file: a CSV with a prompt in each row, as benchmarks of erasure come.

Columns are `prompt` and `seed`, and if wanted `guidance`, `concept` and `group`; the names that
I2P and the scripts of ESD use for them are known too. Other columns are passed over.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path

from surgery.errors import UsageError
from surgery.report.verify import GROUPS, Group
from surgery.store.text import nearest, quoted, visible
from surgery.verify.seeds import own_seed
from surgery.verify.values import FIRST_SEED, Ask, PromptSet

NAMES: Mapping[str, tuple[str, ...]] = {
    "prompt": ("prompt", "text"),
    "seed": ("seed", "sd_seed", "evaluation_seed"),
    "guidance": ("guidance", "sd_guidance_scale", "evaluation_guidance"),
    "concept": ("concept",),
    "group": ("group",),
}
"""Column -> what it may be called. Source: the files of I2P and of ESD's evaluation."""
MOST_BYTES = 64 * 10**6
LAST_SEED = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Given:
    """One row.

    Args:
        group: None where none is named: `given` of what should be gone, else `kept`.
        concept: '' where none is named: what should be gone.
    """

    ask: Ask
    group: Group | None = None
    concept: str = ""


def read_prompts(path: Path) -> tuple[Given, ...]:
    """Read a CSV of prompts.

    Raises:
        UsageError: the file cannot be read, has no prompts, or a row is not sound.
    """
    where = visible(str(path))
    rows = _rows(path, where)
    if not rows:
        raise UsageError("there is no prompt in it", where=where)
    columns = {name: _column(rows[0], names) for name, names in NAMES.items()}
    if columns["prompt"] is None:
        found = ", ".join(map(quoted, rows[0]))
        raise UsageError("it has no column 'prompt'", where=where, hint=f"it has {found}")
    return tuple(
        _given(row, columns, f"{where}:{number}") for number, row in enumerate(rows, start=2)
    )


def given_sets(given: Sequence[Given], kinds: Mapping[str, PromptSet]) -> tuple[PromptSet, ...]:
    """Rows of one group and concept as a set each, in the order in which they come.

    Args:
        kinds: concept -> a set without prompts that says how it is judged, and the group of rows
            that name none; '' for rows that name no concept, where there is one to look for.
    """
    found: dict[tuple[Group, str], list[Ask]] = {}
    for one in given:
        usual = kinds[one.concept].group if one.concept in kinds else "unrelated"
        group, concept = one.group or usual, one.concept
        if not concept and group not in ("kept", "unrelated") and "" in kinds:
            concept = kinds[""].concept
        found.setdefault((group, concept), []).append(one.ask)
    return tuple(
        _set(group, concept, tuple(asks), kinds.get(concept))
        for (group, concept), asks in found.items()
    )


def _set(group: Group, concept: str, asks: tuple[Ask, ...], known: PromptSet | None) -> PromptSet:
    if known is None or not concept:
        return PromptSet(group, concept or "prompts", "", asks, own=not concept)
    return PromptSet(group, known.concept, known.sort, asks, known.target, known.others)


def _rows(path: Path, where: str) -> list[dict[str, str]]:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise UsageError(f"more than {MOST_BYTES // 10**6} MB of prompts", where=where)
        with path.open(encoding="utf-8-sig", newline="") as file:
            read = csv.DictReader(file, restval="", strict=True)
            return [{name: value or "" for name, value in row.items() if name} for row in read]
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", where=where) from error
    except (csv.Error, UnicodeDecodeError) as error:
        raise UsageError(f"this is no CSV: {error}", where=where) from error


def _column(row: Mapping[str, str], names: Sequence[str]) -> str | None:
    spelled = {column.strip().casefold(): column for column in row}
    return next((spelled[name] for name in names if name in spelled), None)


def _given(row: Mapping[str, str], columns: Mapping[str, str | None], where: str) -> Given:
    def cell(name: str) -> str:
        column = columns[name]
        return row[column].strip() if column else ""

    prompt = cell("prompt")
    if not prompt:
        raise UsageError("a row without a prompt", where=where)
    seed = _seed(cell("seed"), where) if cell("seed") else FIRST_SEED + own_seed(prompt)
    ask = Ask(prompt, seed, _guidance(cell("guidance"), where))
    return Given(ask, _group(cell("group"), where), cell("concept"))


def _seed(text: str, where: str) -> int:
    try:
        seed = int(text)
    except ValueError as error:
        raise UsageError(f"the seed {quoted(text)} is no whole number", where=where) from error
    if not 0 <= seed <= LAST_SEED:
        raise UsageError(f"the seed {seed} is not from 0 to {LAST_SEED}", where=where)
    return seed


def _guidance(text: str, where: str) -> float | None:
    if not text:
        return None
    try:
        found = float(text)
    except ValueError as error:
        raise UsageError(f"the guidance {quoted(text)} is no number", where=where) from error
    if not isfinite(found):
        raise UsageError(f"the guidance {quoted(text)} is no number", where=where)
    return found


def _group(text: str, where: str) -> Group | None:
    if not text:
        return None
    if text not in GROUPS:
        guess = nearest(text, GROUPS)
        hint = f"did you mean {guess!r}?" if guess else "there are " + ", ".join(GROUPS)
        raise UsageError(f"there is no group {quoted(text)}", where=where, hint=hint)
    return text
