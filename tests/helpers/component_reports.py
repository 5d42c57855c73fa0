"""Reports of scores as probes make them, from figures made here."""

from __future__ import annotations

from surgery.report import Component, ComponentReport, Correlation, Cost, SiteScores


def attribution() -> ComponentReport:
    """Twenty matrices with both sides."""
    sites = tuple(
        SiteScores(f"ff.{side}[{layer}]", 1000, 520, 470, 2.0 + layer, -1.5 - (layer % 3))
        for side in ("in", "out")
        for layer in range(10)
    )
    towards = tuple(Component("ff.in[4]", row, 7, 1.0 / (1 + row)) for row in range(20))
    against = tuple(Component("ff.out[2]", 3, column, -0.5 / (1 + column)) for column in range(20))
    return ComponentReport(
        model="atelier",
        fingerprint="ab12",
        method="attribution",
        concept="van gogh",
        target="painting",
        sort="style",
        unit="weight",
        sites=sites,
        positive=towards,
        negative=against,
        linearity=Correlation(0.51, 0.4, 0.61, 200),
        prompts=(("a star by van gogh", "a painting of a star"), ("van gogh", "")),
        settings={"steps": 20, "guidance": 3.0},
        cost=Cost(1200, 12.5, 480.0),
        notes=("A score is the first-order effect of one weight alone.",),
    )


def hostile() -> ComponentReport:
    """Names that would be markup, and no component on either side."""
    return ComponentReport(
        model="<img src=x onerror=alert(1)>",
        fingerprint="",
        method="conceptprune",
        concept="</script><b>\x1b[31m",
        target="painting",
        sort="style",
        unit="row",
        sites=(SiteScores("ff.out[0]", 10, 0, 0, 0.0, 0.0),),
        positive=(),
        negative=(),
    )
