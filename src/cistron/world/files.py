"""The planted world as files, in the forms in which users bring their own data."""

import json
from dataclasses import asdict
from pathlib import Path

from cistron.formats.anndata_files import write_anndata
from cistron.formats.gene_embedding import build_gene_embedding, write_gene_embedding
from cistron.formats.magma import write_genes_out, write_genes_raw
from cistron.runtime.files import atomic_path
from cistron.world.genes import GENERATOR_VERSION, GENOME_BUILD, WorldSettings, plant_genes
from cistron.world.gwas import plant_gwas, planted_correlations
from cistron.world.omics import ASSAYS, plant_omics


def write_world(folder: str | Path, settings: WorldSettings | None = None, seed: int = 0) -> dict[str, Path]:
    """Write genes, omics matrices, GWAS statistics and the truth.

    Parameters
    ----------
    folder
        Folder to write to.
    settings
        Size and shape of the world.
    seed
        Seed of the world.

    Returns
    -------
    dict of str to Path
        ``genes`` (gene table), ``matrix:ASSAY`` (AnnData of TPM), ``traits`` (folder of ``.genes.out``),
        ``covariance`` (``.genes.raw``) and ``truth`` (the functions as a gene embedding).
    """
    folder = Path(folder)
    genes = plant_genes(settings, seed)
    gwas = plant_gwas(genes)
    paths = {"genes": folder / "genes.tsv", "traits": folder / "traits"}
    with atomic_path(paths["genes"]) as partial:
        genes.table.drop(columns=["level"]).to_csv(partial, sep="\t", index=False)
    for assay in ASSAYS:
        path = paths[f"matrix:{assay}"] = folder / f"{assay}.h5ad"
        with atomic_path(path) as partial:
            write_anndata(plant_omics(genes, assay), partial)
    for trait in gwas.traits:
        write_genes_out(gwas.genes_out(trait), paths["traits"] / f"{trait}.genes.out")
    paths["covariance"] = folder / f"{gwas.traits[0]}.genes.raw"
    write_genes_raw(planted_correlations(genes, gwas, gwas.traits[0]), paths["covariance"])
    paths["truth"] = folder / "true_functions.h5ad"
    truth = build_gene_embedding(
        genes.functions,
        list(genes.table["gene"]),
        name="true functions",
        method="planted",
        evidence="expression",
        genome_build=GENOME_BUILD,
        licence="CC0-1.0",
        seed=seed,
        parameters={"generator_version": GENERATOR_VERSION, **asdict(genes.settings)},
    )
    write_gene_embedding(truth, paths["truth"])
    with atomic_path(folder / "world.json") as partial:
        partial.write_text(
            json.dumps(
                {"generator_version": GENERATOR_VERSION, "seed": seed, **asdict(genes.settings)}, indent=2
            )
        )
    return paths
