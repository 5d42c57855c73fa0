"""The files of `surgery probe`: the journal, the report in its forms, the recipe."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from surgery.errors import OutputError, UsageError
from surgery.store.text import visible

if TYPE_CHECKING:
    from surgery.cli.console import Output
    from surgery.localise.journal import Journal
    from surgery.localise.wish import Wish
    from surgery.report import ComponentReport, ProbeReport, SurveyReport
    from surgery.store.checkpoint import Checkpoint

    Found: TypeAlias = ProbeReport | SurveyReport | ComponentReport

FORMS = (".html", ".json", ".png")


@dataclass(frozen=True, slots=True)
class Files:
    """What is to be written besides the result, and where.

    Args:
        recipe: takes out what was found.
        reports: a page, a picture or the values, by their endings.
        journal: None for the one in the cache.
        fresh: whether to pass over what the journal has.
        force: whether to replace what is there.
        scores: of components, as safetensors.
    """

    recipe: Path | None
    reports: tuple[Path, ...]
    journal: Path | None
    fresh: bool
    force: bool
    scores: Path | None = None

    @property
    def has_page(self) -> bool:
        """Whether pictures will be shown."""
        return any(one.suffix == ".html" for one in self.reports)


def checked(files: Files, wish: Wish) -> Files:
    """Find everything that would stop the writing, before anything is measured.

    Raises:
        UsageError: a report in no known form, one file asked for twice, or a recipe without a
            concept.
        OutputError: a file is there already.
    """
    from surgery.cli.places import must_be_free
    from surgery.localise.drafted import must_be_drafted

    for place in files.reports:
        if place.suffix not in FORMS:
            raise UsageError(
                f"a report named {visible(str(place))}", hint=f"end it in {', '.join(FORMS)}"
            )
    if files.recipe is not None:
        must_be_drafted(wish, files.scores)
    if files.scores is not None:
        _check_scores(files.scores, wish)
    places = [place for place in (files.recipe, files.scores, *files.reports) if place is not None]
    for number, place in enumerate(places):
        must_be_free(place, files.force)
        if place in places[:number]:
            raise UsageError(f"{visible(str(place))} is asked for twice")
    return files


def _check_scores(place: Path, wish: Wish) -> None:
    from surgery.cli.probe_scores import SCORED

    if wish.method not in SCORED:
        hint = f"--method {' or '.join(SCORED)} does"
        raise UsageError(f"{wish.method} makes no --scores", hint=hint)
    if place.suffix != ".safetensors":
        raise UsageError(f"scores named {visible(str(place))}", hint="end it in .safetensors")


def open_journal(files: Files, checkpoint: Checkpoint) -> Journal:
    """The measurements of this model that were made before, unless none are wanted."""
    from surgery.localise.journal import Journal

    place = files.journal or cache() / "probes" / f"{checkpoint.fingerprint[:16]}.jsonl"
    return Journal(place, fresh=files.fresh)


def cache() -> Path:
    """Where surgery keeps what it can make again."""
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "surgery"


def write_files(found: Found, files: Files, recipe: Callable[[], str], out: Output) -> None:
    """Write what was asked for, and say where it is and what can be run next.

    Args:
        recipe: makes its text.
    """
    from surgery.cli.page import Line, steps, surgery

    for place in files.reports:
        _write(place, _bytes(found, place.suffix))
        out.talk([Line(f"wrote {place}", "title")])
    if files.recipe is not None:
        _write(files.recipe, recipe().encode())
        wrote = Line(f"wrote {files.recipe}", "title")
        out.talk([wrote, *steps("next:", [surgery("apply", str(files.recipe))])])


def _bytes(found: Found, form: str) -> bytes:
    makers: Mapping[str, Callable[[Found], bytes]] = {
        ".html": _html,
        ".png": _png,
        ".json": lambda one: (one.to_json() + "\n").encode(),
    }
    return makers[form](found)


def _html(found: Found) -> bytes:
    from surgery.pages import component_page, probe_page
    from surgery.report import ComponentReport

    if isinstance(found, ComponentReport):
        return component_page(found).encode()
    return probe_page(found).encode()


def _png(found: Found) -> bytes:
    import io

    from surgery.pictures.components import component_chart
    from surgery.pictures.heat import heat_map
    from surgery.report import ComponentReport

    file = io.BytesIO()
    drawn = component_chart(found) if isinstance(found, ComponentReport) else heat_map(found)
    drawn.save(file, format="PNG", optimize=True)
    return file.getvalue()


def _write(place: Path, content: bytes) -> None:
    """A file appears whole or not at all."""
    partial = place.with_name(f".{place.name}.part")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(content)
        partial.replace(place)
    except OSError as error:
        raise OutputError(
            f"cannot be written: {error.strerror}", where=visible(str(place))
        ) from error
    finally:
        partial.unlink(missing_ok=True)
