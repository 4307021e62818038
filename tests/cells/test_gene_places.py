"""Places of genes that come with the cells are used, under any usual names, and that is said."""

import dataclasses

import pandas as pd

from cistron.cells import read_cells
from cistron.cells.inputs_gene_places import genes_of
from cistron.world.cells import CellWorldSettings, cell_world


def test_places_in_var_are_found_by_their_names(tmp_path, remarks):
    world = cell_world(CellWorldSettings(genes=60, chromosomes=3, cells=30, cell_types=2), seed=0)
    counts = world.cells
    places = pd.DataFrame(
        {"Chromosome/scaffold name": ["7"] * counts.n_vars, "Gene start (bp)": range(counts.n_vars)},
        index=counts.var_names,
    )
    counts.var = places
    counts.write_h5ad(tmp_path / "cells.h5ad")
    remarks()
    cells = read_cells(tmp_path / "cells.h5ad")
    table = genes_of(cells)
    assert set(table["chromosome"]) == {"7"}
    assert table["position"].tolist() == list(range(counts.n_vars))
    assert "chromosome from 'Chromosome/scaffold name'" in remarks()
    usual = dataclasses.replace(cells, variables=table)
    genes_of(usual)
    assert "places of the genes" not in remarks()
