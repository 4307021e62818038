"""``cistron cells export-cell-eval``: predictions as cell-eval reads them."""

from pathlib import Path
from typing import Literal

from cistron.cli.options import CellType, Output
from cistron.runtime import show


def export_cell_eval(
    prediction: Path,
    *,
    control_type: str,
    output: Output,
    part: Literal["all", "train", "validation", "test"] = "all",
    cell_type: CellType = None,
) -> None:
    """Write a prediction as the two files that cell-eval compares: predicted.h5ad and observed.h5ad.

    Cell types stand where cell-eval has perturbations (column target_gene): cell-eval run -ap predicted.h5ad -ar observed.h5ad
    --pert-col target_gene --control-pert CONTROL.

    Parameters
    ----------
    prediction
        What 'cistron cells predict' wrote, of single cells.
    control_type
        Cell type from which cell-eval takes differences; its cells carry observed values in both files.
    part
        Part of the split whose genes are written.
    """
    from cistron.formats.cell_eval import LABEL, export_cell_eval
    from cistron.runtime.files import destination_of

    output = destination_of(output)  # links are followed
    output.mkdir(parents=True, exist_ok=True)
    cells, genes = export_cell_eval(
        prediction,
        output / "predicted.h5ad",
        output / "observed.h5ad",
        control=control_type,
        column=cell_type or "cell_type",
        part=part,
    )
    show(
        f"wrote {output}: {cells:,} cells x {genes:,} genes; cell-eval run -ap {output / 'predicted.h5ad'} -ar "
        f"{output / 'observed.h5ad'} --pert-col {LABEL} --control-pert {control_type}"
    )
