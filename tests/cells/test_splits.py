import dataclasses

import numpy as np
import pandas as pd
import pytest

from cistron.cells import SplitSettings, read_cells, read_features, split_both
from cistron.cells.inputs_features import GeneFeatures, _scaling
from cistron.cells.inputs_gene_places import read_gene_table
from cistron.cells.kernel_ridge import fit_kernel_ridge
from cistron.cells.splits import read_split, write_split
from cistron.cells.training_data import TrainingData
from cistron.errors import InputError, LeakageError
from cistron.genes.chromosomes import normalise_chromosomes


@pytest.mark.parametrize("genes", ["random", "chromosome", "group"])
@pytest.mark.parametrize("cells", ["random", "donor", "cell-type", "none"])
def test_both_axes_are_divided_whole(world, genes, cells):
    data = read_cells(world.cells)
    table = world.cells.var.assign(group=world.cells.var["family"])
    split = split_both(data, SplitSettings(genes=genes, cells=cells), genes=table, seed=1)
    assert set(data.genes) == split.genes.train | split.genes.validation | split.genes.test
    assert 0.1 < len(split.genes.test) / 300 < 0.45
    if genes != "random":
        column = table["chromosome" if genes == "chromosome" else "group"]
        groups = [set(column[sorted(part)]) for part in (split.genes.train, split.genes.test)]
        assert not groups[0] & groups[1]
    if cells in ("donor", "cell-type"):
        column = world.cells.obs["donor" if cells == "donor" else "cell_type"]
        assert not set(column[sorted(split.cells.train)]) & set(column[sorted(split.cells.test)])
    assert bool(split.cells.test) == (cells != "none")


def test_named_chromosomes_and_regions(world):
    data = read_cells(world.cells)
    settings = SplitSettings(test_chromosomes=("chr1", "2"), validation_chromosomes=("3",))
    split = split_both(data, settings, genes=world.cells.var)
    assert set(world.cells.var.loc[sorted(split.genes.test), "chromosome"]) == {"1", "2"}
    genes = pd.DataFrame(
        {"chromosome": ["chr1", "1", "1", "2"], "position": [5, 15, 25, 5]}, index=list(data.genes[:4])
    )
    regions = pd.DataFrame(
        {
            "chromosome": ["chr1"] * 3,
            "start": [0, 10, 12],
            "end": [10, 20, 30],
            "name": ["test", "train", "valid"],
        }
    )
    split = split_both(data, SplitSettings(genes="regions"), genes=genes, regions=regions)
    assert split.genes.part_of(data.genes[:5]) == ["test", "train", "validation", "train", "unused"]


def test_written_splits_are_read_and_a_name_on_both_sides_is_refused(world, tmp_path):
    split = split_both(read_cells(world.cells), SplitSettings(), genes=world.cells.var)
    write_split(split, tmp_path / "split.json")
    again = read_split(tmp_path / "split.json")
    assert again == split
    gene = min(split.genes.test)
    text = (tmp_path / "split.json").read_text()
    (tmp_path / "split.json").write_text(text.replace('"train": [', f'"train": [\n"{gene}",', 1))
    with pytest.raises(LeakageError, match="both train and test"):
        read_split(tmp_path / "split.json")


def test_a_split_that_cannot_be_made_says_why(world):
    data = read_cells(world.cells)
    with pytest.raises(InputError, match="--annotation"):
        split_both(data, SplitSettings(), genes=pd.DataFrame(index=list(data.genes)))
    with pytest.raises(InputError, match="does not occur"):
        split_both(data, SplitSettings(test_chromosomes=("77",)), genes=world.cells.var)
    with pytest.raises(InputError, match="no column 'patient'"):
        split_both(data, SplitSettings(cells="donor"), genes=world.cells.var, donor="patient")


def test_code_that_fits_refuses_held_out_genes_and_cells(fitted):
    cells, split, _features, _ = fitted
    train = [gene for gene in cells.genes if gene in split.genes.train]
    names = cells.observations.index
    rows = np.flatnonzero(names.isin(split.cells.train))
    cheat = [*train, min(split.genes.test)]
    TrainingData(cells.only(train), rows, split, "a test")
    with pytest.raises(LeakageError, match="genes"):
        TrainingData(cells.only(cheat), rows, split, "a test")
    with pytest.raises(LeakageError, match="cells"):
        TrainingData(cells.only(train), np.arange(len(names)), split, "a test")
    with pytest.raises(LeakageError, match="map"):
        fit_kernel_ridge(np.ones((len(cheat), 2)), np.ones((len(cheat), 1)), cheat, split.genes)
    with pytest.raises(LeakageError, match="scaling"):
        _scaling(np.ones((len(cheat), 2)), cheat, split.genes, (2,))


def test_values_of_held_out_genes_and_cells_change_nothing_that_is_fitted(world, fitted):
    """Whoever peeks at held-out values gives another model when they are spoiled (validation cells are chosen on)."""
    from cistron.cells import CellExpression

    _cells, split, _, honest = fitted
    spoiled = world.cells.copy()
    values = spoiled.X.toarray()
    held_out_genes = ~spoiled.var_names.isin(split.genes.train)
    held_out_cells = spoiled.obs_names.isin(split.cells.test)
    values[:, held_out_genes] = 999
    values[held_out_cells] = 77
    spoiled.X = values
    embedding = world.embedding.copy()
    known = embedding.obs_names.isin(split.genes.train)
    embedding.X = np.where(known[:, None], embedding.X, embedding.X * 50 + 3)
    data = read_cells(spoiled)
    features = read_features([embedding], data.genes, split.genes)
    again = CellExpression().fit(data, features, split, cell_type="cell_type")
    training = len(again.training)
    for name, value in honest.model.arrays().items():
        np.testing.assert_array_equal(again.model.arrays()[name][:training], value[:training], err_msg=name)
    for name, value in honest.feature_regression.arrays().items():
        np.testing.assert_array_equal(again.feature_regression.arrays()[name], value, err_msg=name)


def test_features_align_by_identifier_and_are_scaled_on_training_genes(world, fitted):
    cells, split, features, _ = fitted
    shuffled = world.embedding[::-1].copy()
    again = read_features([shuffled], cells.genes, split.genes)
    np.testing.assert_array_equal(again.values, features.values)
    training = [number for number, gene in enumerate(features.genes) if gene in split.genes.train]
    np.testing.assert_allclose(features.values[training].mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(features.values[training].var(axis=0).sum(), 1, rtol=1e-5)
    given = world.embedding[list(features.genes)].X
    ratio = features.values.std(axis=0) / given.std(axis=0)
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-4)
    both = read_features([world.embedding, shuffled, "one-hot"], cells.genes, split.genes)
    assert both.blocks == (32, 32)
    assert both.one_hot
    assert both.names == "planted functions+planted functions+one-hot"
    np.testing.assert_array_equal(both.values[:, :32], both.values[:, 32:])


def test_permuted_embedding_has_the_same_rows_elsewhere(world, fitted):
    cells, split, _, _ = fitted
    permuted = read_features([world.embedding], cells.genes, split.genes, permute=True)
    assert permuted.control == "permuted embedding"
    raw = permuted.values * permuted.scale + permuted.mean
    given = np.asarray(world.embedding.X)
    nearest = np.array([np.abs(given - row).max(axis=1).argmin() for row in raw])
    np.testing.assert_allclose(raw, given[nearest], atol=1e-4)
    assert len(set(nearest)) == 300
    assert np.corrcoef(raw[:, 0], world.embedding[list(permuted.genes)].X[:, 0])[0, 1] < 0.3


def test_an_embedding_of_a_tenth_of_the_genes_is_refused(world, fitted):
    cells, split, _, _ = fitted
    few = world.embedding[:30].copy()
    with pytest.raises(InputError, match=r"covers 30 of the 300 genes of the cells \(10%\)"):
        read_features([few], cells.genes, split.genes)
    with pytest.raises(InputError, match="nothing to permute"):
        read_features(["one-hot"], cells.genes, split.genes, permute=True)
    assert isinstance(read_features([few], cells.genes, split.genes, minimum_coverage=0.05), GeneFeatures)


def test_settings_are_checked():
    with pytest.raises(InputError, match="genes must be random, chromosome, group or regions"):
        SplitSettings(genes="folds")
    assert dataclasses.is_dataclass(SplitSettings())


def test_the_gene_table_is_read_in_every_form(tmp_path):
    """Genes on both strands, and one without a strand, whose middle stands for its start site."""
    rows = [("A", 1000, 2000, "+"), ("B", 5000, 7000, "-"), ("C", 10, 20, ".")]
    bed = "".join(f"chr1\t{start}\t{end}\t{gene}\t0\t{strand}\n" for gene, start, end, strand in rows)
    gtf = "".join(
        f'chr1\tx\tgene\t{start + 1}\t{end}\t.\t{strand}\t.\tgene_id "{gene}";\n'
        for gene, start, end, strand in rows
    )
    table = "symbol,chr,start,end,strand,group\n" + "".join(
        f"{gene},1,{start},{end},{strand},g{gene}\n" for gene, start, end, strand in rows
    )
    for name, text in (("a.bed", bed), ("a.gtf", gtf), ("a.csv", table)):
        (tmp_path / name).write_text(text)
        found = read_gene_table(tmp_path / name)
        assert found["position"].tolist() == [1000, 6999, 15]
        assert normalise_chromosomes(found["chromosome"].tolist()) == ["1", "1", "1"]
    assert found["group"].tolist() == ["gA", "gB", "gC"]
