"""The task ``tracks``: correlations by sums, intervals, the k-mer ridge, DNA that keeps its pairs of letters."""

import numpy as np
import pandas as pd
import pytest

from cistron.errors import InputError
from cistron.evaluation.tracks import (
    Predictor,
    TrackData,
    dinucleotide_shuffle,
    fit_kmer_ridge,
    score_tracks,
)
from cistron.evaluation.tracks.baselines import kmer_features
from cistron.evaluation.tracks.scoring import assay_of
from cistron.statistics.streaming_correlation import CorrelationSums


def test_sums_give_the_correlation_of_all_bins():
    random = np.random.default_rng(0)
    observed, predicted = random.gamma(1, 2, (2, 7, 3, 20))
    predicted[:, 2] = 1.0  # does not vary
    sums = CorrelationSums(7, 3)
    for rows in (np.array([0, 3]), np.array([6, 1, 2]), np.array([4, 5])):
        sums.add(rows, observed[rows], predicted[rows])
    flat = [values.transpose(1, 0, 2).reshape(3, -1) for values in (observed, predicted)]
    for track in (0, 1):
        assert sums.pearson()[track] == pytest.approx(np.corrcoef(flat[0][track], flat[1][track])[0, 1])
        means = [values[:, track].mean(axis=1) for values in (observed, predicted)]
        assert sums.pearson_of_means()[track] == pytest.approx(np.corrcoef(*means)[0, 1])
    assert np.isnan(sums.pearson()[2])
    # a draw that takes the third sequence twice and leaves out the first
    weights = np.array([[0, 1, 2, 1, 1, 1, 1]])
    twice = np.repeat(np.arange(7), weights[0])
    flat = [values[twice][:, 0].ravel() for values in (observed, predicted)]
    assert sums.pearson(weights)[0, 0] == pytest.approx(np.corrcoef(*flat)[0, 1])
    assert sums.pearson_of_means(weights).shape == (1, 3)


def test_scores():
    random = np.random.default_rng(1)
    truth = random.gamma(1, 2, (12, 20, 3)).astype(np.float32)
    tracks = pd.DataFrame({"name": ["a", "b", "c"], "description": ["CAGE:x", "CAGE:y", "DNASE:z"]})
    noisy = {
        name: truth + random.normal(0, spread, truth.shape)
        for name, spread in (("model", 1), ("ridge", 4), ("shuffled", 50))
    }

    def blocks(name):
        return lambda: (
            (np.arange(low, low + 4), truth[low : low + 4], noisy[name][low : low + 4]) for low in (0, 4, 8)
        )

    data = TrackData("planted", "test", 12, tracks)
    scores, by_track = score_tracks(
        data,
        [Predictor(name, blocks(name)) for name in noisy],
        reference="ridge",
        control="shuffled",
        draws=200,
        run_id="r",
    )
    whole = scores[(scores["metric"] == "pearson") & scores["target"].str.endswith("all tracks")].set_index(
        "embedding"
    )
    assert whole.loc["model", "value"] > whole.loc["ridge", "value"] > whole.loc["shuffled", "value"]
    assert whole.loc["model", "null_value"] == whole.loc["ridge", "value"]
    assert whole.loc["model", "control_value"] == whole.loc["shuffled", "value"]
    assert (whole["low"] <= whole["value"]).all()
    assert (whole["value"] <= whole["high"]).all()
    difference = scores[
        (scores["metric"] == "pearson_difference") & scores["target"].str.endswith("all tracks")
    ]
    assert difference.set_index("embedding").loc["model", "low"] > 0
    assert set(scores["target"]) == {
        "mean of 3 all tracks",
        "mean of 2 CAGE tracks",
        "mean of 1 DNASE tracks",
    }
    expected = np.corrcoef(truth[..., 2].ravel(), noisy["model"][..., 2].ravel())[0, 1]
    own = by_track[(by_track["predictor"] == "model") & (by_track["track"] == "c")]
    assert own["pearson"].item() == pytest.approx(expected, abs=1e-5)
    assert assay_of("no colon") == "other"
    with pytest.raises(InputError, match="no sequences"):
        score_tracks(TrackData("x", "test", 0, tracks), [], reference="", control=None)


def test_features_are_those_of_both_strands():
    codes = np.random.default_rng(2).integers(0, 5, 128 * 6).astype(np.uint8)
    other = np.array([3, 2, 1, 0, 4], np.uint8)[codes[::-1]]
    first, second = kmer_features(codes, 1, 4), kmer_features(other, 1, 4)
    assert first.shape == (4, 512 + 3 * 34 + 34 + 1)
    # words that begin in one bin and end in the next are counted at their left end
    assert np.abs(first[::-1] - second).sum(axis=1).max() < 40
    assert first[:, -1].tolist() == [1] * 4


def test_the_ridge_finds_a_word_and_nothing_in_noise():
    random = np.random.default_rng(3)
    codes = random.integers(0, 4, (60, 128 * 8)).astype(np.uint8)
    word = np.array([2, 0, 3, 0, 0], np.uint8)
    targets = np.zeros((60, 8, 2), np.float32)
    for row in range(60):
        for number in range(8):
            if random.random() < 0.4:
                for copy in range(4):
                    codes[row, number * 128 + 20 + 20 * copy :][:5] = word
                targets[row, number, 0] = 5
    targets[..., 1] = random.gamma(1, 1, (60, 8))
    targets += 1

    def part(low, high):
        return [(codes[low:high], targets[low:high])]

    ridge = fit_kmer_ridge(part(0, 40), lambda: part(40, 50), 0)
    predicted = ridge.predict(codes[50:])
    found = [
        np.corrcoef(predicted[..., track].ravel(), targets[50:, :, track].ravel())[0, 1] for track in (0, 1)
    ]
    assert found[0] > 0.9
    assert abs(found[1]) < 0.4
    assert predicted[..., 0].mean() == pytest.approx(targets[50:, :, 0].mean(), abs=0.6)
    with pytest.raises(InputError, match="no training sequences"):
        fit_kmer_ridge([], lambda: [], 0)


def test_shuffled_dna_keeps_every_pair_of_letters():
    random = np.random.default_rng(4)
    codes = random.integers(0, 4, 3000).astype(np.uint8)
    codes[1000:1010] = 4
    shuffled = dinucleotide_shuffle(codes, 0, 7)
    for low, high in ((0, 1000), (1010, 3000)):
        pairs = [
            np.bincount(one[low:high][:-1] * 4 + one[low:high][1:], minlength=16) for one in (codes, shuffled)
        ]
        assert (pairs[0] == pairs[1]).all()
        assert (codes[low:high] != shuffled[low:high]).mean() > 0.6
    assert (shuffled[1000:1010] == 4).all()
    assert (shuffled == dinucleotide_shuffle(codes, 0, 7)).all()
    assert (shuffled != dinucleotide_shuffle(codes, 0, 8)).any()
