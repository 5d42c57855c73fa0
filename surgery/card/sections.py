"""The parts of a card for people, each a list of paragraphs in Markdown."""

from __future__ import annotations

import json
from collections.abc import Mapping

from surgery.card.markdown import block, code, plain, table
from surgery.card.verified import Verified
from surgery.recipe import load_recipe
from surgery.report import Leak, Record
from surgery.report.verify import ERASED

MOST_TENSORS, MOST_CONCEPTS = 12, 20
_OWN = "prompts"


def amplifies(edit: Mapping[str, object]) -> bool:
    """Whether an edit makes more of something instead of less."""
    strength = edit.get("strength", 1)
    backwards = isinstance(strength, (int, float)) and strength < 0
    named = any("amplif" in str(word) for pair in edit.items() for word in pair)
    return backwards or named


def edits_of(record: Record) -> list[Mapping[str, object]]:
    """The edits of a record's recipe."""
    edits = record.recipe.get("edits")
    return [one for one in edits if isinstance(one, dict)] if isinstance(edits, list) else []


def recipe_text(record: Record) -> str:
    """The recipe as YAML, without a `<`: in quotes, as such texts stand, an escape is the same."""
    recipe = load_recipe(json.dumps(record.recipe) + "\n")
    return recipe.dump().replace("<", "\\u003c")


def recipe_part(record: Record) -> list[str]:
    """The recipe in full, and what it means to do more than take away."""
    about = plain(str(record.recipe.get("description", "")))
    said = [f"Recipe {code(record.name)}. {about}".rstrip(), block(recipe_text(record), "yaml")]
    if any(amplifies(edit) for edit in edits_of(record)):
        first = "it makes the model show more of what it names, not less."
        said.insert(0, f"**This edit amplifies: {first}**")
    return said


def changed_part(record: Record) -> list[str]:
    """Which tensors changed, and how far."""
    ranked = sorted(record.tensors, key=lambda tensor: -tensor.relative_norm)
    rows = [
        (
            code(each.name),
            each.dtype,
            "-" if each.rank is None else str(each.rank),
            f"{100 * each.relative_norm:.3g} %",
        )
        for each in ranked[:MOST_TENSORS]
    ]
    more = len(ranked) - len(rows)
    found = [
        f"{_count(len(ranked), 'tensor')} changed, without training; "
        "every other one is the same byte for byte as in the base.",
        table(("tensor", "stored as", "rank of the change", "change beside its weights"), rows),
    ]
    if more:
        found.append(f"and {more} more that changed less; `surgery.json` has them all.")
    if record.earlier:
        times = _count(len(record.earlier), "time")
        found.append(f"The base had been edited {times} before; `surgery.json` says how.")
    return found


def _count(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def measured_part(record: Record, verified: Verified | None) -> list[str]:
    """Leak and drift of the edited layers, and what pictures showed."""
    found = []
    if leaks := _leaks(record.leaks):
        columns = (
            "concept",
            "becomes",
            "left in its own prompts",
            "most left in any other wording",
        )
        found += [
            "Leak, inside the edited layers: 0 is nothing left of the concept, 1 all of it "
            "(the median; the largest figure).",
            table(columns, leaks),
        ]
    if record.drifts:
        rows = [
            (
                plain(f"{one.prompts} {one.group}"),
                f"{one.figure.median:.2g}",
                f"{one.figure.p95:.2g}",
            )
            for one in record.drifts
        ]
        found += [
            "Drift, how far other prompts moved: 0 is not at all.",
            table(("prompts", "median", "95th percentile"), rows),
        ]
    missed = [gate for gate in record.gates if not gate.passed]
    for gate in missed:
        found.append(
            f"**Missed gate** {code(gate.name)}: {plain(gate.found)}, {plain(gate.limit)}."
        )
    return found + (_pictures(verified) if verified else [_NO_PICTURES])


_NO_PICTURES = (
    "No report of pictures came with this model: leak and drift are all that was measured."
)


def _leaks(leaks: tuple[Leak, ...]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for edit, concept, target in dict.fromkeys((x.edit, x.concept, x.target) for x in leaks):
        own = [x for x in leaks if (x.edit, x.concept, x.target) == (edit, concept, target)]
        told = [x.figure for x in own if x.wording == _OWN]
        others = [x for x in own if x.wording not in (_OWN, "worst case")]
        worst = max(others, key=lambda x: x.figure.max, default=None)
        said = f"{told[0].median:.2g}; {told[0].max:.2g}" if told else "-"
        most = f"{worst.figure.max:.2g} ({plain(worst.wording)})" if worst else "-"
        rows.append((plain(concept), plain(target or "nothing"), said, most))
    return rows[:MOST_CONCEPTS]


def _pictures(verified: Verified) -> list[str]:
    sets = sorted(verified.sets, key=lambda one: one[1] not in ERASED)
    rows = [
        (plain(concept), _asked(group), plain(before), plain(after))
        for concept, group, before, after in sets[:MOST_CONCEPTS]
    ]
    found = ["Pictures of the same prompts and seeds with both models, with 95 % intervals."]
    if rows:
        found.append(table(("concept", "asked as", "shown before", "shown after"), rows))
    passed = sum(gate[3] for gate in verified.gates)
    found.append(f"{passed} of {len(verified.gates)} gates passed.")
    for name, seen, limit, _ in [gate for gate in verified.gates if not gate[3]][:MOST_CONCEPTS]:
        found.append(f"**Missed gate** {code(name)}: {plain(seen)}, expected {plain(limit)}.")
    return found


def _asked(group: str) -> str:
    return f"{plain(group)}, should be gone" if group in ERASED else f"{plain(group)}, should stay"


def limits_part(verified: Verified | None) -> list[str]:
    """What an edit cannot promise, and what was tried against this one."""
    tried = verified.attacks[:MOST_CONCEPTS] if verified else ()
    if not tried:
        return [*LIMITS, "No attack on this model was tried and measured."]
    rows = [tuple(map(plain, attack)) for attack in tried]
    columns = ("attack", "concept", "what was tried", "shown under it")
    return [*LIMITS, "What was tried, and in how many pictures the concept then shows:",
            table(columns, rows)]  # fmt: skip


LIMITS = (
    "An edit of weights makes a concept hard to ask for. It does not prove that it is gone, and it "
    "is not a safeguard against people who want it back. Known ways around such edits:",
    "\n".join(
        (
            "- other wordings, misspellings, languages (the table above says what is left);",
            "- embeddings made to bring it back: textual inversion and adversarial prompts;",
            "- a picture instead of words: image-to-image, ControlNet, IP-Adapter;",
            "- training: a LoRA or a short finetune teaches it again;",
            "- the base model, or a patch of this edit, from which it can be undone exactly.",
        )
    ),
    "Biases and limits of the base model stay as they were.",
)


def use_part(repository: str, file: str, pipeline: str) -> list[str]:
    """How the model is loaded.

    Args:
        file: the name of its single file; "" for a diffusers folder.
        pipeline: the class that its model_index.json names, "" where it has none.
    """
    if not file:
        name, model = pipeline or "DiffusionPipeline", json.dumps(repository)
        lines = (f"from diffusers import {name}", "", f"pipeline = {name}.from_pretrained({model})")
        return [block("\n".join(lines), "python")]
    return [
        f"One file with everything in it: {code(file)}.",
        "\n".join(
            (
                "- ComfyUI: put it into `models/checkpoints/` and load it with *Load Checkpoint*;",
                "- A1111 and Forge: put it into `models/Stable-diffusion/` and choose it there;",
                "- what was done to it is in the file's own metadata, keys `surgery.*`.",
            )
        ),
    ]


def again_part(repository: str, file: str) -> list[str]:
    """How the edit is made again."""
    model = f"hf://{repository}/{file}" if file else repository
    said = (
        "`surgery.json` holds the recipe, the base and the digests of every changed tensor. "
        "This makes the edit again and compares every tensor:"
    )
    return [
        said.replace("surgery.json", f"{file}.surgery.json" if file else "surgery.json"),
        block(f"surgery reproduce {model}", "sh"),
    ]
