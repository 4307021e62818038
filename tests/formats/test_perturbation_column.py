"""The column that says what was perturbed is found by what stands in it, and never guessed between two."""

import anndata
import numpy as np
import pandas as pd
import pytest

from cistron.errors import InputError
from cistron.formats.perturbation_column import find_perturbation_column
from cistron.formats.perturbed_cells import read_perturbed_cells

GENES = ["TP53", "MYC", "GATA1", "KLF1"]
VAR = pd.DataFrame({"id": [f"ENSG0000000000{number}" for number in range(4)]}, index=GENES)
LABELS = ["TP53", "TP53", "MYC", "GATA1", "non-targeting", "non-targeting"]
OBS = pd.DataFrame(
    {
        "batch": ["1", "2", "1", "2", "1", "2"],
        "cell_type": ["K562"] * 6,
        "sample": ["TP53", "MYC", "TP53", "MYC", "GATA1", "GATA1"],  # genes, but no control cells
        "counts": np.arange(6),
        "target": LABELS,
    }
)


def _found(obs, controls=(), guides=(), var=VAR):
    return find_perturbation_column(obs, var, controls, guides, "x.h5ad")


def test_the_one_column_of_genes_and_controls_is_taken_and_said():
    column, remark = _found(OBS)
    assert column == "target"
    assert "column 'target' of obs" in remark
    assert "--perturbation" in remark


def test_the_usual_name_needs_no_remark():
    assert _found(OBS.assign(perturbation="anything")) == ("perturbation", "")


def test_categories_ids_and_pairs_are_read():
    ids = dict(zip(GENES, VAR["id"] + ".3"))
    labels = pd.Series([ids.get(label, label) for label in LABELS], dtype="category")
    assert _found(OBS.assign(target=labels))[0] == "target"
    pairs = ["TP53_MYC", "TP53+ctrl", "MYC+ctrl", "GATA1", "ctrl", "nan"]
    assert _found(OBS.assign(target=pairs))[0] == "target"


def test_genes_are_taken_before_their_guides_and_names_before_ids():
    guides = ["TP53_sg1", "TP53_sg2", "MYC_sg1", "GATA1_sg1", "NT_1", "NT_2"]
    ids = [dict(zip(GENES, VAR["id"])).get(label, label) for label in LABELS]
    obs = OBS.drop(columns="target").assign(guide=guides, gene_id=ids, symbol=LABELS)
    column, remark = _found(obs)
    assert column == "symbol"
    assert "guide, gene_id being as fine or finer" in remark


def test_two_columns_that_say_different_things_are_an_error():
    other = ["MYC", "MYC", "TP53", "NTC", "KLF1", "NTC"]
    with pytest.raises(
        InputError, match=r"several columns.*\(target, second\); name one with --perturbation"
    ):
        _found(OBS.assign(second=other))


def test_controls_and_guides_that_are_named_count():
    labels = [label if label != "non-targeting" else "reference" for label in LABELS]
    with pytest.raises(InputError, match="none whose labels are control cells and genes"):
        _found(OBS.assign(target=labels))
    assert _found(OBS.assign(target=labels), controls=["refer*"])[0] == "target"
    guides = ["a1", "a1", "b1", "b2", "NTC", "NTC"]
    assert _found(OBS.assign(target=guides), guides=["a1", "b1", "b2"])[0] == "target"


def test_a_mistyped_control_is_told_with_the_labels_of_the_column(tmp_path):
    assert _found(OBS, controls=["nontargeting"])[0] == "target"
    obs = OBS.set_axis([f"c{n}" for n in range(6)])
    anndata.AnnData(np.ones((6, 4), dtype=np.float32), obs=obs, var=VAR).write_h5ad(tmp_path / "x.h5ad")
    with pytest.raises(InputError, match=r"'nontargeting' is absent; .* look like controls: non-targeting"):
        read_perturbed_cells(tmp_path / "x.h5ad", control=["nontargeting"])


def test_a_file_is_read_without_the_option(tmp_path):
    values = np.random.default_rng(0).poisson(3, (6, 4)).astype(np.float32)
    obs = OBS.set_index(pd.Index([f"cell {number}" for number in range(6)]))
    anndata.AnnData(values, obs=obs, var=VAR).write_h5ad(tmp_path / "x.h5ad")
    cells = read_perturbed_cells(tmp_path / "x.h5ad", minimum_cells=1)
    assert cells.perturbation.tolist() == [0, 0, 1, 2, -1, -1]
    assert any("column 'target' of obs" in remark for remark in cells.remarks)
    assert (
        read_perturbed_cells(
            tmp_path / "x.h5ad", perturbation="target", minimum_cells=1
        ).perturbation.tolist()
        == cells.perturbation.tolist()
    )
