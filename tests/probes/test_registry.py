from __future__ import annotations

import re

from surgery.probes import PROBES
from surgery.runs.ways import RUNNERS


def test_every_probe_has_its_own_name_says_where_it_is_from_and_can_be_run() -> None:
    assert {"locogen", "trace_unet", "trace_text"} <= set(PROBES)
    for name, probe in PROBES.items():
        assert probe.name == name
        assert probe.about and "\n" not in probe.about
        assert probe.source
    for name in ("locogen", "trace_unet", "trace_text"):
        assert PROBES[name].way in RUNNERS
        assert re.search(r"arXiv \d{4}\.\d{5}", PROBES[name].source)
