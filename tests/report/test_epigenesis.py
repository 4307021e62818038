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
