"""Give the genes of a file identifiers of another namespace, and say what was lost."""

from collections.abc import Sequence
from pathlib import Path

import anndata
import numpy as np
import pandas as pd

from cistron.errors import InputError
from cistron.formats.anndata_files import read_h5ad, write_anndata
from cistron.formats.tables import read_table
from cistron.genes.gene_map import read_gene_maps
from cistron.genes.identity import guess_namespace, require_little_loss
from cistron.genes.lists import read_gene_list
from cistron.runtime.files import atomic_path
from cistron.runtime.text_files import plain_name


def map_file(
    source: str | Path,
    destination: str | Path,
    *,
    target: str,
    table: str | Path | Sequence[str | Path],
    source_namespace: str | None = None,
    allow_loss: bool = False,
) -> str:
    """Map the genes of an AnnData (obs = genes), a table with genes in its first column, or a list of ids.

    Parameters
    ----------
    source, destination
        Files; the suffix of ``destination`` says the form (.h5ad needs an .h5ad source).
    target
        Namespace to map to.
    table
        Gene table, see :func:`cistron.genes.read_gene_map`; several are joined by what they share.
    source_namespace
        Namespace of the source; guessed when absent.
    allow_loss
        Accept a loss of more than 5%.

    Returns
    -------
    str
        One sentence: how many genes were mapped and lost.

    Raises
    ------
    InputError
        If a file cannot be read or the forms do not fit.
    IdentifierError
        If more than 5% of the genes are lost without ``allow_loss``.
    """
    source, destination = Path(source), Path(destination)
    if not source.exists():
        raise InputError(f"{source} does not exist")
    data: anndata.AnnData | pd.DataFrame
    if source.suffix == ".h5ad":
        data = read_h5ad(source)
        genes = list(data.obs_names)
    elif Path(plain_name(source)).suffix in (".txt", ".list"):
        genes = read_gene_list(source)
        data = pd.DataFrame(index=pd.Index(genes))
    else:
        data = read_table(source)
        genes = list(data.index.astype(str))
    if not genes:
        raise InputError(f"{source.name} holds no gene ids; expected one a line or one a row")
    if (source.suffix == ".h5ad") != (destination.suffix == ".h5ad"):
        raise InputError(
            f"cannot map {source.name} to {destination.name}: .h5ad maps to .h5ad and a table to a table; "
            "convert with 'cistron embedding convert' afterwards"
        )
    namespace = source_namespace or guess_namespace(genes)
    if namespace == "other":
        raise InputError(
            f"{source.name}: the ids (for example {genes[0]}) are of no known namespace; give --from"
        )
    if namespace == target:
        raise InputError(f"{source.name}: the ids are {target} already (for example {genes[0]})")
    mapped, counts = read_gene_maps(table).map(genes, namespace, target)
    sentence = require_little_loss(counts, source.name, allow_loss)
    lost = [gene for gene, found in zip(genes, mapped) if found is None]
    _write(data, mapped, target, destination)
    return sentence + (f"; lost are {', '.join(lost[:5])}{', ...' if len(lost) > 5 else ''}" if lost else "")


def _write(
    data: anndata.AnnData | pd.DataFrame, mapped: Sequence[str | None], target: str, destination: Path
) -> None:
    keep = np.array([gene is not None for gene in mapped])
    names = [gene for gene in mapped if gene is not None]
    if isinstance(data, anndata.AnnData):
        kept = data[keep].copy()
        kept.obs["original_gene"] = kept.obs_names.to_numpy(dtype=object)
        kept.obs_names = pd.Index(names, name="gene")
        if "cistron" in kept.uns:
            kept.uns["cistron"] = {**kept.uns["cistron"], "identifier_namespace": target}
        with atomic_path(destination) as partial:
            write_anndata(kept, partial)
        return
    table = data.loc[keep].set_axis(pd.Index(names, name="gene"), axis=0)
    with atomic_path(destination) as partial:
        if destination.name.endswith(".parquet"):
            table.to_parquet(partial)
        elif destination.name.endswith((".tsv", ".tsv.gz", ".txt", ".list")):
            table.to_csv(partial, sep="\t", header=table.shape[1] > 0)
        elif destination.name.endswith((".csv", ".csv.gz")):
            table.to_csv(partial)
        else:
            raise InputError(
                f"cannot write {destination.name}: expected .parquet, .tsv, .csv (also .gz) or .txt"
            )
