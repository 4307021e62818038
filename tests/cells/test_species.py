"""Two species as one matrix: sums by hand, groups of orthologs, and the planted answer to whether mouse helps human."""

import anndata
import numpy as np
import pandas as pd
import pytest
from benchmarks.cells_species import ROWS, scores, species

from cistron.cells import read_cells
from cistron.cells.species import join_species, ortholog_groups, read_orthologs, stack_embeddings
from cistron.errors import IdentifierError, InputError
from cistron.formats.gene_embedding import read_gene_embedding, write_gene_embedding

HUMAN, MOUSE = ("ENSG00000000001", "ENSG00000000002"), ("ENSMUSG00000000001", "ENSMUSG00000000002")


def cells_of(genes, values, types):
    names = [f"{genes[0]} cell {number}" for number in range(len(types))]
    return read_cells(
        anndata.AnnData(
            np.array(values, dtype=np.float32),
            obs=pd.DataFrame({"cell_type": types}, index=names),
            var=pd.DataFrame(index=list(genes)),
        )
    )


@pytest.fixture
def parts():
    human = cells_of(HUMAN, [[1, 3], [1, 1], [2, 0], [5, 5], [9, 1]], ["B", "B", "T", "NK", "only human"])
    mouse = cells_of(MOUSE, [[10, 2], [4, 4], [1, 9]], ["B", "NK", "T"])
    return human, mouse


def test_counts_of_shared_types_are_summed_and_brought_to_one_depth(parts):
    pairs = pd.DataFrame({"first": [MOUSE[1]], "second": [HUMAN[0]]})
    joined, remarks = join_species(parts, ("human", "mouse"), "cell_type", pairs)
    table = pd.DataFrame(joined.X.toarray(), index=joined.obs_names, columns=joined.var_names)
    assert list(table.loc["B"]) == [4, 8, 10, 2]  # human 2 and 4 of 6 counts, doubled to the 12 of mouse
    assert list(table.loc["T"]) == [10, 0, 1, 9]
    assert list(table.loc["NK"]) == [5, 5, 5, 5]
    assert "only human" in remarks[0]
    assert joined.var.loc[HUMAN[0], "group"] == joined.var.loc[MOUSE[1], "group"]
    assert joined.var["group"].nunique() == 3


def test_one_to_many_orthologs_are_one_group_and_unlinked_species_an_error(tmp_path):
    path = tmp_path / "pairs.tsv"
    path.write_text(
        f"{HUMAN[0]}.4\t{MOUSE[0]}\tortholog_one2many\n{HUMAN[0]}.4\t{MOUSE[1]}\tortholog_one2many\n"
    )
    pairs = read_orthologs(path)
    groups, both = ortholog_groups([HUMAN, MOUSE], pairs)
    assert (groups[0] == groups[2] == groups[3], groups[1] == groups[0], both) == (True, False, 1)
    with pytest.raises(IdentifierError, match="links none"):
        ortholog_groups([HUMAN, MOUSE], pairs.iloc[:0])


def test_what_cannot_be_joined_is_told(parts):
    pairs = pd.DataFrame({"first": [HUMAN[0]], "second": [MOUSE[0]]})
    with pytest.raises(InputError, match="stand in both species"):
        join_species((parts[0], parts[0]), ("a", "b"), "cell_type", pairs)
    other = cells_of(MOUSE, [[1, 1], [1, 1]], ["B cell", "B"])
    with pytest.raises(InputError, match="1 cell types"):
        join_species((parts[0], other), ("human", "mouse"), "cell_type", pairs)


def test_mouse_genes_help_where_human_ones_are_few_and_orthologs_must_be_held_out_together():
    found = scores(3)
    alone, both, mixed, leak, ceiling = (found[name] for name in ROWS)
    assert both > alone + 0.02
    assert both < ceiling
    assert mixed < alone
    assert leak > both + 0.02


def test_the_command_writes_what_training_takes(run, tmp_path):
    joined, embedding, _ = species(3)
    human = (joined.var["species"] == "human").to_numpy()
    arguments = []
    for name, own in (("human", human), ("mouse", ~human)):
        part = joined[:, own].copy()
        part.obs_names = [f"{name} {cell}" for cell in part.obs_names]
        del part.var["group"], part.var["species"]
        part.write_h5ad(tmp_path / f"{name}.h5ad")
        write_gene_embedding(embedding[part.var_names].copy(), tmp_path / f"{name}_e.h5ad")
        arguments.append(tmp_path / f"{name}.h5ad")
    groups = joined.var.reset_index(names="gene").groupby("group")["gene"].agg(list)
    pairs = [f"{one[0]}\t{other}" for one in groups for other in one[1:]]
    (tmp_path / "pairs.tsv").write_text("human\tmouse\n" + "\n".join(pairs) + "\n")
    options = (
        "--orthologs",
        tmp_path / "pairs.tsv",
        "--embedding",
        tmp_path / "human_e.h5ad",
        tmp_path / "mouse_e.h5ad",
    )
    named = ("--species", "human", "mouse")
    assert run("cells", "join-species", *arguments, *options, *named, "--output", tmp_path / "out")[0] == 0
    again = anndata.read_h5ad(tmp_path / "out" / "cells.h5ad")
    np.testing.assert_allclose(
        again.X.toarray(), joined[again.obs_names, again.var_names].X.toarray(), atol=1
    )  # rounded again
    assert anndata.read_h5ad(tmp_path / "out" / "alone.h5ad").n_vars == human.sum()
    stacked = read_gene_embedding(tmp_path / "out" / "embedding.h5ad")
    assert set(stacked.obs_names) == set(joined.var_names)
    options = (
        "--embedding",
        tmp_path / "out" / "embedding.h5ad",
        "--gene-split",
        "group",
        "--cell-split",
        "none",
    )
    assert (
        run("cells", "train", tmp_path / "out" / "cells.h5ad", *options, "--output", tmp_path / "m")[0] == 0
    )
    with pytest.raises(InputError, match="stands in both"):
        stack_embeddings([stacked, stacked])
