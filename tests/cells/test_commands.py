"""The commands end to end, and what they say to bad input: exit code 2 and one line."""

import json
from dataclasses import replace

import anndata
import numpy as np
import pytest

from cistron.cells import METHODS, SplitSettings
from cistron.cells.settings import TrainRequest
from cistron.errors import InputError
from cistron.formats.gene_embedding import read_gene_embedding, write_gene_embedding
from cistron.formats.prediction import read_prediction


def test_train_predict_embed(run, files, tmp_path):
    model, path = tmp_path / "model", tmp_path / "prediction.h5ad"
    code, out, _ = run(
        "cells",
        "train",
        files["cells"],
        "--embedding",
        files["embedding"],
        "--test-chromosome",
        "1",
        "--output",
        model,
    )
    assert code == 0
    assert "bilinear" in out
    split = json.loads((model / "split.json").read_text())
    assert run("cells", "predict", model, files["cells"], "--output", path)[0] == 0
    result = read_prediction(path)
    header = result.uns["cistron"]
    assert (header["scale"], header["unit"], header["evidence"]) == ("log1p_cp10k", "cell", "dna")
    assert set(result.var_names[result.var["split"] == "test"]) == set(split["genes"]["test"])
    assert set(result.obs_names[result.obs["split"] == "train"]) == set(split["cells"]["train"])
    assert set(result.var.loc[result.var["split"] == "test", "chromosome"]) == {"1"}
    assert run("cells", "embed", model, "--output", tmp_path / "genes.h5ad")[0] == 0
    assert read_gene_embedding(tmp_path / "genes.h5ad").n_obs == 300
    record = json.loads((model / "run.json").read_text())
    assert record["results"]["training_genes"] == len(split["genes"]["train"])
    assert any("genes shared" in warning for warning in record["warnings"])


def test_averages_are_means_of_cells_and_pseudobulks_are_models_of_their_own(run, files, tmp_path):
    common = ("cells", "train", files["cells"], "--embedding", files["embedding"], "--output")
    run(*common, tmp_path / "model", "--method", "ridge")
    for unit in ("cell", "cell-type"):
        out = tmp_path / f"{unit}.h5ad"
        assert (
            run("cells", "predict", tmp_path / "model", files["cells"], "--unit", unit, "--output", out)[0]
            == 0
        )
    cells, averages = read_prediction(tmp_path / "cell.h5ad"), read_prediction(tmp_path / "cell-type.h5ad")
    for layer in ("predicted", "observed"):
        for row in range(3):
            kind, part = averages.obs["cell_type"].iloc[row], averages.obs["split"].iloc[row]
            rows = ((cells.obs["cell_type"] == kind) & (cells.obs["split"] == part)).to_numpy()
            np.testing.assert_allclose(
                averages.layers[layer][row], cells.layers[layer][rows].mean(axis=0), rtol=1e-4
            )
    code, *_ = run(*common, tmp_path / "bulk", "--unit", "cell-type", "--cell-split", "none")
    assert code == 0
    run(
        "cells",
        "predict",
        tmp_path / "bulk",
        files["cells"],
        "--genes",
        "test",
        "--output",
        tmp_path / "bulk.h5ad",
    )
    bulk = read_prediction(tmp_path / "bulk.h5ad")
    assert (bulk.n_obs, bulk.uns["cistron"]["unit"]) == (4, "cell type")
    assert set(bulk.var["split"]) == {"test"}


def test_transformer_by_the_command_line(run, files, tmp_path):
    small = {"dimension": 16, "depth": 1, "heads": 2, "context": 24, "targets": 40, "steps-per-epoch": 3}
    sizes = [word for name, value in small.items() for word in (f"--transformer.{name}", value)]
    options = ("--method", "transformer", "--epochs", "1", "--attention", "perceiver", "--head", "poisson")
    code, _, errors = run(
        "cells",
        "train",
        files["cells"],
        "--embedding",
        files["embedding"],
        *options,
        *sizes,
        "--output",
        tmp_path / "model",
    )
    assert code == 0, errors
    assert (
        run("cells", "predict", tmp_path / "model", files["cells"], "--output", tmp_path / "p.h5ad")[0] == 0
    )
    assert np.isfinite(read_prediction(tmp_path / "p.h5ad").layers["predicted"]).all()
    record = json.loads((tmp_path / "model" / "run.json").read_text())
    assert record["results"]["fit"]["epochs"] == 1


def test_a_split_is_used_again_and_a_gene_on_both_sides_is_an_error(run, fails, files, tmp_path):
    common = ("cells", "train", files["cells"], "--embedding", files["embedding"])
    run(*common, "--output", tmp_path / "first", "--cell-split", "donor")
    split = tmp_path / "first" / "split.json"
    run(*common, "--output", tmp_path / "second", "--split", split, "--method", "ridge")
    assert json.loads((tmp_path / "second" / "split.json").read_text()) == json.loads(split.read_text())
    document = json.loads(split.read_text())
    document["genes"]["test"].append(document["genes"]["train"][0])
    (tmp_path / "bad.json").write_text(json.dumps(document))
    assert "both train and test" in fails(
        *common, "--output", tmp_path / "x", "--split", tmp_path / "bad.json"
    )
    assert not (tmp_path / "x").exists()


def test_methods_are_listed_and_all_can_be_named(run):
    code, out, _ = run("cells", "methods")
    assert code == 0
    assert [line for line in out.splitlines() if not line.startswith(" ")] == list(METHODS)


def test_census_says_what_it_needs(fails, tmp_path, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "cellxgene_census", None)
    said = fails(
        "cells", "census", "--filter-cells", "tissue == 'blood'", "--output", tmp_path / "blood.h5ad"
    )
    assert "pip install cellxgene-census" in said


def normalised(data):
    data.X = np.log1p(data.X.toarray())


def empty_cell(data):
    values = data.X.toarray()
    values[3] = 0
    data.X = values


def symbols(data):
    data.var_names = [f"CIS{number}" for number in range(data.n_vars)]


def no_chromosomes(data):
    del data.var["chromosome"]


@pytest.mark.parametrize(
    ("change", "options", "says"),
    [
        (normalised, (), "expected raw counts"),
        (
            normalised,
            ("--method", "transformer", "--scale", "log-normalised", "--head", "poisson"),
            "raw counts",
        ),
        (normalised, ("--scale", "log-normalised", "--unit", "cell-type"), "sums of counts"),
        (empty_cell, (), "1 cells have no counts"),
        (symbols, ("--gene-split", "random"), "symbols"),
        (no_chromosomes, (), "--annotation"),
        (None, ("--test-chromosome", "99"), "does not occur"),
        (None, ("--head", "bins"), "--head is of method transformer"),
        (None, ("--factors", "3", "--method", "gene-mean"), "--factors is of"),
        (None, ("--gene-split", "regions"), "--regions"),
        (None, ("--cell-type", "kind"), "no column 'kind'"),
        (None, ("--cell-split", "donor", "--donor", "patient"), "no column 'patient'"),
        (None, ("--layer", "raw"), "no layer 'raw'"),
        (None, ("--split", "nowhere.json"), "does not exist"),
        (None, ("--gene-table", "nowhere.tsv"), "does not exist"),
        (None, ("--test-genes", "0.9", "--gene-split", "random", "--validation-genes", "0.2"), "less than 1"),
        (None, ("--minimum-counts", "1e9"), "no cell has"),
    ],
)
def test_bad_training_input_is_one_line(fails, files, tmp_path, change, options, says):
    if change is not None:
        data = anndata.read_h5ad(files["cells"])
        change(data)
        data.write_h5ad(files["cells"])
    said = fails(
        "cells",
        "train",
        files["cells"],
        "--embedding",
        files["embedding"],
        "--output",
        tmp_path / "model",
        *options,
    )
    assert says in said
    assert not (tmp_path / "model").exists()


def test_an_embedding_of_few_genes_is_one_line(fails, files, tmp_path):
    write_gene_embedding(read_gene_embedding(files["embedding"])[:30].copy(), tmp_path / "few.h5ad")
    said = fails(
        "cells", "train", files["cells"], "--embedding", tmp_path / "few.h5ad", "--output", tmp_path / "m"
    )
    assert "covers 30 of the 300 genes" in said


def test_poor_cells_can_be_left_out(run, files, tmp_path):
    data = anndata.read_h5ad(files["cells"])
    empty_cell(data)
    data.write_h5ad(files["cells"])
    options = ("--minimum-counts", "1", "--output")
    assert (
        run("cells", "train", files["cells"], "--embedding", files["embedding"], *options, tmp_path / "m")[0]
        == 0
    )
    assert run("cells", "predict", tmp_path / "m", files["cells"], *options, tmp_path / "p.h5ad")[0] == 0
    assert read_prediction(tmp_path / "p.h5ad").n_obs == 399


def test_predict_refuses_what_is_no_model(fails, files, tmp_path):
    assert "safetensors" in fails(
        "cells", "predict", files["cells"].parent, files["cells"], "--output", tmp_path / "p.h5ad"
    )
    assert "does not exist" in fails(
        "cells", "predict", tmp_path / "no", files["cells"], "--output", tmp_path / "p.h5ad"
    )


def test_pseudobulks_cannot_hold_donors_out(files):
    request = TrainRequest(
        files["cells"], ("one-hot",), unit="cell type", splitting=SplitSettings(cells="donor")
    )
    with pytest.raises(InputError, match="donors cannot be held out"):
        request.check()
    replace(request, splitting=SplitSettings(cells="cell-type")).check()


def test_one_hot_alone_says_that_it_predicts_no_unseen_gene(run, files, tmp_path):
    options = ("cells", "train", files["cells"], "--test-chromosome", "1")
    for name, method, said in (("blind", "bilinear", True), ("mean", "gene-mean", False)):
        assert run(*options, "--method", method, "--output", tmp_path / name)[0] == 0
        assert ("one-hot knows nothing" in (tmp_path / name / "run.json").read_text()) is said


def test_shares_of_cells_and_chromosomes_are_held_out_as_asked(run, files, world, tmp_path):
    given = (
        "--test-chromosome",
        "1",
        "--validation-chromosome",
        "2",
        "--test-cells",
        0.4,
        "--validation-cells",
        0.3,
    )
    code, _, errors = run(
        "cells", "train", files["cells"], *given, "--method", "gene-mean", "--output", tmp_path / "m"
    )
    assert code == 0, errors
    split = json.loads((tmp_path / "m" / "split.json").read_text())
    chromosome = world.cells.var["chromosome"]
    assert set(chromosome[split["genes"]["test"]]) == {"1"}
    assert set(chromosome[split["genes"]["validation"]]) == {"2"}
    shares = [len(split["cells"][part]) / world.cells.n_obs for part in ("train", "validation", "test")]
    np.testing.assert_allclose(shares, [0.3, 0.3, 0.4], atol=0.01)


@pytest.fixture
def symbols_and_map(files, tmp_path):
    """The cells with symbols, a tenth of which is of last year, and tables of this year and of last year."""
    data = anndata.read_h5ad(files["cells"])
    ids = list(data.var_names)
    names = [f"CIS{number}" if number % 10 else f"OLD{number}" for number in range(len(ids))]
    data.var["gene_ids"] = ids
    data.var_names = names
    path, now, then = tmp_path / "symbols.h5ad", tmp_path / "now.tsv", tmp_path / "then.tsv"
    data.write_h5ad(path)
    now.write_text("ensembl\tsymbol\n" + "".join(f"{one}\tCIS{number}\n" for number, one in enumerate(ids)))
    then.write_text("ensembl\tsymbol\n" + "".join(f"{one}\tOLD{number}\n" for number, one in enumerate(ids)))
    return path, now, then


def test_the_model_remembers_the_gene_map_and_controls_take_the_genes_of_the_split(
    run, fails, files, symbols_and_map, tmp_path
):
    cells, now, then = symbols_and_map
    common = ("cells", "train", cells, "--output")
    known = ("--embedding", files["embedding"])
    assert "--gene-column gene_ids" in fails(*common, tmp_path / "m", *known)
    said = fails(*common, tmp_path / "m", *known, "--gene-map", now)
    assert "30 lost (10.0%): 30 are unknown (OLD0)" in said
    assert "further --gene-map" in said
    assert run(*common, tmp_path / "m", *known, "--gene-map", now, then)[0] == 0
    assert run(*common, tmp_path / "lossy", *known, "--gene-map", now, "--allow-loss")[0] == 0
    for model, genes in (("m", 300), ("lossy", 270)):  # what was accepted in training is not asked again
        path = tmp_path / f"{model}.h5ad"
        assert run("cells", "predict", tmp_path / model, cells, "--output", path)[0] == 0
        assert read_prediction(path).n_vars == genes
    split = ("--split", tmp_path / "m" / "split.json", "--gene-map", now, then)
    for method in ("bilinear", "gene-mean", "size-factor"):
        model, path = tmp_path / method, tmp_path / f"{method}.h5ad"
        assert run(*common, model, *split, "--method", method)[0] == 0
        assert run("cells", "predict", model, cells, "--output", path)[0] == 0
        control = read_prediction(path)
        assert list(control.var_names) == list(read_prediction(tmp_path / "m.h5ad").var_names)
    assert run(*common, tmp_path / "columns", *known, "--gene-column", "gene_ids")[0] == 0
    unmapped = json.loads((tmp_path / "columns" / "settings.json").read_text())["extra"]["facts"]
    assert (unmapped["gene_map"], (tmp_path / "columns" / "gene_map.tsv.gz").exists()) == ("", False)
    assert "add --gene-column gene_ids" in fails(
        "cells", "predict", tmp_path / "columns", cells, "--output", tmp_path / "x.h5ad"
    )


def test_a_gene_map_that_is_not_used_and_one_that_was_not_fetched_are_told(
    run, fails, files, symbols_and_map, tmp_path, monkeypatch
):
    cells, now, _ = symbols_and_map
    common = ("cells", "train", cells, "--method", "gene-mean", "--gene-split", "random", "--output")
    assert run(*common, tmp_path / "m", "--gene-map", now)[0] == 0
    assert "--gene-map was not used" in (tmp_path / "m" / "run.json").read_text()
    monkeypatch.setenv("CISTRON_CACHE", str(tmp_path / "cache"))
    said = fails(*common, tmp_path / "n", "--gene-map", "hgnc_complete_set")
    assert "run 'cistron data fetch hgnc_complete_set'" in said
    fetched = tmp_path / "cache" / "hgnc_complete_set" / "hgnc_complete_set.txt"
    fetched.parent.mkdir(parents=True)
    fetched.write_text(now.read_text())
    options = ("--embedding", files["embedding"], "--gene-map", "hgnc_complete_set", "--allow-loss")
    assert run("cells", "train", cells, *options, "--output", tmp_path / "o")[0] == 0
