"""The epigenesis chapter of a report."""

import numpy as np
import pandas as pd

from cistron.report.epigenesis import effect_map, sentences


def test_the_map_says_where_each_mark_does_most():
    table = pd.DataFrame(
        {
            "mark": np.repeat(["H3K4me3", "H3K27me3"], 3),
            "start": [-1000, 0, 1000] * 2,
            "end": [0, 1000, 2000] * 2,
            "effect": [0.1, 0.9, 0.2, -0.5, -0.2, 0.1],
            "low": [0.0, 0.7, 0.1, -0.9, -0.3, 0.0],
            "high": [0.2, 1.1, 0.3, 0.1, -0.1, 0.2],
        }
    )
    first, second = sentences(table)
    assert first.startswith("H3K4me3 raises expression most at +0 to +1,000 bp, by 0.90 (0.70 to 1.10)")
    assert "H3K27me3 lowers" in second
    assert "nothing is shown" in second
    drawing = effect_map(table, "map")
    assert drawing.remarks["cells"][1] == "H3K4me3, +0 to +1,000 bp: +0.900 (+0.700 to +1.100)"
    svg = str(drawing.svg())
    assert svg.count("H3K27me3, ") >= 3


def test_an_interval_has_the_sign_of_the_words():
    table = pd.DataFrame(
        {
            "mark": ["H3K27me3"],
            "start": [-2000],
            "end": [-1000],
            "effect": [-0.44],
            "low": [-0.48],
            "high": [-0.40],
        }
    )
    minus = "\N{MINUS SIGN}"
    assert sentences(table) == [
        f"H3K27me3 lowers expression most at {minus}2,000 to {minus}1,000 bp, by 0.44 (0.40 to 0.48)."
    ]
