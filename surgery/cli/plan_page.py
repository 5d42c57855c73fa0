"""A plan for reading. Also used to say what `recipe check` found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from surgery.cli.page import Line, Page, Table, plural
from surgery.store.text import size

if TYPE_CHECKING:
    from surgery.plan import Plan, PlannedEdit

SHOWN = 4


def plan_page(plan: Plan) -> Page:
    """What a recipe will do to a model: its edits, and how much of the model stays."""
    kind = f"layout {plan.layout}, {plan.container}" if plan.layout else plan.container
    page: list[Line | Table] = [Line(f"{plan.recipe} on {plan.model} ({kind})", "title")]
    if plan.edits:
        page.append(_edits(plan.edits))
    page.append(Line(_extent(plan)))
    return page


def warning_lines(plan: Plan) -> list[Line]:
    """What a user should know before the edit starts."""
    return [Line(f"Warning: {text}", "warn") for text in plan.warnings]


def _edits(edits: tuple[PlannedEdit, ...]) -> Table:
    rows = tuple(
        (
            f"{number}",
            edit.method,
            f"{edit.strength:g}",
            str(edit.prompts),
            _ranges(edit.sites),
            _named(edit.changes),
        )
        for number, edit in enumerate(edits, 1)
    )
    columns = ("edit", "method", "strength", "prompts", "sites", "changes")
    return Table("", columns, rows, right=frozenset({0, 2, 3}))


def _ranges(sites: tuple[str, ...]) -> str:
    """Sites as a selector would name them: kinds with their first and last index."""
    indices: dict[str, list[int]] = {}
    for site in sites:
        kind, _, index = site.rstrip("]").partition("[")
        indices.setdefault(kind, []).append(int(index))
    shown = [f"{kind}[{_span(found)}]" for kind, found in indices.items()]
    more = f" and {len(shown) - SHOWN} kinds more" if len(shown) > SHOWN else ""
    return ", ".join(shown[:SHOWN]) + more


def _span(found: list[int]) -> str:
    if len(found) == 1:
        return str(found[0])
    if found == list(range(found[0], found[-1] + 1)):
        return f"{found[0]}:{found[-1] + 1}"
    return ",".join(map(str, found))


def _named(changes: tuple[str, ...]) -> str:
    if not changes:
        return "nothing"
    return changes[0] if len(changes) == 1 else plural(len(changes), "tensor")


def _extent(plan: Plan) -> str:
    if plan.identity:
        return f"nothing changes: {size(plan.bytes_total)} are copied as they are"
    count = f"{len(plan.changes):,} of {plural(plan.tensors, 'tensor')}"
    share = f"{size(plan.bytes_changed)} of {size(plan.bytes_total)}"
    return f"{count} will change ({share}); the rest is copied byte for byte"
