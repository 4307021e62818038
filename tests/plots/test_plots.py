# ruff: noqa: RUF001  (true minus signs and dashes, as a reader sees them)
"""Plots: what is drawn is what the table says, and no label is cut or lies on another."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from cistron.errors import InputError
from cistron.plots import (
    box_plot,
    common_limits,
    diverging_colours,
    figure_style,
    full_against_null,
    heat_map,
    interval_plot,
    short_labels,
    signed,
    similar_order,
)


@pytest.fixture
def axes():
    """Axes in the style of cistron."""
    with figure_style():
        yield Figure(figsize=(9, 8)).subplots()


def _cells(values: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"target": f"trait_{row}", "embedding": f"emb_{column}", "value": value}
            for (row, column), value in np.ndenumerate(values)
        ]
    )


def _printed(axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


def test_heat_map_prints_every_value_in_the_given_order(axes):
    table = _cells(np.array([[0.0184, -0.0041], [np.nan, 0.0]]))
    assert heat_map(table, axes, row_order=["trait_1", "trait_0"], column_order=["emb_1", "emb_0"]) is axes
    assert _printed(axes) == [".0000", "–", "−.0041", ".0184"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["trait_1", "trait_0"]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["emb_1", "emb_0"]


def test_heat_map_is_centred_on_zero_and_one_extreme_cell_does_not_bleach_it(axes):
    values = np.full((30, 13), 0.01)
    values[3, 4] = 5.0
    heat_map(_cells(values), axes)
    low, high = axes.collections[0].get_clim()
    assert low == -high
    assert high < 0.1
    middle = np.array(diverging_colours()(0.5)[:3])
    assert middle.min() > 0.93
    below, above = diverging_colours()(0.0), diverging_colours()(1.0)
    assert below[0] > below[2]  # orange
    assert above[2] > above[0]  # blue


def test_similar_order_puts_like_rows_side_by_side():
    table = pd.DataFrame(
        [[1.0, 0.0], [0.0, 1.0], [1.01, 0.0], [0.0, 1.01], [1.02, np.nan]], index=list("abcde")
    )
    order = "".join(similar_order(table))
    assert set(order) == set("abcde")
    assert set(order[:3]) in (set("ace"), {*"bd", order[2]})


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (2, 13), (30, 13), (3, 1)])
def test_heat_map_labels_neither_overlap_nor_leave_the_saved_figure(rows, columns):
    table = _cells(np.random.default_rng(0).normal(size=(rows, columns)) * 0.01)
    long = "gtex_ae128+tabula_sapiens_pcs5+rna_ae32+hpa_consensus_tissues_"
    table["embedding"] = long + table["embedding"]
    table["target"] = "LDL_direct_adjusted_by_medication_and_more_" + table["target"]
    with figure_style():
        figure = Figure(figsize=(0.62 * columns + 4, 0.25 * rows + 2))
        ax = figure.add_axes(
            (2.6 / figure.get_figwidth(), 0.2, 0.62 * columns / figure.get_figwidth(), 0.25 * rows / figure.get_figheight())
        )  # fmt: skip
        heat_map(table, ax)
    renderer = FigureCanvasAgg(figure).get_renderer()
    saved = figure.get_tightbbox(renderer).transformed(figure.dpi_scale_trans)
    boxes = [label.get_window_extent(renderer) for label in (*ax.get_yticklabels(), *ax.get_xticklabels())]
    for box in boxes:
        assert box.x0 >= saved.x0 - 1
        assert box.x1 <= saved.x1 + 1
        assert box.y1 <= saved.y1 + 1
    for first, second in itertools.combinations(
        [label.get_window_extent(renderer) for label in ax.get_yticklabels()], 2
    ):
        assert not first.overlaps(second)
    for text in ax.texts:
        assert text.get_window_extent(renderer).width < 0.62 * figure.dpi


def test_box_plot_shows_medians_points_and_control(axes):
    table = pd.DataFrame(
        {
            "embedding": ["low"] * 3 + ["high"] * 3,
            "value": [0.0, 0.01, 0.02, 0.03, 0.05, 0.04],
            "control_value": [-0.01] * 6,
        }
    )
    box_plot(table, axes)
    assert [label.get_text() for label in axes.get_yticklabels()] == ["high", "low"]
    points = {artist.get_gid(): artist.get_offsets()[:, 0].tolist() for artist in axes.collections}
    assert points["points-0"] == [0.03, 0.05, 0.04]
    assert points["points-1"] == [0.0, 0.01, 0.02]
    medians = [line.get_xdata()[0] for line in axes.lines if line.get_linewidth() == 1.6]
    assert medians == [0.04, -0.01, 0.01, -0.01]


def test_box_plot_without_control_does_not_speak_of_one(axes):
    box_plot(pd.DataFrame({"embedding": ["a"], "value": [0.1]}), axes)
    assert "control" not in axes.get_xlabel()


def test_full_against_null_has_one_scale_and_names_only_gains(axes):
    table = pd.DataFrame(
        {"target": ["up", "down", "gone"], "null_value": [0.01, 0.02, 0.03], "value": [0.05, 0.01, np.nan]}
    )
    full_against_null(table, axes)
    assert axes.get_xlim() == axes.get_ylim() == common_limits(table)
    assert _printed(axes) == ["up"]


def test_interval_plot_draws_interval_and_control_where_they_are_known(axes):
    table = pd.DataFrame(
        {
            "embedding": ["a", "b"],
            "value": [0.02, 0.01],
            "low": [0.01, np.nan],
            "high": [0.03, np.nan],
            "control_value": [-0.004, np.nan],
        }
    )
    interval_plot(table, axes)
    spans = [list(line.get_xdata()) for line in axes.lines if len(set(line.get_xdata())) == 2]
    assert spans == [[0.01, 0.03]]
    assert _printed(axes) == ["+0.0200", "+0.0100"]
    assert len(axes.collections) == 3  # two points, one control


@pytest.mark.parametrize("plot", [heat_map, box_plot, full_against_null, interval_plot])
def test_an_empty_table_is_an_error_in_words(plot, axes):
    columns = ["target", "embedding", "value", "low", "high", "null_value"]
    with pytest.raises(InputError, match="no rows"):
        plot(pd.DataFrame(columns=columns), axes)


def test_a_doubled_cell_is_an_error(axes):
    table = pd.concat([_cells(np.ones((2, 2)))] * 2)
    with pytest.raises(InputError, match="more than once"):
        heat_map(table, axes)


def test_a_name_with_dollar_signs_is_not_read_as_a_formula(axes):
    table = _cells(np.ones((2, 2)))
    table["target"] = table["target"].map({"trait_0": r"$\frac{", "trait_1": "a$b$c"})
    heat_map(table, axes)
    axes.figure.savefig("/dev/null", format="png")
    assert {label.get_text() for label in axes.get_yticklabels()} == {r"$\frac{", "a$b$c"}


@given(st.lists(st.text(max_size=60), unique=True, max_size=12), st.integers(8, 40))
def test_short_labels_are_short_and_unique(names, length):
    labels = short_labels(names, length)
    assert len(labels) == len(names)
    assert len(set(labels)) == len(labels)
    assert all(len(label) <= length for label in labels)


def test_short_labels_keep_both_ends():
    assert short_labels(["short", "abcdefghijklmnop_v1", "abcdefghijklmnop_v2"], 9) == [
        "short",
        "abcd…p_v1",
        "abcd…p_v2",
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0184, "+0.0184"),
        (-0.0041, "−0.0041"),
        (0.00001, "0.0000"),
        (-0.00001, "0.0000"),
        (float("nan"), "–"),
    ],
)
def test_signed(value, text):
    assert signed(value) == text


def test_palette_colours_are_distinct_when_printed_grey_or_seen_without_green():
    from cistron.plots import PALETTE

    # Vienot's reduction of red-green blindness: L and M cones answer alike
    seen = [np.array([0.11 * r + 0.89 * g, b]) for r, g, b in map(to_rgb, PALETTE)]
    distances = [np.abs(a - b).max() for a, b in itertools.combinations(seen, 2)]
    assert min(distances) > 0.08
