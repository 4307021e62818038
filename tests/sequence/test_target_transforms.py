"""Targets against the published formulas, written out bin by bin, for every setting of the published tables."""

import numpy as np
import pandas as pd
import pytest

from cistron.errors import InputError
from cistron.sequence.inputs_targets import leave_out, read_targets, transform_of
from cistron.sequence.target_transforms import (
    PRESETS,
    TrackTransform,
    fill_baseline,
    lower_unmappable,
    transform_targets,
)

TABLES = {
    "basenji_cross2020_enformer/targets_human.txt.gz": ("enformer",),
    "basenji_cross2020_enformer/targets_mouse.txt.gz": ("enformer",),
    "borzoi/targets_human.txt.gz": ("borzoi", "baskerville"),
    "borzoi/targets_mouse.txt.gz": ("borzoi", "baskerville"),
    "baskerville_tiny/hg38_targets.txt": ("baskerville", "borzoi"),
    "baskerville_tiny/mm10_targets.txt": ("baskerville", "borzoi"),
}


def by_hand(signal, version, statistic, scale, clip, soft, width):
    """One bin after the other, as the three versions of the published code say."""
    out = []
    for start in range(0, len(signal), width):
        piece = [
            float(value) * (scale if version == "baskerville" else 1)
            for value in signal[start : start + width]
        ]
        total = sum(piece)
        if statistic == "mean":
            x = total / width
        elif statistic == "sum":
            x = total
        elif statistic == "sum_sqrt":
            x = (1 + total) ** 0.5 - 1 if version == "baskerville" else total**0.75
        else:
            raise AssertionError(statistic)
        if soft == soft and x > soft:
            x = soft - 1 + (x - soft + 1) ** 0.5 if version == "baskerville" else soft + (x - soft) ** 0.5
        if clip == clip:
            x = min(max(x, 0 if version == "enformer" else -clip), clip)
        out.append(x if version == "baskerville" else x * scale)
    return np.array(out)


@pytest.mark.parametrize("name", TABLES)
def test_every_setting_of_the_published_tables(name, test_data):
    table = read_targets(test_data / "sequence" / name)
    assert len(table) > 30
    assert (table["strand_pair"].to_numpy()[table["strand_pair"]] == np.arange(len(table))).all()
    random = np.random.default_rng(0)
    # from nothing to far above every clip
    signal = (
        random.gamma(0.3, 1, 128 * 12) * np.repeat([0, 0.01, 0.3, 1, 3, 10, 30, 90, 200, 500, 9e4, 5e7], 128)
    ).astype(np.float32)
    reached = set()
    for version in TABLES[name]:
        preset = PRESETS[version]
        for settings, rows in table.groupby(["sum_stat", "scale", "clip", "clip_soft"], dropna=False):
            statistic, scale, clip, soft = settings
            expected = by_hand(signal, version, statistic, scale, clip, soft, preset.bin_size)
            found = transform_targets(signal, transform_of(rows.iloc[0]), preset)
            assert found.dtype == np.float32
            np.testing.assert_allclose(found, expected, rtol=2e-6, atol=1e-7)
            reached.add(
                bool((expected >= clip * (1 if version == "baskerville" else scale) * 0.999999).any())
            )
    assert True in reached  # the hard clip bites


def test_the_largest_chip_value_of_enformer_is_64():
    values = transform_targets(
        np.full(128, 1e6, np.float32), TrackTransform("mean", 2, 32), PRESETS["enformer"]
    )
    assert values.tolist() == [64]


def test_other_statistics():
    signal = np.array([0.0, 1, 2, 9] * 8, np.float32)
    preset = PRESETS["baskerville"]
    expected = {
        "max": 9, "median": 1.5, "avg": 3, "sum_exp75": 97**0.75 - 1, "mean_sqrt": 1, "peak": 1, "sum": 96,
    }  # fmt: skip
    for statistic, value in expected.items():
        assert transform_targets(signal, TrackTransform(statistic), preset)[0] == pytest.approx(value)
    assert transform_targets(signal, TrackTransform("peak", 0.01), preset)[0] == pytest.approx((0.12) ** 0.5)
    assert transform_targets(signal, TrackTransform("mean_sqrt"), PRESETS["borzoi"])[0] == pytest.approx(
        3**0.75
    )
    with pytest.raises(InputError, match="not one of the version enformer"):
        transform_targets(np.ones(128, np.float32), TrackTransform("sum_sqrt"), PRESETS["enformer"])


def test_baselines():
    signal = np.arange(100.0)
    signal[40:60] = np.nan
    black = np.zeros(100, bool)
    black[80:90] = True
    zeroed = np.nan_to_num(signal)
    for name, percentile in (("enformer", 10), ("borzoi", 25), ("baskerville", 50)):
        baseline = np.percentile(zeroed, percentile)
        found = fill_baseline(signal, black, PRESETS[name])
        assert found[45] == pytest.approx(baseline)
        assert found[85] == pytest.approx(
            baseline
        )  # larger than the baseline: set or clipped, it is the baseline
        assert found[95] == 95
        low = np.zeros(100, bool)
        low[1] = True
        assert fill_baseline(signal, low, PRESETS[name])[1] == pytest.approx(
            baseline if name == "enformer" else 1
        )
    # of a sparse assay nothing is made up
    sparse = np.full(1000, np.nan)
    sparse[[5, 500]] = 7
    for preset in PRESETS.values():
        assert fill_baseline(sparse, None, preset).sum() == 14


def test_unmappable_bins():
    targets = np.array([[0.0, 1, 2, 3, 4], [5, 0, 0, 0, 9]], np.float32)
    hidden = np.array([True, False, False, False, True])
    assert lower_unmappable(targets, hidden, PRESETS["enformer"]).tolist() == [
        [1, 1, 2, 3, 1],
        [0, 0, 0, 0, 0],
    ]
    assert lower_unmappable(targets, hidden, PRESETS["borzoi"]).tolist() == [[0, 1, 2, 3, 1], [0, 0, 0, 0, 0]]
    assert lower_unmappable(targets, ~hidden & hidden, PRESETS["borzoi"]) is targets


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("file\na\n", "no column 'identifier'"),
        ("identifier\tclip\na\t0\n", "clip must be positive"),
        ("identifier\tscale\na\tx\n", "not a number"),
        ("identifier\tstrand_pair\na\t1\nb\t1\n", "pairs must name each other"),
        ("identifier\tstrand_pair\na\t7\n", "number of a row"),
    ],
)
def test_tables_that_are_wrong(text, words, tmp_path):
    (tmp_path / "t.txt").write_text(text)
    with pytest.raises(InputError, match=words):
        read_targets(tmp_path / "t.txt")


def test_leaving_out_takes_the_strand_partner_along(tmp_path, remarks):
    (tmp_path / "t.txt").write_text(
        "identifier\tfile\tstrand_pair\tclip\nA+\ta\t1\t5\nA-\tb\t0\t5\nB\tc\t2\t\nC+\td\t4\t5\nC-\te\t3\t5\nB\tf\t5\t1\n"
    )
    table = read_targets(tmp_path / "t.txt")
    assert table["name"].tolist() == ["A+", "A-", "B#2", "C+", "C-", "B#5"]
    assert transform_of(table.iloc[2]).clip is None
    found = leave_out(table, {1: "b does not exist"})
    assert found["name"].tolist() == ["B#2", "C+", "C-", "B#5"]
    assert found["strand_pair"].tolist() == [0, 2, 1, 3]
    told = remarks()
    assert "track A- is left out: b does not exist" in told
    assert "track A+ is left out: its strand partner A- is left out" in told
    assert isinstance(found, pd.DataFrame)
