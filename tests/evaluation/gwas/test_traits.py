"""Traits of every form, and how they are grouped."""

import numpy as np
import pandas as pd
import pytest

from cistron.errors import InputError
from cistron.evaluation.gwas import independent_subset, read_traits, trait_halves
from cistron.evaluation.gwas.covariates import gene_covariates
from cistron.formats import read_genes_out


def _long(planted) -> pd.DataFrame:
    files = sorted(planted.traits.iterdir())
    return pd.concat([read_genes_out(file).assign(TRAIT=file.name.split(".")[0]) for file in files])


def test_folder_long_and_single_file_give_the_same(planted, tmp_path):
    folder = read_traits(planted.traits)
    _long(planted).to_parquet(tmp_path / "long.parquet")
    _long(planted).to_csv(tmp_path / "long.tsv.gz", sep="\t", index=False)
    for name in ("long.parquet", "long.tsv.gz"):
        pd.testing.assert_frame_equal(read_traits(tmp_path / name).z_frame(), folder.z_frame(), atol=1e-4)
    single = read_traits(planted.traits / "trait_2.genes.out")
    assert single.traits == ["trait_2"]
    pd.testing.assert_series_equal(single.z_frame()["trait_2"], folder.z_frame()["trait_2"])
    assert len(folder.designs) == 1  # the same genes with the same properties are fitted together


def test_an_empty_cell_of_a_long_table_shifts_nothing(planted, tmp_path):
    whole = _long(planted)
    whole.assign(TRAIT="a trait of two words", N="").query("ZSTAT < 9").drop_duplicates("GENE").to_csv(
        tmp_path / "long.tsv", sep="\t", index=False
    )
    found = read_traits(tmp_path / "long.tsv")
    assert found.traits == ["a trait of two words"]
    expected = whole.drop_duplicates("GENE").set_index("GENE")["ZSTAT"]
    np.testing.assert_allclose(found.z_frame().iloc[:, 0], expected[found.genes], atol=1e-9)
    lines = (tmp_path / "long.tsv").read_text().splitlines()
    (tmp_path / "long.tsv").write_text("\n".join([lines[0].lower(), *lines[1:]]) + "\tmore\n")
    with pytest.raises(InputError, match=rf"line {len(lines)}: 11 fields, but the header has 10"):
        read_traits(tmp_path / "long.tsv")


def test_wide_matrix_takes_places_from_a_gene_table(planted, tmp_path):
    wide = read_traits(planted.traits).z_frame()
    wide.iloc[5, 0] = np.nan
    wide.to_csv(tmp_path / "wide.tsv", sep="\t")
    places = read_genes_out(planted.traits / "trait_1.genes.out").drop(columns=["ZSTAT", "P"])
    collection = read_traits(tmp_path / "wide.tsv", places)
    assert len(collection.designs) == 2  # one trait lacks a gene
    assert collection.z_frame().isna().sum().sum() == 1
    with pytest.raises(InputError, match="give --annotation TABLE"):
        read_traits(tmp_path / "wide.tsv")


def test_blank_and_tab_aligned_files_are_equal(planted, tmp_path):
    source = planted.traits / "trait_1.genes.out"
    rows = [line.split("\t") for line in source.read_text().splitlines()]
    (tmp_path / "trait_1.genes.out").write_text(
        "\n".join("  ".join(f"{cell:>12}" for cell in row) for row in rows)
    )
    pd.testing.assert_frame_equal(read_genes_out(source), read_genes_out(tmp_path / "trait_1.genes.out"))


def test_genes_outside_autosomes_are_left_out_and_said(planted, tmp_path):
    table = read_genes_out(planted.traits / "trait_1.genes.out")
    table.loc[:9, "CHR"] = "X"
    table.to_csv(tmp_path / "t.genes.out", sep="\t", index=False)
    collection = read_traits(tmp_path / "t.genes.out")
    assert len(collection.genes) == len(table) - 10
    assert "10 genes on X, Y or M left out" in collection.remarks[0]


def test_covariates_by_hand():
    genes = pd.DataFrame(
        {"GENE": list("abc"), "NSNPS": [10.0, 20.0, 40.0], "NPARAM": [5.0, 5.0, 8.0], "MAC": [2.0, 4.0, 8.0]}
    )
    matrix, names = gene_covariates(genes)
    assert names[0] == "gene density"
    assert matrix.shape == (3, 6)
    density = np.array([0.5, 0.25, 0.2])
    np.testing.assert_allclose(matrix[:, 0], (density - density.mean()) / density.std())
    inverse = 1 / np.array([2.0, 4.0, 8.0])
    np.testing.assert_allclose(matrix[:, 4], (inverse - inverse.mean()) / inverse.std())
    assert gene_covariates(genes.drop(columns="MAC"))[0].shape == (3, 4)
    with pytest.raises(InputError, match="no positive NSNPS"):
        gene_covariates(genes.assign(NSNPS=[10.0, 0.0, 40.0]))


def _correlated() -> pd.DataFrame:
    generator = np.random.default_rng(0)
    base = generator.normal(size=(400, 3))
    columns = {
        "a": base[:, 0],
        "a_again": base[:, 0] + 0.1 * generator.normal(size=400),
        "b": base[:, 1],
        "c": base[:, 2],
    }
    return pd.DataFrame(columns)


def test_own_subset_has_no_correlated_pair():
    z = _correlated()
    chosen = independent_subset(z)
    assert chosen == ["a", "b", "c"]
    limits = z[chosen].corr().abs().to_numpy()
    assert (limits[~np.eye(3, dtype=bool)] < 0.5).all()


def test_halves_keep_correlated_traits_together():
    first, second = trait_halves(_correlated())
    assert not set(first) & set(second)
    side = first if "a" in first else second
    assert "a_again" in side


@pytest.mark.real_data
def test_real_traits(test_data):
    collection = read_traits(test_data / "gwas/seed_project_magma/magma_genes_out_30traits.parquet")
    z = collection.z_frame()
    assert z.shape == (17973, 30)
    assert z.isna().sum().sum() == 20  # MCH and RBC lack ten genes each
    assert len(collection.designs) == 3
    single = read_traits(test_data / "gwas/seed_project_magma/SHBG.genes.out").z_frame()["SHBG"]
    np.testing.assert_allclose(single, z["SHBG"].reindex(single.index), atol=1e-4)


@pytest.mark.parametrize("column", ["CHR", "START", "NSNPS", "NPARAM", "ZSTAT"])
@pytest.mark.parametrize("word", ["NA", "nan", ""])
def test_genes_with_a_missing_property_are_left_out_by_name(planted, tmp_path, column, word):
    table = pd.read_csv(planted.traits / "trait_1.genes.out", sep="\t", dtype=str)
    table.loc[3, column] = word
    table.to_csv(tmp_path / "t.genes.out", sep="\t", index=False)
    found = read_traits(tmp_path / "t.genes.out")
    assert len(found.genes) == len(table) - 1
    assert "t: 1 genes without" in found.remarks[0]
    assert f"left out, for example {table['GENE'][3]}" in found.remarks[0]
    gene_covariates(found.designs[0].genes)


def test_a_wide_matrix_is_never_word2vec(planted, tmp_path):
    places = read_genes_out(planted.traits / "trait_1.genes.out").drop(columns=["ZSTAT", "P"])
    wide = read_traits(planted.traits).z_frame()
    expected = None
    for name, separator, header in (
        ("wide.tsv", "\t", None),
        ("wide.txt", "\t", None),
        ("w2.txt", " ", None),
        ("w3.txt", "\t", ["3", "40"]),
    ):
        table = wide.iloc[:, :2] if header is None else wide.iloc[:, :2].set_axis(header, axis=1)
        table.to_csv(tmp_path / name, sep=separator)
        found = read_traits(tmp_path / name, places).z_frame().set_axis(wide.columns[:2], axis=1)
        expected = found if expected is None else expected
        pd.testing.assert_frame_equal(found, expected)
