"""The files of `surgery verify`: the report as a page, values, a picture, or JUnit XML."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from surgery.errors import UsageError
from surgery.store.text import visible

if TYPE_CHECKING:
    from surgery.cli.console import Output
    from surgery.report import VerifyReport

WITH_PICTURES = (".html", ".png")


def checked(places: Sequence[Path], force: bool) -> tuple[Path, ...]:
    """Find everything that would stop the writing, before anything is painted.

    Raises:
        UsageError: a report in no known form, or one file asked for twice.
        OutputError: a file is there already.
    """
    from surgery.cli.places import must_be_free

    for number, place in enumerate(places):
        if place.suffix not in _MAKERS:
            raise UsageError(
                f"a report named {visible(str(place))}", hint=f"end it in {', '.join(_MAKERS)}"
            )
        if place in places[:number]:
            raise UsageError(f"{visible(str(place))} is asked for twice")
        must_be_free(place, force)
    return tuple(places)


def write_reports(found: VerifyReport, places: Sequence[Path], out: Output) -> None:
    """Write what was asked for, and say where it is.

    Raises:
        OutputError: a file cannot be written.
    """
    from surgery.cli.page import Line
    from surgery.cli.places import write_whole

    for place in places:
        write_whole(place, _MAKERS[place.suffix](found))
        out.talk([Line(f"wrote {place}", "title")])


def _html(found: VerifyReport) -> bytes:
    from surgery.pages.verify import verify_page

    return verify_page(found).encode()


def _png(found: VerifyReport) -> bytes:
    import io

    from surgery.pictures.contact import contact_sheet

    file = io.BytesIO()
    contact_sheet(found).save(file, format="PNG", optimize=True)
    return file.getvalue()


def _xml(found: VerifyReport) -> bytes:
    from surgery.pages.junit import junit_xml

    return junit_xml(found).encode()


_MAKERS: Mapping[str, Callable[[VerifyReport], bytes]] = {
    ".html": _html,
    ".json": lambda found: (found.to_json() + "\n").encode(),
    ".png": _png,
    ".xml": _xml,
}
