"""The screenshots of README come from real commands: in colour, whole, small, and escaped."""

from __future__ import annotations

import io
import re
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest
from PIL import Image

from tests.refresh_docs import README
from tests.shots import ALL, COLUMNS, FOLDER, REPORT, SHOTS, WIDE, photograph, said, svg, write

SMALL = 200_000


def test_a_command_is_run_on_a_terminal_and_shown_with_its_colours(tmp_path: Path) -> None:
    text = said("surgery recipe ls", tmp_path)
    assert "remove_vangogh" in text
    assert "\x1b[" in text
    assert "\r" not in text


def test_a_command_that_fails_stops_with_what_it_complained_of(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="no file or folder 'nowhere"):
        said("surgery inspect nowhere.safetensors", tmp_path)


def test_words_become_a_picture_with_their_colours_and_nothing_from_elsewhere() -> None:
    picture = svg("\x1b[1;31mbad\x1b[0m <plain> & more\n" + "x" * (COLUMNS + 5))
    root = Xml.fromstring(picture)
    words = "".join(root.itertext())
    assert "bad" in words
    assert "<plain>" in words.replace("\u00a0", " ")
    assert "http" not in picture.replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert re.search(r"fill: #[0-9a-f]{6}; ?font-weight: bold", picture)


def test_a_line_longer_than_the_terminal_goes_on_below() -> None:
    def lines(words: str) -> int:
        return len(set(re.findall(r'<text [^>]*y="([\d.]+)"', svg(words))))

    assert lines("x" * (COLUMNS + 5)) == lines("x" * COLUMNS) + 1


def test_a_picture_is_kept_in_few_colours_and_its_own_size(tmp_path: Path) -> None:
    noisy = Image.effect_noise((300, 200), 80).convert("RGB")
    file = io.BytesIO()
    noisy.save(file, "PNG")
    write(tmp_path / "x.png", file.getvalue(), 64)
    kept = Image.open(tmp_path / "x.png")
    assert kept.size == noisy.size
    assert (tmp_path / "x.png").stat().st_size < len(file.getvalue())
    write(tmp_path / "y.png", file.getvalue(), ALL)
    assert Image.open(tmp_path / "y.png").tobytes() == noisy.tobytes()


def test_a_terminal_is_photographed_whole(tmp_path: Path) -> None:
    from tests.helpers.browser import browser

    with browser() as chromium:
        short, long = (photograph(chromium, svg("word\n" * count)) for count in (2, 80))
    first, second = (Image.open(io.BytesIO(png)) for png in (short, long))
    assert first.width == second.width > WIDE
    assert second.height > 10 * first.height


def test_what_is_kept_is_there_for_every_command_and_small() -> None:
    for shot in SHOTS:
        file = FOLDER / f"{shot.name}.png"
        assert file.is_file(), "python tests/shots.py"
    for file in FOLDER.iterdir():
        assert file.stat().st_size < SMALL, file.name
        assert Image.open(file).format == "PNG"


def test_the_report_is_written_by_a_command_that_is_shown() -> None:
    assert any(REPORT in shot.command for shot in SHOTS)


def test_readme_shows_no_picture_that_is_not_there() -> None:
    named = re.findall(r"[\w./-]+\.png", README.read_text(encoding="utf-8"))
    shown = [name for name in named if name.startswith(".github/")]
    assert all((README.parent / name).is_file() for name in shown)
