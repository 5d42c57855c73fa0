from __future__ import annotations

from collections.abc import Iterator

import pytest

from surgery.cli.hush import hush


@pytest.fixture
def loggings() -> Iterator[list[object]]:
    """The logging modules of both libraries, put back as they were afterwards."""
    from diffusers.utils import logging as diffusers_logging
    from transformers.utils import logging as transformers_logging

    before = [module.get_verbosity() for module in (diffusers_logging, transformers_logging)]
    yield [diffusers_logging, transformers_logging]
    for module, level in zip((diffusers_logging, transformers_logging), before, strict=True):
        module.set_verbosity(level)
        module.enable_progress_bar()


def test_the_model_libraries_say_errors_only(
    loggings: list[object], capsys: pytest.CaptureFixture[str]
) -> None:
    hush()
    for module in loggings:
        logger = module.get_logger("surgery_test")  # type: ignore[attr-defined]
        logger.warning("by the way")
        logger.error("this matters")
    shown = capsys.readouterr().err
    assert "by the way" not in shown
