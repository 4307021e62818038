"""``cistron cells join-species``: cells of two species as one matrix."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from cistron.cli.options import CellType, GeneColumn, Layer, Output
from cistron.cli.running import InCloud
from cistron.runtime import say, show


def join_species(
    cells: Annotated[Path, InCloud()],
    other_cells: Annotated[Path, InCloud()],
    *,
    orthologs: Path,
    embedding: Annotated[tuple[Path, Path], Parameter(name="--embedding")],
    output: Output,
    species: tuple[str, str] = ("human", "mouse"),
    cell_type: CellType = None,
    layer: Layer = None,
    gene_column: GeneColumn = None,
) -> None:
    """Join cells of two species: shared cell types x the genes of both, orthologs in one group.

    Writes cells.h5ad (counts of the shared types, var with species and group), alone.h5ad (the first species only) and embedding.h5ad. 'cistron
    cells train FOLDER/cells.h5ad --embedding FOLDER/embedding.h5ad --gene-split group' holds orthologs out together; training alone.h5ad
    with the --split of that model says what the other species adds.

    Parameters
    ----------
    cells
        Raw counts of the first species, in any form of 'cistron cells train'.
    other_cells
        Raw counts of the second species.
    orthologs
        Table of pairs of gene ids in its first two columns.
    embedding
        Gene embeddings of the first and of the second species, with the same columns (one DNA or protein model).
    species
        Names of the species.
    """
    from cistron.cells.inputs import read_cells
    from cistron.cells.species import join_species as join
    from cistron.cells.species import read_orthologs, stack_embeddings
    from cistron.formats.anndata_files import write_anndata
    from cistron.formats.gene_embedding import read_gene_embedding, write_gene_embedding
    from cistron.runtime.files import atomic_path, destination_of

    parts = [read_cells(path, layer=layer, gene_column=gene_column) for path in (cells, other_cells)]
    joined, remarks = join(parts, species, cell_type or "cell_type", read_orthologs(orthologs))
    for line in remarks:
        say(line)
    stacked = stack_embeddings([read_gene_embedding(path) for path in embedding])
    output = destination_of(output)  # links are followed
    output.mkdir(parents=True, exist_ok=True)
    alone = joined[:, (joined.var["species"] == species[0]).to_numpy()].copy()
    for name, data in (("cells", joined), ("alone", alone)):
        with atomic_path(output / f"{name}.h5ad") as partial:
            write_anndata(data, partial)
    write_gene_embedding(stacked, output / "embedding.h5ad")
    show(
        f"wrote {output}: {joined.n_obs:,} cell types x {joined.n_vars:,} genes, {alone.n_vars:,} of {species[0]}"
    )
