"""The report of networks: what it says, what it shows, what it must not claim."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from cistron.cli.demo_networks import run as run_demo
from cistron.errors import InputError
from cistron.plots.calibration_plot import calibration_plot
from cistron.plots.network_plot import network_plot, spring_layout
from cistron.report import build_report
from cistron.report.edges import published_sentences, sentence


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    return run_demo(folder, 3), folder


def test_the_demo_finds_the_planted_network_and_ends_in_a_page(demo):
    result, folder = demo
    auprc = result["auprc"]
    assert auprc["default"] > max(auprc["mean-shift"], auprc["direct"]) + 0.05
    assert auprc["random"] < 0.1
    assert result["lines"][1].startswith("  default: 0.")
    page = build_report([result["folder"]], folder / "report.html").read_text()
    for text in (
        "default is best by AUPRC",
        "The network default",
        "What the probabilities are worth",
        "less the W of permuted labels",
    ):
        assert text in page
    assert (folder / "figures" / "edges_network.png").exists()
    assert "<img" not in page


def _row(**changed):
    row = {
        "embedding": "a",
        "metric": "auprc",
        "target": "truth t",
        "interval": "95%",
        "value": 0.5,
        "low": 0.4,
        "high": 0.6,
    }
    return {**row, "control_value": 0.1, "null_value": 0.1, **changed}


def test_a_finding_inside_the_interval_is_not_claimed():
    assert "random network of the same size has 0.100" in sentence([_row()])
    assert "nothing is shown" in sentence([_row(low=0.05)])
    assert "no network is better than the random one" in sentence([_row(embedding="random")])


def test_a_network_is_drawn_with_one_arrow_an_edge():
    table = pd.DataFrame(
        {"source": ["A", "A", "B"], "target": ["B", "C", "C"], "weight": [3.0, 2, 1], "sign": [1, -1, 0]}
    )
    axes = network_plot(table, Figure().add_subplot())
    assert len(axes.patches) == 3
    assert {text.get_text() for text in axes.texts} == {"A", "B", "C"}
    colours = {tuple(patch.get_edgecolor()) for patch in axes.patches}
    assert len(colours) == 3
    with pytest.raises(InputError, match="no edges"):
        network_plot(table.iloc[:0], Figure().add_subplot())


def test_neighbours_are_placed_nearer_than_strangers():
    source, target = np.array([0, 0, 0, 4, 4, 4]), np.array([1, 2, 3, 5, 6, 7])
    place = spring_layout(source, target, 8)
    apart = np.linalg.norm(place[:, None] - place[None], axis=2)
    assert apart[source, target].mean() < 0.7 * apart[:4, 4:].mean()
    assert place.min() >= 0
    assert place.max() <= 1


def test_calibration_is_drawn_without_empty_bins():
    table = pd.DataFrame(
        {"network": ["a"] * 3, "stated": [0.1, 0.5, 0.9], "observed": [0.2, 0.5, 0.8], "n": [50, 20, 2]}
    )
    axes = calibration_plot(table, Figure().add_subplot())
    assert len(axes.lines[1].get_xdata()) == 2
    with pytest.raises(InputError, match="no bin"):
        calibration_plot(table.iloc[2:], Figure().add_subplot())


def test_catran_as_published_stands_beside_what_random_finds():
    rankings = [
        [
            _row(embedding="best"),
            _row(embedding="printed", value=0.021, low=0.021, high=0.03, control_value=0.02),
        ]
    ]
    networks = [
        {"name": "best", "method": "default", "parameters": {"settings": {"direct": True}}},
        {"name": "printed", "method": "catran", "parameters": {"settings": {"relative_scores": False}}},
        {"name": "mended", "method": "catran", "parameters": {"settings": {"relative_scores": True}}},
    ]
    (said,) = published_sentences(networks, rankings)
    assert (
        said
        == "truth t: printed (CaTran as published) has 0.021 by AUPRC, a random network of the same size 0.020."
    )
    rankings[0][1]["low"] = 0.015
    (said,) = published_sentences(networks, rankings)
    assert said.endswith("0.020, which lies inside the interval (0.015 to 0.030).")
    assert published_sentences([{"name": "printed", "method": None, "parameters": None}], rankings) == []
