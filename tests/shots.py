"""Paints the screenshots of README.md: python tests/shots.py

Each command runs as it stands there, in a terminal of its own; what it shows, and the page that it
writes, are photographed by Chromium and kept in `.github/shots`.
"""

from __future__ import annotations

import io
import os
import pty
import shlex
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from shutil import copytree
from typing import TYPE_CHECKING

from PIL import Image

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / ".github" / "shots"
COLUMNS = 114
TERMINAL, PAGE, MANY, ALL = 96, 200, 64, 0
"""Colours that are kept: of a terminal, of a page, of a sheet with many pictures; or all."""
WIDE, HIGH, NARROW = 1280, 1500, 390
REPORT, SHEET = "report.html", "sheet.png"
PROMPT = "\x1b[2m$\x1b[0m "

GROUND, INK = (24, 26, 30), (220, 222, 226)

SVG = """<svg xmlns="http://www.w3.org/2000/svg"
  width="{terminal_width}" height="{terminal_height}">
<style>
  .{unique_id}-matrix {{ font: {char_height}px "DejaVu Sans Mono", ui-monospace, monospace; }}
  {styles}
</style>
<defs>{lines}</defs>
{backgrounds}<g class="{unique_id}-matrix">{matrix}</g>
</svg>"""
"""What rich fills in; its own asks another site for a font."""


@dataclass(frozen=True, slots=True)
class Shot:
    """A command of README and the file that shows what it says."""

    name: str
    command: str


SHOTS = (
    Shot("apply", "surgery apply recipes/remove_vangogh.yaml"),
    Shot("probe", 'surgery probe atelier --concept "van gogh" --prompts 2 --seeds 1'),
    Shot(
        "verify",
        f"surgery verify atelier out/remove_vangogh --report {REPORT} --report {SHEET}",
    ),
)


def main() -> None:
    """Run the commands and write every picture."""
    from tests.helpers.browser import browser, program

    if program() is None:
        raise SystemExit("no Chromium: apt-get install chromium, or set SURGERY_BROWSER")
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place, browser() as chromium:
        copytree(ROOT / "recipes", Path(place) / "recipes")
        for shot in SHOTS:
            words = said(shot.command, Path(place)).strip("\n")
            picture = svg(f"{PROMPT}{shot.command}\n\n{words}")
            write(FOLDER / f"{shot.name}.png", photograph(chromium, picture), TERMINAL)
        page = (Path(place) / REPORT).as_uri()
        for scheme in ("light", "dark"):
            write(FOLDER / f"report-{scheme}.png", opened(chromium, page, WIDE, scheme), PAGE)
        write(FOLDER / "report-phone.png", opened(chromium, page, NARROW, "dark"), PAGE)
        write(FOLDER / "report-pictures.png", section(chromium, page, "The pictures"), ALL)
        write(FOLDER / SHEET, (Path(place) / SHEET).read_bytes(), MANY)


def said(command: str, place: Path) -> str:
    """What a command shows on a terminal, with its colours.

    Raises:
        SystemExit: it failed; with what it complained of.
    """
    words = [sys.executable, "-m", *shlex.split(command)]
    surroundings = {
        "OMP_NUM_THREADS": "1",
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "XDG_CACHE_HOME": str(place / "cache"),
        "COLUMNS": str(COLUMNS),
        "TERM": "xterm-256color",
    }
    ours, theirs = pty.openpty()
    with tempfile.TemporaryFile() as complaints:
        running = subprocess.Popen(
            words, cwd=place, env=surroundings, stdin=subprocess.DEVNULL, stdout=theirs,
            stderr=complaints,
        )  # fmt: skip
        os.close(theirs)
        text = read(ours)
        if code := running.wait():
            complaints.seek(0)
            raise SystemExit(f"{command}: exit code {code}\n{complaints.read().decode()}")
    return text


def read(terminal: int) -> str:
    """All that is written to a terminal until nobody holds it any more."""
    parts = []
    with os.fdopen(terminal, "rb", buffering=0) as stream:
        while True:
            try:
                part = stream.read(65536)
            except OSError:  # Linux: the other end was closed
                break
            if not part:
                break
            parts.append(part)
    return b"".join(parts).decode().replace("\r\n", "\n")


def svg(words: str) -> str:
    """Words with their colours as a picture of a terminal."""
    from rich.console import Console
    from rich.terminal_theme import TerminalTheme
    from rich.text import Text

    dark, clear = (
        [(60, 63, 70), (255, 138, 125), (114, 211, 155), (226, 192, 110), (132, 180, 242),
         (200, 160, 240), (110, 200, 210), (200, 203, 210)],
        [(120, 124, 132), (255, 160, 150), (140, 225, 175), (240, 210, 140), (160, 200, 250),
         (215, 185, 245), (140, 215, 225), (240, 241, 243)],
    )  # fmt: skip
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True,
                      color_system="truecolor", highlight=False, emoji=False)  # fmt: skip
    console.print(Text.from_ansi(words.rstrip()), soft_wrap=False)
    theme = TerminalTheme(GROUND, INK, dark, clear)
    return console.export_svg(theme=theme, code_format=SVG, unique_id="shot")


def photograph(chromium: Browser, picture: str) -> bytes:
    """An SVG on the ground of a terminal, as a PNG."""
    page = chromium.new_page(viewport={"width": WIDE + 200, "height": HIGH})
    look = f"display:inline-block;padding:20px 24px;border-radius:10px;background:rgb{GROUND}"
    page.set_content(f'<body style="margin:0"><div style="{look}">{picture}</div></body>')
    shot = page.locator("div").screenshot(omit_background=True)
    page.close()
    return shot


def opened(chromium: Browser, address: str, width: int, scheme: str) -> bytes:
    """The upper part of a page."""
    page = chromium.new_page(viewport={"width": width, "height": HIGH}, color_scheme=scheme)
    page.goto(address)
    shot = page.screenshot()
    page.close()
    return shot


def section(chromium: Browser, address: str, title: str) -> bytes:
    """The upper part of a section, with its heading."""
    page = chromium.new_page(viewport={"width": WIDE, "height": HIGH}, color_scheme="light")
    page.goto(address)
    box = page.get_by_role("heading", name=title, exact=True).bounding_box()
    assert box is not None
    part = {"x": 0, "y": box["y"] - 32, "width": WIDE, "height": HIGH // 2}
    shot = page.screenshot(full_page=True, clip=part)
    page.close()
    return shot


def write(path: Path, png: bytes, colours: int) -> None:
    """Keep a picture in few colours, which halves it and more."""
    picture = Image.open(io.BytesIO(png))
    if colours != ALL:
        picture = picture.convert("RGBA").quantize(colours, method=Image.Quantize.FASTOCTREE)
    picture.save(path, "PNG", optimize=True)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
