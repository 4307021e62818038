"""``cistron chromatin epigenesis|design|embed``: what-if questions to a fitted network."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from cistron.chromatin.epigenesis_settings import EpigenesisSettings
from cistron.chromatin.methods import DESIGN
from cistron.cli.method_options import ChosenMethod, preset_options
from cistron.cli.options import Output, Seed, Threads, renamed
from cistron.methods import Count
from cistron.runtime import show


@dataclass(frozen=True)
class _Settings(EpigenesisSettings):
    __doc__ = EpigenesisSettings.__doc__
    cell_type: Annotated[str | None, renamed("--peak-cell-type", "--cell-type")] = (
        EpigenesisSettings.cell_type
    )
    genes: Annotated[Count, renamed("--maximum-genes", "--genes")] = EpigenesisSettings.genes


LOW_JUDGEMENT = 0.5  # share of the designers' change that the judge should see
Part = Literal["train", "validation", "test", "all"]


def epigenesis(
    model: Path,
    data: Path,
    *,
    output: Output,
    gene: tuple[str, ...] = (),
    part: Part = "test",
    settings: Annotated[_Settings | None, Parameter(name="*")] = None,
    report: bool = True,
    seed: Seed = 0,
    threads: Threads = None,
) -> None:
    """Slide a peak of each mark along the window and read what it does to predicted expression.

    Writes map.zarr (effects by gene), effects.parquet (means with intervals), scores.parquet (the strongest effects), run.json
    and report.html with the heat map.

    Parameters
    ----------
    model
        Folder of 'cistron chromatin train'.
    data
        Store of 'cistron chromatin build'.
    gene
        Genes to average over, by identifier or symbol; those of --part when absent.
    part
        Part of the split that genes are drawn from.
    report
        Write figures and the HTML report.
    """
    from cistron.chromatin.epigenesis import epigenesis as run_epigenesis
    from cistron.chromatin.epigenesis_output import strongest, write_epigenesis_folder
    from cistron.chromatin.model import load_chromatin_model
    from cistron.formats.gene_tracks import open_gene_tracks
    from cistron.runtime import RunRecord, check_writable, limit_threads

    check_writable(output)
    fitted, store = load_chromatin_model(model), open_gene_tracks(data)
    settings = settings or _Settings()
    run = RunRecord("chromatin epigenesis", settings, [model / "model.safetensors"], seed)
    with limit_threads(threads):
        found = run_epigenesis(fitted, store, _genes(fitted, store, gene, part), settings, seed=seed)
    write_epigenesis_folder(found, output, run, str(model.name))
    for row in strongest(found).itertuples():
        interval = (
            f" [{row.low:+.2f}, {row.high:+.2f}]" if row.low == row.low else " (one network: no interval)"
        )
        show(f"  {row.mark}: {row.effect:+.2f}{interval} at {row.start:+,} to {row.end:+,} bp")
    if report:
        from cistron.report import build_report

        show(f"report: {build_report([output], output / 'report.html')}")
    show(f"map: {output / 'map.zarr'}")


@preset_options(DESIGN)
def design(
    model: Path,
    data: Path,
    *,
    output: Output,
    gene: tuple[str, ...] = (),
    settings: ChosenMethod,
    allow_shortfall: Annotated[bool, Parameter(negative=())] = False,
    threads: Threads = None,
) -> None:
    """Find the smallest plausible edit of a gene's marks that reaches a wanted expression.

    Writes a store with the marks before and after, and the tables of what was wanted, achieved and edited, which also stand beside
    it as .outcome.tsv and .edits.tsv. Where the constraints do not allow the target this is an error that says how far it got.

    Parameters
    ----------
    model
        Folder of 'cistron chromatin train'; with several networks the last only judges.
    data
        Store of 'cistron chromatin build'.
    output
        Designed epigenome (.zarr).
    gene
        Genes to design, by identifier or symbol.
    allow_shortfall
        Write what was reached where the target is not.
    """
    from cistron.chromatin.design import design_epigenome
    from cistron.chromatin.design_tables import edit_table, outcome_table, shortfall
    from cistron.chromatin.model import load_chromatin_model
    from cistron.errors import InputError
    from cistron.formats.designed_epigenome import write_designed_epigenome
    from cistron.formats.gene_tracks import open_gene_tracks
    from cistron.runtime import RunRecord, atomic_path, check_writable, limit_threads, record_path, say

    if not gene:
        raise InputError("no gene was given; name at least one with --gene")
    check_writable(output)
    fitted, store = load_chromatin_model(model), open_gene_tracks(data)
    rows = store.gene_numbers(list(gene))
    chosen = settings.settings()
    run = RunRecord("chromatin design", chosen, [model / "model.safetensors"], 0)
    with limit_threads(threads):
        found = design_epigenome(fitted, store, rows, chosen)
    short = shortfall(found, store)
    if short is not None and not allow_shortfall:
        raise InputError(
            f"{short}; allow more marks, a wider region or a higher quantile, ask for less, or keep it with --allow-shortfall"
        )
    if short is not None:
        say(short)
        run.warn(short)
    outcome, edits = outcome_table(found, store), edit_table(found, store, fitted.marks)
    sequences = store.tracks.sequences.iloc[rows].reset_index(drop=True)
    write_designed_epigenome(
        output,
        found.designed,
        found.original,
        found.measured,
        sequences=sequences,
        cell_types=store.cell_types,
        marks=fitted.marks,
        bin_size=store.tracks.bin_size,
        outcome=outcome,
        edits=edits,
        name=output.stem,
        genome_build=str(store.tracks.header["genome_build"]),
        parameters=run.settings,
    )
    for name, table in (("outcome", outcome), ("edits", edits)):
        with atomic_path(output.with_name(f"{output.stem}.{name}.tsv")) as partial:
            table.to_csv(partial, sep="\t", index=False, float_format="%.4f")
    run.write(record_path(output))
    for row in outcome.drop_duplicates("gene").itertuples():
        judged = f", {row.judged_share:.0%} by the judge" if row.judged_share == row.judged_share else ""
        show(
            f"  {row.gene}: {row.share:.0%} of the wanted change{judged}; edit {row.edit_size:.1f} kb x log signal in {row.edited_blocks} "
            "blocks of 1 kb"
        )
    if (outcome["judged_share"] < LOW_JUDGEMENT * outcome["share"]).any():
        say(
            "a network that took no part in the design sees less than half of the change: the edit may please these networks "
            "only; train more of them (--network.members) or ask for less"
        )
    show(f"wrote {output}")


def embed(
    model: Path,
    data: Path,
    *,
    output: Output,
    dimensions: Count = 64,
    name: str | None = None,
    threads: Threads = None,
) -> None:
    """Write a gene embedding: what the network sees in the marks of each gene.

    Its evidence is chromatin and expression, because the network was fitted on the expression of its training genes.

    Parameters
    ----------
    model
        Folder of 'cistron chromatin train'.
    data
        Store of 'cistron chromatin build'.
    dimensions
        Number of dimensions, at most.
    name
        Name of the embedding.
    """
    from cistron.chromatin.embed import embed_genes
    from cistron.chromatin.model import load_chromatin_model
    from cistron.formats import write_gene_embedding
    from cistron.formats.gene_tracks import open_gene_tracks
    from cistron.runtime import check_writable, limit_threads

    check_writable(output)
    with limit_threads(threads):
        embedding = embed_genes(
            load_chromatin_model(model), open_gene_tracks(data), dimensions=dimensions, name=name
        )
    write_gene_embedding(embedding, output)
    show(f"wrote {output}: {embedding.n_obs:,} genes x {embedding.n_vars:,} dimensions")


def _genes(fitted, store, names: tuple[str, ...], part: str):  # type: ignore[no-untyped-def]  # model and store load late
    import numpy as np

    from cistron.chromatin.estimator import model_parts
    from cistron.errors import InputError

    if names:
        return store.gene_numbers(list(names))
    if part == "all":
        return np.arange(len(store.genes))
    found = np.flatnonzero(np.array(model_parts(fitted, store.genes, "genes")) == part)
    if not len(found):
        raise InputError(
            f"{store.path.name} has no gene of the model's {part} part; name genes, or give --part all"
        )
    return found
