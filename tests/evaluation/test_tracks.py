"""The task ``tracks``: correlations by sums, intervals, the k-mer ridge, DNA that keeps its pairs of letters."""

import numpy as np
import pandas as pd
import pytest

from cistron.errors import InputError
from cistron.evaluation.tracks import (
    Predictor,
    SiteValues,
    TrackData,
    dinucleotide_shuffle,
    expression_tracks,
    fit_kmer_ridge,
    place_start_sites,
    replicate_predictor,
    replicates_of,
    score_start_sites,
    score_tracks,
    site_table,
)
from cistron.evaluation.tracks.baselines import kmer_features
from cistron.evaluation.tracks.scoring import assay_of
from cistron.evaluation.tracks.start_sites import across_genes, across_tracks
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


def test_start_sites_across_genes_and_across_tracks():
    sequences = pd.DataFrame(
        {"chromosome": ["chr1", "chr1", "chr2"], "start": [0, 1280, 0], "end": [1280, 2560, 1280]}
    )
    sites = pd.DataFrame(
        {
            "gene": ["a", "b", "c", "edge", "far", "d"],
            "chromosome": ["1", "1", "1", "1", "3", "2"],  # named without chr, as in Ensembl's files
            "position": [300, 1280 + 640, 1280 + 900, 1280 + 20, 300, 700],
            "strand": ["+", "-", "+", "+", "+", "-"],
        }
    )
    places = place_start_sites(sites, sequences)
    assert dict(zip(places.gene, places.sequence)) == {
        "a": 0,
        "b": 1,
        "c": 1,
        "d": 2,
    }  # the edge lacks a neighbour
    assert places.bin.tolist() == [2, 5, 7, 5]
    tracks = pd.DataFrame(
        {
            "name": list("pqrstu"),
            "identifier": ["x+", "x-", "y-", "y+", "z", "w"],
            "description": ["CAGE:x", "CAGE:x", "CAGE:y", "CAGE:y", "CAGE:z", "DNASE:w"],
            "strand_pair": [1, 0, 3, 2, 4, 5],
        }
    )
    forward, backward = expression_tracks(tracks)
    assert forward.tolist() == [0, 3, 4]
    assert backward.tolist() == [1, 2, 4]
    random = np.random.default_rng(5)
    observed = random.gamma(1, 5, (3, 10, 6)).astype(np.float32)
    predicted = observed * random.gamma(4, 0.25, observed.shape).astype(np.float32)

    def blocks():
        yield np.array([0]), observed[:1], predicted[:1]
        yield np.array([1, 2]), observed[1:], predicted[1:]

    values = SiteValues(places, forward, backward)
    for _ in values.gathering(Predictor("model", blocks)).blocks():
        pass
    chosen = [(0, 2, forward), (1, 5, backward), (1, 7, forward), (2, 5, backward)]
    by_hand = [
        np.array(
            [
                np.log1p(array[place, middle - 1 : middle + 2][:, numbers].sum(axis=0))
                for place, middle, numbers in chosen
            ]
        )
        for array in (observed, predicted)
    ]
    assert values.observed == pytest.approx(by_hand[0], rel=1e-5)
    assert values.predicted["model"] == pytest.approx(by_hand[1], rel=1e-5)
    rows = score_start_sites(values, TrackData("planted", "test", 3, tracks), draws=20)
    found = {row["metric"]: row for row in rows}
    expected = np.mean([np.corrcoef(by_hand[0][:, n], by_hand[1][:, n])[0, 1] for n in range(3)])
    assert found["pearson_start_sites"]["value"] == pytest.approx(expected)
    level = [(one - one.mean(0)) / one.std(0) for one in by_hand]
    expected = np.mean([np.corrcoef(level[0][gene], level[1][gene])[0, 1] for gene in range(4)])
    assert found["pearson_across_tracks"]["value"] == pytest.approx(expected)
    assert found["pearson_across_tracks"]["n"] == 4
    # the level of a track says nothing within genes; across genes a constant says nothing
    constant = np.ones_like(by_hand[0]) * [1, 2, 3]
    assert np.nan_to_num(across_tracks(by_hand[0], constant)).tolist() == [0] * 4
    assert across_genes(by_hand[0], constant).tolist() == [0] * 3
    twice = across_genes(by_hand[0], by_hand[1], np.array([2, 1, 1, 0]))
    rows_twice = [np.array(one)[[0, 0, 1, 2]] for one in by_hand]
    assert twice[0] == pytest.approx(np.corrcoef(rows_twice[0][:, 0], rows_twice[1][:, 0])[0, 1])
    table = site_table(values, "model")
    assert table["gene"].tolist() == ["a", "b", "c", "d"]
    with pytest.raises(InputError, match="0 of 1 genes lie in the 3 sequences"):
        place_start_sites(sites[sites["gene"] == "far"], sequences)
    with pytest.raises(InputError, match="no track is described as CAGE"):
        expression_tracks(tracks[tracks["name"] == "u"].reset_index(drop=True))
    with pytest.raises(InputError, match="the strand is not known"):
        expression_tracks(tracks.assign(identifier="x"))


def test_replicates_are_the_ceiling():
    tracks = pd.DataFrame(
        {
            "name": list("abcdefgh"),
            "identifier": ["a+", "a-", "b+", "b-", "c", "d", "e", "f"],
            "description": [
                *["CAGE:CD4+ T Cells, donor1"] * 2,
                *["CAGE:CD4+ T cells, donor2"] * 2,
                "DNASE:K562",
                "DNASE:K562",
                "DNASE:HepG2",
                "",
            ],
            "strand_pair": [1, 0, 3, 2, 4, 5, 6, 7],
        }
    )
    found = replicates_of(tracks)
    assert [one.tolist() for one in found] == [[2], [3], [0], [1], [5], [4], [], []]
    # strands that are not known have no replicates
    assert not any(len(one) for one in replicates_of(tracks.assign(identifier="x"))[:4])
    random = np.random.default_rng(6)
    truth = random.gamma(1, 5, (10, 30, 8))
    truth[..., [2, 3, 5]] = truth[..., [0, 1, 4]]
    counts = random.poisson(truth).astype(np.float32)
    model = Predictor("model", lambda: iter([(np.arange(10), counts, truth.astype(np.float32))]))
    ceiling = replicate_predictor(model, found)
    assert ceiling.tracks.tolist() == [True] * 6 + [False] * 2
    paired = np.array([len(one) > 0 for one in found])
    data = TrackData("planted", "test", 10, tracks, {"tracks that have replicates": paired})
    scores, by_track = score_tracks(data, [model, ceiling], reference="", control=None, draws=50)
    pearson = scores[scores["metric"] == "pearson"].set_index(["embedding", "target"])["value"]
    target = "mean of 6 tracks that have replicates"
    expected = np.mean(
        [
            np.corrcoef(counts[..., a].ravel(), counts[..., b].ravel())[0, 1]
            for a, b in ((0, 2), (1, 3), (4, 5))
        ]
    )
    assert pearson["replicate tracks", target] == pytest.approx(expected, abs=1e-5)
    assert pearson["model", target] > pearson["replicate tracks", target]  # noise on one side only
    assert ("replicate tracks", "mean of 8 all tracks") not in pearson
    assert (by_track["predictor"] == "replicate tracks").sum() == 6
