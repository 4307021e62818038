"""The chromatin commands end to end, and what they say to bad input."""

import json

import numpy as np
import pandas as pd
import pybigtools
import pytest

from cistron.formats import read_gene_embedding
from cistron.formats.designed_epigenome import read_designed_epigenome
from cistron.formats.epigenesis import read_epigenesis
from cistron.formats.gene_tracks import open_gene_tracks
from cistron.formats.prediction import read_prediction
from cistron.formats.tracks import check_tracks
from cistron.world.chromatin import (
    MARKS,
    ChromatinWorldSettings,
    chromatin_world,
    write_bigwigs,
    write_binned,
)

WORLD = ChromatinWorldSettings(genes=132, cell_types=3)
TINY = (
    "--network.members", 2, "--network.channels", 8, "--network.kernel", 5, "--network.dilations", 1,
    "--network.coarse", 10, "--network.no-halve", "--network.fit.epochs", 2, "--threads", 1,
)  # fmt: skip


@pytest.fixture(scope="module")
def world():
    return chromatin_world(WORLD, seed=7)


@pytest.fixture(scope="module")
def bigwigs(world, tmp_path_factory):
    return write_bigwigs(world, tmp_path_factory.mktemp("bigwigs") / "world")


@pytest.fixture(scope="module")
def arrays(world, tmp_path_factory):
    return write_binned(world, tmp_path_factory.mktemp("arrays") / "world")


@pytest.fixture
def data(run, arrays, tmp_path):
    code, _, errors = run(
        "chromatin", "build", "--binned", arrays["marks"], "--annotation", arrays["genes"],
        "--expression", arrays["expression"], "--transform", "logged", "-o", tmp_path / "marks.zarr",
    )  # fmt: skip
    assert code == 0, errors
    return tmp_path / "marks.zarr"


def test_bigwigs_become_the_planted_marks(run, world, bigwigs, tmp_path):
    code, out, errors = run(
        "chromatin", "build", "--tracks", bigwigs["tracks"], "--annotation", bigwigs["genes"],
        "--expression", bigwigs["expression"], "-o", tmp_path / "marks.zarr",
    )  # fmt: skip
    assert code == 0, errors
    assert "132 genes x 3 cell types x 6 marks x 200 bins; 1 tracks missing; expression: log1p_tpm" in out
    assert check_tracks(tmp_path / "marks.zarr") == []
    store = open_gene_tracks(tmp_path / "marks.zarr")
    order = [MARKS.index(mark) for mark in store.marks]
    assert (store.tracks.measured == world.measured[:, order]).all()
    values = np.asarray(store.tracks.values[:])
    np.testing.assert_allclose(
        values[:, store.tracks.measured], world.values[:, :, order][:, store.tracks.measured], atol=1e-4
    )
    assert np.isnan(values[:, ~store.tracks.measured]).all()
    np.testing.assert_allclose(store.expression, world.expression, atol=1e-3)
    assert len(store.origin) == world.measured.sum()
    assert set(store.origin["kind"]) == {"measured"}
    assert len(store.origin["sha256"].iloc[0]) == 64
    assert sorted(path.name for path in tmp_path.iterdir()) == ["marks.zarr", "marks.zarr.run.json"]


def test_from_marks_to_predictions(run, data, tmp_path):
    code, out, errors = run("chromatin", "train", data, *TINY, "-o", tmp_path / "model")
    assert code == 0, errors
    assert "network fitted on 72 genes in 3 cell types" in out
    assert {path.name for path in (tmp_path / "model").iterdir()} >= {"run.json", "member_1.log.csv"}
    assert not (tmp_path / "model.fit").exists()
    code, out, errors = run("chromatin", "predict", tmp_path / "model", data, "-o", tmp_path / "p.h5ad")
    assert code == 0, errors
    assert "132 genes (72 train, 48 test, 12 validation) x 3 cell types" in out
    result = read_prediction(tmp_path / "p.h5ad")
    assert result.uns["cistron"]["evidence"] == "chromatin"
    code, _, errors = run("chromatin", "predict", tmp_path / "model", data, "-o", tmp_path / "p.tsv")
    assert code == 0, errors
    table = pd.read_csv(tmp_path / "p.tsv", sep="\t", index_col=0)
    np.testing.assert_allclose(table.to_numpy().T, result.layers["predicted"], rtol=1e-4)
    code, _, errors = run(
        "chromatin", "train", data, "--method", "ridge", "--preset", "window", "-o", tmp_path / "ridge"
    )
    assert code == 0, errors
    code, out, _ = run("chromatin", "methods")
    assert "gene-mean" in out


def test_questions_to_a_network(run, fails, data, tmp_path):
    """Map, design and embedding from the command line, and their bad inputs."""
    model = tmp_path / "model"
    assert run("chromatin", "train", data, *TINY, "-o", model)[0] == 0
    code, out, errors = run(
        "chromatin",
        "epigenesis",
        model,
        data,
        "--background",
        "real",
        "--genes",
        20,
        "-o",
        tmp_path / "map",
        "--threads",
        1,
    )
    assert code == 0, errors
    assert "H3K4me3" in out
    assert read_epigenesis(tmp_path / "map" / "map.zarr").effect.shape == (20, 6, 20, 3)
    page = (tmp_path / "map" / "report.html").read_text()
    assert "What a peak of each mark does" in page
    design = ("chromatin", "design", model, data, "--gene", "PLANTED00014", "--threads", 1)
    code, out, errors = run(*design, "--fold", 1.2, "--quantile", 1, "-o", tmp_path / "d.zarr")
    assert code == 0, errors
    assert "of the wanted change" in out
    made = read_designed_epigenome(tmp_path / "d.zarr")
    assert check_tracks(tmp_path / "d.zarr") == []
    assert made.outcome["share"].iloc[0] >= 0.899
    assert (tmp_path / "d.edits.tsv").exists()
    assert len(made.edits) == made.outcome["edited_blocks"].iloc[0]
    code, _, errors = run("chromatin", "embed", model, data, "--dimensions", 5, "-o", tmp_path / "e.h5ad")
    assert code == 0, errors
    assert read_gene_embedding(tmp_path / "e.h5ad").shape == (132, 5)
    impossible = (*design, "--fold", 1e6, "--marks", "H3K9me3", "--steps", 10)
    message = fails(*impossible, "-o", tmp_path / "i.zarr")
    assert "the constraints do not allow the target" in message
    assert "% , wanted" not in message
    assert not (tmp_path / "i.zarr").exists()
    assert run(*impossible, "--allow-shortfall", "-o", tmp_path / "i.zarr")[0] == 0
    assert "no gene was given" in fails("chromatin", "design", model, data, "-o", tmp_path / "x.zarr")
    assert "1 of 1 genes are not in" in fails(
        "chromatin", "design", model, data, "--gene", "GATA1", "-o", tmp_path / "x.zarr"
    )
    assert "no mark 'H4'" in fails(*design, "--marks", "H4", "-o", tmp_path / "x.zarr")
    assert "no cell type 'liver'" in fails(
        "chromatin", "epigenesis", model, data, "--cell-type", "liver", "-o", tmp_path / "m2"
    )
    ridge = tmp_path / "ridge"
    run("chromatin", "train", data, "--method", "ridge", "-o", ridge)
    assert "needs a network" in fails("chromatin", "embed", ridge, data, "-o", tmp_path / "x.h5ad")


def test_data_without_expression_are_predicted_as_a_table(run, fails, data, arrays, tmp_path):
    run("chromatin", "train", data, "--method", "ridge", "-o", tmp_path / "model")
    bare = tmp_path / "bare.zarr"
    assert run("chromatin", "build", "--binned", arrays["marks"], "--transform", "logged", "-o", bare)[0] == 0
    message = fails("chromatin", "predict", tmp_path / "model", bare, "-o", tmp_path / "p.h5ad")
    assert "has no expression" in message
    assert run("chromatin", "predict", tmp_path / "model", bare, "-o", tmp_path / "p.tsv")[0] == 0
    assert "has no expression" in fails("chromatin", "train", bare, "--method", "ridge", "-o", tmp_path / "m")


class TestBadInput:
    """Each is one line on standard error, exit code 2, and nothing is left behind."""

    @pytest.fixture
    def build(self, fails, bigwigs, arrays, tmp_path):
        def _build(**changes):
            options = {
                "tracks": bigwigs["tracks"],
                "annotation": bigwigs["genes"],
                "expression": bigwigs["expression"],
            } | changes
            if "binned" in changes:
                del options["tracks"]
            given = [part for key, value in options.items() if value for part in (f"--{key}", value)]
            message = fails("chromatin", "build", *given, "-o", tmp_path / "out.zarr")
            left = [p.name for p in tmp_path.iterdir() if "out" in p.name and "shards" not in p.name]
            assert not left
            return message

        return _build

    @staticmethod
    def listed(bigwigs, folder, change):
        table = pd.read_csv(bigwigs["tracks"], sep="\t")
        table["path"] = [str(bigwigs["tracks"].parent / name) for name in table["path"]]
        table = change(table)
        table.to_csv(folder / "list.tsv", sep="\t", index=False)
        return folder / "list.tsv"

    def test_track_lists(self, build, bigwigs, tmp_path):
        twice = self.listed(bigwigs, tmp_path, lambda t: pd.concat([t, t.iloc[:1]]))
        assert "is listed 2 times" in build(tracks=twice)
        gone = self.listed(bigwigs, tmp_path, lambda t: t.assign(path=["none.bw", *t["path"][1:]]))
        assert "1 files do not exist" in build(tracks=gone)
        strange = self.listed(bigwigs, tmp_path, lambda t: t.assign(kind="guessed"))
        assert "kind is measured or imputed" in build(tracks=strange)
        short = self.listed(bigwigs, tmp_path, lambda t: t.drop(columns="mark"))
        assert "no column 'mark'" in build(tracks=short)
        assert "does not exist" in build(tracks=tmp_path / "absent.tsv")
        assert "need --annotation" in build(annotation=None)

    def test_a_bigwig_that_lacks_a_chromosome(self, build, run, bigwigs, tmp_path):
        path = tmp_path / "short.bw"
        pybigtools.open(str(path), "w").write({"chr1": 150_000}, iter([("chr1", 0, 100, 1.0)]))
        listed = self.listed(bigwigs, tmp_path, lambda t: t.assign(path=[str(path), *t["path"][1:]]))
        assert "bigWig short.bw has no chromosome chr10 and 20 more" in build(tracks=listed)
        code, _, errors = run(
            "chromatin", "build", "--tracks", listed, "--annotation", bigwigs["genes"], "--allow-loss",
            "-o", tmp_path / "lossy.zarr",
        )  # fmt: skip
        assert code == 0, errors
        assert set(open_gene_tracks(tmp_path / "lossy.zarr").tracks.sequences["chromosome"]) == {"chr1"}

    def test_bigwigs_of_different_assemblies(self, build, bigwigs, tmp_path):
        path = tmp_path / "hg19.bw"
        pybigtools.open(str(path), "w").write({"chr1": 151_000}, iter([("chr1", 0, 100, 1.0)]))
        listed = self.listed(bigwigs, tmp_path, lambda t: t.assign(path=[str(path), *t["path"][1:]]))
        assert "different assemblies: chr1 has 151,000 bp in hg19.bw and 150,000 bp in" in build(
            tracks=listed
        )

    def test_names_that_differ_in_case_blanks_or_hyphens(self, build, bigwigs, tmp_path):
        for column, change in (
            ("mark", str.lower),
            ("mark", lambda n: n[:3] + "-" + n[3:]),
            ("cell_type", lambda n: n.replace("_", " ")),
        ):
            listed = self.listed(
                bigwigs, tmp_path, lambda t, c=column, f=change: t.assign(**{c: [f(t[c].iloc[0]), *t[c][1:]]})
            )
            assert "differ in case, blanks or hyphens only" in build(tracks=listed)

    def test_a_damaged_bigwig(self, build, bigwigs, tmp_path):
        other = bigwigs["tracks"].parent / pd.read_csv(bigwigs["tracks"], sep="\t")["path"].iloc[0]
        for content in (other.read_bytes()[:3000], b"chr1\t0\t10\t1\n"):
            (tmp_path / "bad.bw").write_bytes(content)
            listed = self.listed(
                bigwigs, tmp_path, lambda t: t.assign(path=[str(tmp_path / "bad.bw"), *t["path"][1:]])
            )
            assert "bad.bw is" in build(tracks=listed)
            assert not [p.name for p in tmp_path.iterdir() if "shards" in p.name]

    def test_signal_that_has_no_logarithm(self, build, bigwigs, arrays, world, tmp_path):
        for value, words in ((-1.0, "negative signal"), (np.nan, "holds NaN")):
            path = tmp_path / "bad.bw"
            other = pd.read_csv(bigwigs["tracks"], sep="\t")["path"].iloc[1]
            lengths = pybigtools.open(str(bigwigs["tracks"].parent / other)).chroms()
            records = [(name, 0, 100_000, value) for name in sorted(lengths)]
            pybigtools.open(str(path), "w").write(lengths, iter(records))
            listed = self.listed(bigwigs, tmp_path, lambda t, p=str(path): t.assign(path=[p, *t["path"][1:]]))
            assert words in build(tracks=listed)
            values = world.values.copy()
            values[3, 0, 0, 7] = value
            with np.load(arrays["marks"]) as file:
                np.savez(tmp_path / "bad.npz", **{**file, "values": values})
            assert (
                f"{'negative' if value < 0 else 'NaN or infinite'} signal, first in gene PLANTED00003"
                in build(binned=tmp_path / "bad.npz")
            )

    def test_start_sites(self, build, bigwigs, tmp_path):
        genes = pd.read_csv(bigwigs["genes"], sep="\t")

        def written(table):
            table.to_csv(tmp_path / "sites.tsv", sep="\t", index=False)
            return tmp_path / "sites.tsv"

        behind = genes.assign(position=[10**9, *genes["position"][1:]])
        assert "1 start sites lie behind the end of their chromosome" in build(annotation=written(behind))
        assert "strand is + or -" in build(annotation=written(genes.assign(strand=".")))
        assert "is not a number" in build(annotation=written(genes.assign(position="here")))
        assert "occur more than once" in build(annotation=written(pd.concat([genes, genes[:1]])))
        assert "no column 'strand'" in build(annotation=written(genes.drop(columns="strand")))
        (tmp_path / "x.bed").write_text("chr1\t1\t2\n")
        assert "six columns" in build(annotation=tmp_path / "x.bed")

    def test_expression(self, build, bigwigs, tmp_path):
        table = pd.read_csv(bigwigs["expression"], sep="\t", index_col=0)

        def written(changed):
            changed.to_csv(tmp_path / "tpm.tsv", sep="\t")
            return tmp_path / "tpm.tsv"

        other = table.set_axis([f"ENSG{n:011d}" for n in range(len(table))])
        assert "132 of 132 genes of the expression table are not in genes.tsv" in build(
            expression=written(other)
        )
        some = table.set_axis([*other.index[:30], *table.index[30:]])
        assert "30 of 132 genes" in build(expression=written(some))
        assert "no column for 3 of 3 cell types" in build(expression=written(table.add_prefix("x")))
        assert "negative or infinite" in build(expression=written(-1 - table))
        assert "more than once" in build(expression=written(pd.concat([table, table[:1]])))

    def test_arrays(self, build, arrays, world, tmp_path):
        with np.load(arrays["marks"]) as file:
            parts = dict(file)

        def written(**changes):
            np.savez(tmp_path / "a.npz", **{k: v for k, v in (parts | changes).items() if v is not None})
            return tmp_path / "a.npz"

        assert "no array 'marks'" in build(binned=written(marks=None))
        assert "values must be [gene, cell type, mark, bin]" in build(binned=written(values=world.values[0]))
        assert "gene x occurs more than once" in build(binned=written(genes=np.full(132, "x")))
        assert "measured must be" in build(binned=written(measured=np.ones((2, 2), bool)))
        none = np.ones((3, 6), bool)
        none[:, 2] = False
        assert "H3K27ac has no track at all" in build(binned=written(measured=none))
        (tmp_path / "broken.npz").write_bytes(b"no")
        assert "is not a readable .npz" in build(binned=tmp_path / "broken.npz")

    def test_choices(self, fails, data, tmp_path):
        model = tmp_path / "m"
        assert "needs --test-cell-types" in fails(
            "chromatin", "train", data, "--held-out", "both", "-o", model
        )
        message = fails(
            "chromatin", "train", data, "--held-out", "both", "--test-cell-types", "liver", "-o", model
        )
        assert "no cell type 'liver'" in message
        assert "no settings 'paper'" in fails(
            "chromatin", "train", data, "--method", "ridge", "--preset", "paper", "-o", model
        )
        assert "--network.channels is a setting of method network and per-cell, not of ridge" in fails(
            "chromatin", "train", data, "--method", "ridge", "--network.channels", 3, "-o", model
        )
        assert "does not exist" in fails("chromatin", "train", tmp_path / "none", "-o", model)
        assert "settings.json" in fails(
            "chromatin", "predict", tmp_path, data, "-o", tmp_path.parent / "p.h5ad"
        )
        assert not model.exists()

    def test_splits(self, build, fails, arrays, tmp_path):
        split = tmp_path / "split.tsv"
        split.write_text("gene\tsplit\nPLANTED00000\tlearn\n")
        assert "parts are train, validation, test, unused. Given: 'learn'" in build(split=split)
        split.write_text("gene\tsplit\nPLANTED00000\ttest\n")
        assert "no gene of the data is in the part train" in build(split=split)


def test_one_option_of_the_fit_leaves_the_others_as_they_are(run, data, tmp_path):
    assert run("chromatin", "train", data, *TINY, "-o", tmp_path / "model")[0] == 0
    fit = json.loads((tmp_path / "model" / "settings.json").read_text())["settings"]["fit"]
    assert (fit["epochs"], fit["learning_rate"], fit["schedule"]) == (2, 4e-3, "cosine")
    paper = (*TINY[:2], "--network.coarse", 25, "--network.fit.epochs", 1, "--preset", "paper")
    assert run("chromatin", "train", data, *paper, "-o", tmp_path / "paper", "--threads", 1)[0] == 0
    settings = json.loads((tmp_path / "paper" / "settings.json").read_text())["settings"]
    assert (settings["merge"], settings["coarse"], settings["fit"]["schedule"]) == ("late", 25, "constant")


def test_the_settings_of_network_are_those_of_per_cell_too(run, fails, data, tmp_path):
    options = ("chromatin", "train", data, "--method", "per-cell", *TINY)
    model = tmp_path / "model"
    message = fails(*options, "--per-cell.members", 1, "-o", model)
    assert "--network.members and --per-cell.members are the same setting" in message
    assert run(*options, "--per-cell.subsets", 0.25, "-o", model)[0] == 0
    settings = json.loads((model / "settings.json").read_text())["settings"]
    assert (settings["merge"], settings["channels"], settings["members"]) == ("none", 8, 2)
    assert settings["subsets"] == 0.25  # the class default, which per-cell's own default (0) does not swallow
