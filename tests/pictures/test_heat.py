"""The picture of a probe shows how far each place goes, and marks the found one."""

from __future__ import annotations

import re
from dataclasses import replace
from importlib.resources import files

import numpy as np
import pytest
from PIL import Image

from surgery.pictures.heat import RAMP, WIDTH, colour, heat_map
from surgery.pictures.sheet import RED
from tests.helpers.probe_reports import every_kind, locogen, sdxl, survey, trace_text, trace_unet


def count(picture: Image.Image, wanted: tuple[int, int, int]) -> int:
    far = np.abs(np.asarray(picture).astype(int) - wanted).max(axis=2)
    return int((far < 24).sum())


@pytest.mark.parametrize("name", every_kind())
def test_every_kind_of_report_can_be_drawn(name: str) -> None:
    picture = heat_map(every_kind()[name])
    assert picture.width == WIDTH
    assert 200 < picture.height < 2000


def test_the_same_report_gives_the_same_picture() -> None:
    assert heat_map(locogen()).tobytes() == heat_map(locogen()).tobytes()


def test_the_found_window_is_dark_and_marked() -> None:
    picture = heat_map(locogen())
    assert count(picture, colour(1.0)) > 10_000
    # A swatch of the legend is 22 x 14 pixels.
    without = heat_map(replace(locogen(), found=""))
    assert count(picture, RED) > 10 * max(1, count(without, RED))


def test_a_report_that_found_nothing_marks_nothing() -> None:
    assert count(heat_map(trace_unet()), RED) == 0


def test_a_survey_marks_one_place_of_each_concept() -> None:
    one = replace(survey(), reports=survey().reports[:1])
    assert count(heat_map(survey()), RED) > 3 * count(heat_map(one), RED)


def test_a_picture_is_higher_with_more_kinds_and_not_with_more_layers() -> None:
    assert heat_map(trace_text(layers=12)).height == heat_map(trace_text(layers=6)).height
    assert heat_map(trace_unet()).height > heat_map(sdxl()).height


def test_a_report_without_scores_can_be_drawn() -> None:
    assert heat_map(replace(locogen(), scores=(), found="")).width == WIDTH


def luminance(code: str) -> float:
    shares = [int(code[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in shares]
    return sum(weight * one for weight, one in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_colours_grow_ever_darker_so_that_hues_need_not_be_told_apart() -> None:
    lights = [luminance(code) for code in RAMP]
    assert lights == sorted(lights, reverse=True)
    assert len(set(lights)) == len(RAMP)


def test_picture_and_page_have_the_same_colours() -> None:
    styles = files("surgery.pages").joinpath("heat.css").read_text("utf-8")
    assert tuple(re.findall(r"--cell: light-dark\(#(\w+), #\w+\)", styles)) == RAMP


def test_dark_colours_of_the_page_grow_ever_lighter() -> None:
    styles = files("surgery.pages").joinpath("heat.css").read_text("utf-8")
    lights = [luminance(code) for code in re.findall(r"--cell: light-dark\(#\w+, #(\w+)\)", styles)]
    assert lights == sorted(lights)


def test_figures_in_cells_can_be_read_in_both_colour_schemes() -> None:
    styles = files("surgery.pages").joinpath("heat.css").read_text("utf-8")
    cells = re.findall(
        r"--cell: light-dark\(#(\w+), #(\w+)\); --on: light-dark\(#(\w+), #(\w+)\)", styles
    )
    assert len(cells) == len(RAMP)
    for light, dark, on_light, on_dark in cells:
        for ground, ink in ((light, on_light), (dark, on_dark)):
            low, high = sorted((luminance(ground), luminance(ink)))
            assert (high + 0.05) / (low + 0.05) > 4.4, (ground, ink)
