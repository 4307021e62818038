"""The epigenesis chapter of a report."""

import numpy as np
import pandas as pd

from cistron.report.epigenesis import doubt, effect_map, few_members, sentences


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


def test_cells_whose_interval_holds_zero_have_no_colour_and_one_gene_has_coordinates():
    table = pd.DataFrame(
        {
            "mark": ["A", "A"],
            "start": [-1000, 0],
            "end": [0, 1000],
            "effect": [-0.9, 0.9],
            "low": [-2.0, 0.5],
            "high": [0.1, 1.2],
        }
    )
    places = [{"gene": "G", "chromosome": "chr1", "start_site": 50_000, "strand": "-"}]
    drawing = effect_map(table, "map", "log1p_tpm", places)
    mesh = drawing.figure.axes[0].collections[0]
    pale, coloured = mesh.get_facecolor()
    assert pale[:3].min() > 0.9
    assert coloured[:3].min() < 0.5
    # on the minus strand upstream lies at higher coordinates: the base of the start site is 50,001 (1-based)
    assert drawing.remarks["cells"][0].startswith("A, -1,000 to +0 bp, chr1:50,002-51,001: -0.900")
    assert drawing.remarks["cells"][1].startswith("A, +0 to +1,000 bp, chr1:49,002-50,001: +0.900")
    assert drawing.remarks["cells"][0].endswith("holds zero")
    axes = drawing.figure.axes[0]
    assert "TSS" in axes.get_xlabel()
    assert [line.get_xdata()[0] for line in axes.lines] == [1.0]
    svg = str(drawing.svg())
    assert "log1p_tpm" in svg


def test_a_model_that_has_learned_nothing_gives_no_findings():
    row = {"across": True, "value": 0.1, "low": -0.1, "high": 0.3, "control_value": 0.02}
    row |= {"null_value": 0.7, "null_model": "ridge on promoter means", "n": 60}
    assert "has not learned" in doubt([row])
    assert "worse" in doubt([row | {"value": 0.4, "low": 0.3, "high": 0.6}])
    assert doubt([row | {"value": 0.8, "low": 0.7, "high": 0.9}]) == ""
    assert "is not known" in doubt([])


def test_few_networks_are_said():
    shown = pd.DataFrame({"low": [np.nan], "interval": [""]})
    assert "There is no interval" in few_members({"method": "network", "members": 1}, shown)
    shown = pd.DataFrame({"low": [0.1], "interval": ["95% t interval over networks"]})
    assert "too few" in few_members({"method": "network", "members": 3}, shown)
    shown = pd.DataFrame({"low": [0.1], "interval": ["95% bootstrap over genes"]})
    assert "another fit" in few_members({"method": "network", "members": 3}, shown)
    assert few_members({"method": "network", "members": 5}, shown) == ""
