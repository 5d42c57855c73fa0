"""Puts a card together: front matter, what the owner wrote, and the section of this edit."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from surgery.card.front import (
    TAGS,
    Page,
    base_front,
    base_repository,
    joined,
    licence,
    merged,
    split,
)
from surgery.card.markdown import code, plain
from surgery.card.sections import (
    again_part,
    amplifies,
    changed_part,
    edits_of,
    limits_part,
    measured_part,
    recipe_part,
    use_part,
)
from surgery.card.verified import Verified
from surgery.errors import UsageError
from surgery.report import Record

BEGIN, END = "<!-- surgery:begin -->", "<!-- surgery:end -->"
_SECTION = re.compile(rf"^{BEGIN}$.*?^{END}$", re.DOTALL | re.MULTILINE)
# The weights that come with surgery are under its own licence.
_BUILT_IN: Mapping[str, object] = {"license": "apache-2.0"}


@dataclass(frozen=True, slots=True)
class Subject:
    """What a card is about.

    Args:
        repository: where it goes.
        file: name of the single file; "" for a folder.
        pipeline: the class that model_index.json names, "" where there is none.
        base_card: README.md of the base, None where it cannot be had.
        existing: README.md that is kept around the section, None where there is none.
    """

    record: Record
    repository: str
    file: str = ""
    pipeline: str = ""
    base_card: str | None = None
    existing: str | None = None
    verified: Verified | None = None


@dataclass(frozen=True, slots=True)
class Card:
    """The text of a README.md, and what its owner should know of it."""

    text: str
    warnings: tuple[str, ...]


def make_card(subject: Subject) -> Card:
    """The card of an edited model.

    Raises:
        RecipeError: the front matter of what is there is no plain YAML.
        UsageError: what is there has one of the two marks of the section only.
    """
    page = split(subject.existing or "", "README.md")
    base = base_front(subject.base_card)
    if subject.record.base.address == "atelier":
        base = _BUILT_IN
    told = _told(subject, page.front, base)
    body = _around(page.body, _section(subject), subject.repository)
    text = joined(Page(merged(page.front, told), body))
    return Card(text, tuple(_warnings(subject, told, page.front)))


def _told(
    subject: Subject, own: Mapping[str, object], base: Mapping[str, object] | None
) -> dict[str, object]:
    found = licence(own, base)
    if repository := base_repository(subject.record.base.address):
        found |= {"base_model": repository, "base_model_relation": "finetune"}
    video = (subject.record.base.layout or "").startswith("wan")
    found["pipeline_tag"] = "text-to-video" if video else "text-to-image"
    found["library_name"] = "diffusion-single-file" if subject.file else "diffusers"
    grows = any(amplifies(edit) for edit in edits_of(subject.record))
    return {**found, "tags": [*TAGS, *(["amplified"] if grows else [])]}


def _section(subject: Subject) -> str:
    record = subject.record
    base = record.base.address
    where = code(base) if base_repository(base) or base == "atelier" else f"a copy of {plain(base)}"
    made = plain(record.versions.get("surgery", "unknown"))
    parts = {
        "": [f"An edit of {where}, made by surgery {made}."],
        "What was done": recipe_part(record),
        "What changed": changed_part(record),
        "What was measured": measured_part(record, subject.verified),
        "Limits and known attacks": limits_part(subject.verified),
        "How to use it": use_part(subject.repository, subject.file, subject.pipeline),
        "How to check it": again_part(subject.repository, subject.file),
    }
    lines = []
    for title, paragraphs in parts.items():
        lines += [f"## {title}"] if title else []
        lines += paragraphs
    return "\n\n".join((BEGIN, *lines, END))


def _around(body: str, section: str, repository: str) -> str:
    """The owner's text with the section in its place, or at its end."""
    if _SECTION.search(body):
        return _SECTION.sub(lambda _: section, body, count=1)
    if BEGIN in body or END in body:
        hint = f"put {BEGIN} and {END} on lines of their own, or remove both"
        raise UsageError("one mark of the section is missing", where="README.md", hint=hint)
    if not body.strip():
        return f"\n# {plain(repository.partition('/')[2])}\n\n{section}\n"
    return f"{body.rstrip()}\n\n{section}\n"


def _warnings(subject: Subject, told: Mapping[str, object], own: Mapping[str, object]) -> list[str]:
    found = []
    if told["license"] == "other" and "license_name" not in told:
        found.append("the licence of the base is not known: the card says `other`; set it yourself")
    if "base_model" not in told and "base_model" not in own:
        found.append("the base is on no Hub: the card names no base_model")
    report, name = subject.verified, subject.file or subject.repository.partition("/")[2]
    if report is None:
        found.append("no report of verify: the card says that no pictures were looked at")
    elif report.after and report.after != name:
        found.append(f"the report of verify is about {report.after!r}; is that this model?")
    return found
