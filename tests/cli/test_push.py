"""`surgery push` on the page: the card, each file, and what came of it."""

from __future__ import annotations

from dataclasses import replace

from surgery.cli.failures import _SECRET
from surgery.cli.plain import plain_lines
from surgery.cli.push import _ending, push_page
from surgery.report import Operation, PushReport

REPORT = PushReport(
    out="out",
    repository="me/it",
    revision="main",
    creates=True,
    parent=None,
    operations=(Operation("upload", "a.safetensors", 2_000_000), Operation("copy", "b", 10)),
    card="---\nlicense: mit\n---\n# it\n",
    warnings=("the licence",),
    left_out=("p.safetensors",),
)


def lines(report: PushReport, *, card: bool = False, dry: bool = False) -> str:
    page = [*push_page(report, card=card), *_ending(report, dry)]
    return "\n".join(plain_lines(page))


def test_a_dry_run_shows_the_card_and_says_that_nothing_changed() -> None:
    text = lines(REPORT, card=True, dry=True)
    assert "license: mit" in text
    assert "dry run: nothing was changed; the repository would be made" in text
    assert "license: mit" not in lines(REPORT, dry=True)


def test_each_file_has_its_row_and_what_is_left_out_its_line() -> None:
    text = lines(REPORT, dry=True)
    assert "a.safetensors" in text
    assert "2.0 MB" in text
    assert "copied by the Hub" in text
    assert "left out: p.safetensors" in text
    assert "Warning: the licence" in text


def test_the_end_says_commit_bytes_and_how_to_check() -> None:
    done = replace(REPORT, commit="c" * 40, uploaded=2_000_000)
    text = lines(done)
    assert f"pushed me/it@{'c' * 40}: 2.0 MB uploaded" in text
    assert f"surgery reproduce me/it@{'c' * 40}" in text
    assert "as much as Xet did not have uploaded" in lines(replace(done, uploaded=None))
    assert "the Hub's answer was lost" in lines(replace(done, lost=True))
    assert "pull request: there" in lines(replace(done, pull_request="there"))
    assert "nothing was pushed" in lines(replace(done, parent="c" * 40))


def test_a_token_in_a_command_line_does_not_get_into_a_log() -> None:
    for words in (["push", "--token", "secret!x"], ["push", "--token=secret!x", "o"]):
        said = _SECRET.sub("[secret]", f"command: {words}")
        assert "secret!x" not in said
        assert "push" in said
