"""Scaled gene bodies and distal elements: exact against base-by-base signal, and learned where only they know."""

import itertools
import json

import numpy as np
import pandas as pd
import pybigtools
import pytest

from cistron.chromatin.build import build_gene_tracks
from cistron.chromatin.design import design_epigenome
from cistron.chromatin.epigenesis import epigenesis
from cistron.chromatin.estimator import ExpressionPredictor, predict_expression
from cistron.chromatin.settings import BuildSettings, EpigenesisSettings, MarkRidgeSettings
from cistron.chromatin.track_quality import track_quality
from cistron.errors import InputError
from cistron.formats.browser_files import write_browser_files
from cistron.genome.tracks import bin_signal, part_edges

LENGTH = 120_000
GENES = "gene\tchromosome\tstart\tend\tstrand\nplus\tchr1\t30000\t41003\t+\nminus\tchr1\t50000\t63001\t-\nshort\tchr1\t90000\t90007\t-\n"
# the columns and the class of the ABC model; the first element lies in the window of its gene
CONTACTS = (
    "chr\tstart\tend\tTargetGene\tABC.Score\tCellType\n"
    "chr1\t30100\t30400\tplus\t0.9\tliver\nchr1\t70000\t70500\tplus\t0.3\tliver\nchr1\t80000\t81000\tplus\t0.1\tliver\n"
    "chr1\t10000\t10500\tminus\t0.2\tliver\nchr1\t5000\t5500\tminus\t0.2\tkidney\nchr1\t5000\t5500\tabsent\t0.2\tliver\n"
)


def written(path, base):
    """Write a bigWig of signal that is given base by base, in runs; 0 is left uncovered."""
    cuts = np.concatenate([[0], np.flatnonzero(np.diff(base)) + 1, [len(base)]])
    runs = [("chr1", int(a), int(b), float(base[a])) for a, b in itertools.pairwise(cuts) if base[a]]
    pybigtools.open(str(path), "w").write({"chr1": len(base)}, iter(runs))


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("places")
    random = np.random.default_rng(4)
    signals = {}
    for name in ("a", "b"):
        widths = random.integers(3, 60, LENGTH)
        base = np.repeat(random.gamma(0.5, 3.0, LENGTH).astype(np.float32), widths)[:LENGTH].astype(float)
        signals[name] = np.where(base < 0.3, 0.0, base)
        written(folder / f"{name}.bw", signals[name])
    (folder / "tracks.tsv").write_text("cell_type\tmark\tpath\nliver\tH3K27ac\ta.bw\nkidney\tH3K27ac\tb.bw\n")
    (folder / "genes.tsv").write_text(GENES)
    (folder / "contacts.tsv").write_text(CONTACTS)
    return folder, signals


def build(folder, name, **changes):
    settings = BuildSettings(**{"window": 4000, **changes.pop("settings", {})})
    return build_gene_tracks(
        folder / name,
        tracks=folder / "tracks.tsv",
        annotation=folder / "genes.tsv",
        settings=settings,
        **changes,
    )


def means(base, edges):
    return [base[a : max(b, a + 1)].mean() for a, b in itertools.pairwise(edges)]


def test_gene_bodies_are_scaled_between_flanks_in_the_direction_of_transcription(files):
    folder, signals = files
    store = build(folder, "bodies.zarr", settings={"gene_body_bins": 12})
    assert (store.bins, store.gene_body_bins, store.positions()[20]) == (40, 12, 0)
    values = store.tracks.values.take(np.arange(3))
    for cell, name in enumerate("ab"):
        base = signals[name]
        body = 30_000 + np.arange(13) * 11_003 // 12
        upstream, behind = np.arange(28_000, 30_001, 100), 41_003 + np.arange(9) * 100
        plus = [*means(base, upstream), *means(base, body), *means(base, behind)]
        np.testing.assert_allclose(values[0, cell, 0], np.log1p(plus), rtol=1e-5)
        body = 50_000 + np.arange(13) * 13_001 // 12
        upstream, behind = np.arange(63_001, 65_002, 100), np.arange(49_200, 50_001, 100)
        minus = [*means(base, behind), *means(base, body), *means(base, upstream)][::-1]
        np.testing.assert_allclose(values[1, cell, 0], np.log1p(minus), rtol=1e-5)
        # seven base pairs in twelve bins: each bin is one of them
        edges = 90_000 + np.arange(12) * 7 // 12
        np.testing.assert_allclose(values[2, cell, 0, 20:32], np.log1p(base[edges][::-1]), rtol=1e-5)


def test_parts_of_windows_count_what_is_covered_and_what_is_asked(files):
    folder, signals = files
    windows = pd.DataFrame({"chromosome": "chr1", "start": [500], "end": [1777], "strand": ["+"]})
    base = signals["a"][500:1777]
    left, right = (edge[0] - 500 for edge in part_edges(np.array([500]), np.array([1777]), 9))
    cut = [base[a:b] for a, b in zip(left, right)]
    for options, expected in (
        ({"transform": "none", "uncovered": "skip"}, [part[part > 0].mean() for part in cut]),
        ({"transform": "mean-log1p"}, [np.log1p(part).mean() for part in cut]),
    ):
        found = bin_signal(folder / "a.bw", windows, parts=9, **options)
        np.testing.assert_allclose(found[0], expected, rtol=1e-5)


def test_a_blacklist_finds_the_bins_of_scaled_bodies(files):
    folder, _ = files
    (folder / "black.bed").write_text("chr1\t30950\t31000\nchr1\t41003\t41004\nchr1\t62000\t62001\n")
    store = build(
        folder,
        "black.zarr",
        settings={"gene_body_bins": 12, "transform": "none"},
        blacklist=folder / "black.bed",
    )
    plain = build(folder, "plain.zarr", settings={"gene_body_bins": 12, "transform": "none"})
    values, whole = (one.tracks.values.take(np.arange(2)) for one in (store, plain))
    emptied = [np.flatnonzero((values[gene] != whole[gene]).any(axis=(0, 1))).tolist() for gene in (0, 1)]
    # 30,950 to 31,000 lies in the second twelfth of the body; 62,000 is 1,000 behind the start site of minus, in its first twelfth
    assert emptied == [[21, 32], [20]]


def test_a_track_over_distal_elements_is_the_mean_weighted_by_the_score(files, remarks):
    folder, signals = files
    store = build(folder, "distal.zarr", contacts=folder / "contacts.tsv")
    assert store.marks == ["H3K27ac", "H3K27ac distal"]
    assert store.distal.tolist() == [False, True]
    assert "1 lie in the window of their gene" in remarks()
    values = store.tracks.values.take(np.arange(3))[:, :, 1]
    assert (values == values[..., :1]).all()
    liver, kidney = signals["a"], signals["b"]
    plus = np.log1p((0.3 * liver[70_000:70_500].mean() + 0.1 * liver[80_000:81_000].mean()) / 0.4)
    expected = [
        [plus, 0],
        [np.log1p(liver[10_000:10_500].mean()), np.log1p(kidney[5000:5500].mean())],
        [0, 0],
    ]
    np.testing.assert_allclose(values[..., 0], expected, rtol=1e-5)
    assert not list(folder.glob(".*"))  # neither shards of windows nor of elements stay


def test_what_has_no_place_is_left_out_of_maps_profiles_and_browser_files(files, tmp_path):
    folder, _ = files
    store = build(folder, "shown.zarr", contacts=folder / "contacts.tsv")
    assert set(track_quality(store).tracks["mark"]) == {"H3K27ac"}
    names = {path.name for path in write_browser_files(store.path, tmp_path / "browser")}
    assert names == {"H3K27ac.bw", "windows.bed"}
    scaled = build(folder, "scaled.zarr", settings={"gene_body_bins": 12})
    with pytest.raises(InputError, match=r"scaled\.zarr has gene bodies scaled to 12 bins"):
        write_browser_files(scaled.path, tmp_path / "other")


def test_wrong_places_are_told(files, tmp_path):
    folder, _ = files
    genes, contacts = tmp_path / "genes.tsv", tmp_path / "contacts.tsv"

    def told(text, message, **changes):
        (contacts if "Score" in text or "score" in text else genes).write_text(text)
        with pytest.raises(InputError, match=message):
            build_gene_tracks(
                tmp_path / "x.zarr",
                tracks=folder / "tracks.tsv",
                annotation=genes if genes.exists() else folder / "genes.tsv",
                settings=BuildSettings(window=4000, **changes),
                contacts=contacts if contacts.exists() else None,
            )

    head = "gene\tchromosome\tstart\tend\tscore\n"
    told("chr\tstart\tend\tABC.Score\nchr1\t1\t2\t3\n", "no column for the gene; expected one of gene")
    told(
        head + "plus\tchr1\t70000\t70500\tnan\n",
        "score must be a number of at least 0. Given: 'nan' in row 1",
    )
    told(head + "plus\tchr1\t70500\t70500\t1\n", "row 1 ends where it starts")
    told(
        head + "other\tchr1\t70000\t70500\t1\n",
        "no link is of a gene of the marks .it has other, they have plus",
    )
    told(head + "plus\tchr1\t30000\t30500\t1\n", "all 1 elements lie in the window of their gene")
    told(
        head.replace("score", "score\tcell_type") + "plus\tchr1\t70000\t70500\t1\tLiver\n",
        "no link is of a cell type of the marks .it has Liver, they have liver",
    )
    contacts.unlink()
    told(
        "gene\tchromosome\tposition\tstrand\na\tchr1\t30000\t+\n", "has no column 'start'", gene_body_bins=12
    )
    told(
        "gene\tchromosome\tposition\tstart\tend\tstrand\na\tchr1\t30000\t100\t200\t+\n",
        "1 genes end in front of their start site, for example a",
        gene_body_bins=12,
    )
    with pytest.raises(InputError, match="gene_body_bins must be at most 20"):
        BuildSettings(window=4000, gene_body_bins=21)
    for option in ({"contacts": contacts}, {"settings": BuildSettings(gene_body_bins=5)}):
        with pytest.raises(InputError, match="is for bigWigs"):
            build_gene_tracks(tmp_path / "y.zarr", binned=tmp_path / "no.npz", **option)


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """Genes whose expression one element far away sets; the marks around their start sites say nothing."""
    folder = tmp_path_factory.mktemp("planted")
    random = np.random.default_rng(8)
    genes, spacing = 220, 4000
    height = random.gamma(2.0, 3.0, (genes, 2))
    rows = pd.DataFrame(
        {
            "gene": [f"g{n}" for n in range(genes)],
            "chromosome": [f"chr{n % 22 + 1}" for n in range(genes)],
            "position": 2000 + spacing * (np.arange(genes) // 22),
            "strand": "+",
        }
    )
    rows.to_csv(folder / "genes.tsv", sep="\t", index=False)
    element = 60_000 + 500 * (np.arange(genes) // 22)
    links = rows[["gene", "chromosome"]].assign(
        start=element, end=element + 400, score=random.random(genes) + 0.1
    )
    links.to_csv(folder / "contacts.tsv", sep="\t", index=False)
    sizes = {f"chr{n}": 80_000 for n in range(1, 23)}
    listed = ["cell_type\tmark\tpath"]
    for cell in range(2):
        places = []
        for n in range(genes):
            near = random.gamma(1.0, 2.0, 20)
            left = int(rows["position"][n]) - 1000
            places += [
                (rows["chromosome"][n], left + 100 * k, left + 100 * k + 100, near[k]) for k in range(20)
            ]
            places.append((rows["chromosome"][n], int(element[n]), int(element[n]) + 400, height[n, cell]))
        pybigtools.open(str(folder / f"{cell}.bw"), "w").write(sizes, iter(sorted(places)))
        listed.append(f"cell_{cell}\tH3K27ac\t{cell}.bw")
    (folder / "tracks.tsv").write_text("\n".join(listed) + "\n")
    levels = pd.DataFrame(
        np.expm1(np.log1p(height) + random.normal(0, 0.1, height.shape)).clip(0), rows["gene"]
    )
    levels.set_axis(["cell_0", "cell_1"], axis=1).to_csv(folder / "tpm.tsv", sep="\t")
    stores = [
        build_gene_tracks(
            folder / f"{name}.zarr",
            tracks=folder / "tracks.tsv",
            annotation=folder / "genes.tsv",
            expression=folder / "tpm.tsv",
            contacts=contacts,
            settings=BuildSettings(window=2000),
        )
        for name, contacts in (("with", folder / "contacts.tsv"), ("without", None))
    ]
    return stores


def correlation(store):
    model = ExpressionPredictor(MarkRidgeSettings(bins=4), method="ridge", seed=0).fit(store)
    found = predict_expression(model, store)
    test = (found.var["split"] == "test").to_numpy()
    return float(
        np.corrcoef(*(np.asarray(found.layers[name])[:, test].ravel() for name in ("predicted", "observed")))[
            0, 1
        ]
    )


def test_planted_distal_signal_is_learned_from_the_distal_track_alone(planted):
    assert correlation(planted[0]) > 0.95
    assert abs(correlation(planted[1])) < 0.3


def test_distal_tracks_are_neither_slid_over_nor_edited(planted):
    from tests.chromatin.conftest import TINY

    store = planted[0]
    model = ExpressionPredictor(TINY, seed=1).fit(store)
    assert json.loads(json.dumps(model.facts))["distal_marks"] == ["H3K27ac distal"]
    found = epigenesis(model, store, np.arange(3), EpigenesisSettings(draws=10))
    assert found.marks == ["H3K27ac"]
    from cistron.chromatin.settings import DesignSettings

    design = design_epigenome(model, store, np.arange(2), DesignSettings(fold=1.2, steps=10))
    assert np.array_equal(design.designed[:, :, 1], design.original[:, :, 1])
    assert not np.array_equal(design.designed[:, :, 0], design.original[:, :, 0])
    with pytest.raises(InputError, match="there is no mark 'H3K27ac distal'; there are H3K27ac"):
        design_epigenome(model, store, np.arange(2), DesignSettings(marks=("H3K27ac distal",)))
