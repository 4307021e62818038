"""``cistron sequence embed-protein``."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from cistron.cli.options import Output, Scheduler, Threads, Workers
from cistron.methods import Count, CountOrZero, Range
from cistron.runtime import show


def embed_protein(
    proteins: Path,
    *,
    weights: Annotated[
        Path, Parameter(help="Folder of ESM-2 weights as on Hugging Face: config.json, model.safetensors.")
    ],
    output: Output,
    isoform: Literal["longest", "mean"] = "longest",
    window: Annotated[int, Range(2)] = 1022,
    overlap: CountOrZero = 256,
    batch_tokens: Count | None = None,
    precision: Annotated[
        Literal["fp32", "bf16"], Parameter(help="Arithmetic: exact, or all in bfloat16.")
    ] = "fp32",
    device: Annotated[str, Parameter(help="auto (a GPU where there is one), cpu, or cuda.")] = "auto",
    shard_size: Annotated[Count, Parameter(help="Genes of a shard, the unit that is never redone.")] = 64,
    threads: Threads = None,
    workers: Workers = 1,
    scheduler: Scheduler = None,
) -> None:
    """Embed genes by their proteins with ESM-2. Run the same command again to go on after an interruption.

    A protein's vector is the mean over its residues of the last layer. Nothing is downloaded: you bring the weights.

    Parameters
    ----------
    proteins
        Protein FASTA, plain or .gz, with headers of GENCODE, Ensembl or UniProt, or one gene name a header.
    isoform
        longest: the longest protein of a gene; mean: the mean of all its different proteins.
    window
        Longest stretch of residues read at once.
    overlap
        Least overlap of neighbouring windows of a longer protein.
    batch_tokens
        Residues and padding read at a time; 1,024 on a processor and 16,384 on a GPU when absent.
    """
    from cistron.sequence.estimator import ProteinEmbedder
    from cistron.sequence.inputs_proteins import read_proteins
    from cistron.sequence.settings import ProteinEmbeddingSettings

    settings = ProteinEmbeddingSettings(isoform, window, overlap, batch_tokens, precision, device)
    embedder = ProteinEmbedder(weights, settings)
    found = read_proteins(proteins)
    for remark in found.remarks:
        show(f"{proteins.name}: {remark}")
    embedding = embedder.embed(
        found, output, shard_size=shard_size, workers=workers, threads=threads, scheduler=scheduler
    )
    show(f"wrote {output}: {embedding.n_obs:,} genes x {embedding.n_vars:,} dimensions")
