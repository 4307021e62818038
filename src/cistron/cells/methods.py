"""The list of cells methods. A new one is a file and an entry here (page ``docs/guide/adding_a_cells_method.md``).

``make(inputs, settings)`` takes a :class:`cistron.cells.method_input.MethodInput` and gives a
:class:`cistron.cells.method_input.Fitted`.
"""

from cistron.cells.settings import BilinearSettings, CellTypeRidgeSettings, TransformerSettings
from cistron.methods import Method, MethodList, NoSettings, Traits
from cistron.training.settings import FIT_OPTIONS

METHODS = MethodList(
    "cells",
    Method(
        name="bilinear",
        summary="closed form: features of the gene times factors of the cell",
        settings=BilinearSettings,
        make="cistron.cells.bilinear:fit_bilinear",
        meaning="mean and loadings of the gene, from its features and its own training cells, times factors of the cell",
        reference="probabilistic principal components (Tipping and Bishop 1999) with kernel ridge on gene features",
        traits=Traits(unseen_genes=True, learns_genes=True),
    ),
    Method(
        name="ridge",
        summary="closed form: ridge from gene features to cell types",
        settings=CellTypeRidgeSettings,
        make="cistron.cells.cell_type_ridge:fit_cell_type_ridge",
        meaning="ridge from gene features to the mean of every cell type; a cell is its nearest type",
        reference="Hoerl and Kennard 1970",
        traits=Traits(unseen_genes=True, learns_genes=True),
    ),
    Method(
        name="transformer",
        summary="attention between genes",
        settings=TransformerSettings,
        make="cistron.cells.transformer_fit:fit_transformer",
        meaning="attention of the gene over the cell's other genes",
        reference="rosa (Sofroniew 2023), mended; settings paper as published",
        presets={"paper": TransformerSettings.paper},
        options={"epochs": "fit.epochs", **FIT_OPTIONS},
        traits=Traits(trained=True, unseen_genes=True, learns_genes=True),
    ),
    Method(
        name="nearest-type",
        summary="baseline: the nearest cell type",
        settings=NoSettings,
        make="cistron.cells.baselines:fit_nearest_type",
        meaning="mean of the gene in the nearest cell type; undefined for genes never seen",
        reference="baseline",
        traits=Traits(needs_types=True, learns_genes=True),
    ),
    Method(
        name="gene-mean",
        summary="baseline: the mean of the gene",
        settings=NoSettings,
        make="cistron.cells.baselines:fit_gene_mean",
        meaning="mean of the gene over training cells; undefined for genes never seen",
        reference="baseline",
    ),
    Method(
        name="size-factor",
        summary="baseline: the mean of the cell",
        settings=NoSettings,
        make="cistron.cells.baselines:fit_size_factor",
        meaning="mean of the cell's visible genes, plus the gene's own mean where it was seen",
        reference="baseline (Decima 2024 uses it)",
    ),
)
