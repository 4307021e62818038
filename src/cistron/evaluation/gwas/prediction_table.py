"""Held-out predictions as the table that a run writes."""

import numpy as np
import pandas as pd

from cistron.evaluation.gwas.coverage import Scored
from cistron.evaluation.gwas.predictions import Predicted, fill_missing
from cistron.evaluation.gwas.tasks import Task
from cistron.evaluation.gwas.variants import Plan, variant_rows


def prediction_frame(
    tasks: list[Task],
    embeddings: list[Scored],
    predicted: list[Predicted],
    plan: Plan,
    symbols: dict[str, str],
    model: str,
    missing: str,
) -> pd.DataFrame:
    """Held-out predictions as a long table, one row a gene and trait (the contract of ``predictions.parquet``).

    Parameters
    ----------
    tasks, embeddings, predicted, plan
        What was fitted.
    symbols
        Symbol of each gene; empty where it is not known.
    model
        Name of the regressor.
    missing
        Prediction for genes without an embedding.

    Returns
    -------
    DataFrame
        Genes that are scored: those of the MHC are absent where they are left out. The null model is the one on all
        genes; the headline compares each embedding with a null model on its own genes.
    """
    every = plan.every_gene_null()
    frames = []
    for task, found in zip(tasks, predicted):
        rows = variant_rows(task, every, embeddings)[0]
        genes = task.design.genes.iloc[rows]
        columns = {f"null | {model}": found[every]}
        for number, scored in enumerate(embeddings):
            columns[f"{scored.name} | {model}"] = fill_missing(
                task, plan.full(number), embeddings, found, every, missing
            )[0]
        names = [symbols.get(gene, "") for gene in genes["GENE"]]
        for index, trait in enumerate(task.design.traits):
            frame = pd.DataFrame(
                {
                    "gene": genes["GENE"].to_numpy(),
                    "symbol": names,
                    "chromosome": genes["CHR"].to_numpy(),
                    "start": genes["START"].to_numpy(np.int64),
                    "trait": trait,
                    "z": task.design.z[rows, index].astype(np.float32),
                }
            )
            for column, values in columns.items():
                frame[column] = values[:, index].astype(np.float32)
            frames.append(frame)
    return pd.concat(frames, ignore_index=True)
