"""``cistron chromatin epigenesis|design|embed``: what-if questions to a fitted network."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from cistron.chromatin.methods import DESIGN
from cistron.chromatin.settings import EpigenesisSettings
from cistron.cli.method_options import ChosenMethod, preset_options
from cistron.cli.options import Output, Scheduler, Seed, Threads, Workers, renamed
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
    workers: Workers = 1,
    scheduler: Scheduler = None,
    threads: Threads = None,
) -> None:
    """Slide a peak of each mark along the window and measure how the predicted expression changes.

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
    from cistron.chromatin.epigenesis import epigenesis_files
    from cistron.chromatin.epigenesis_output import strongest

    found = epigenesis_files(model, data, output, gene, settings, part=part, seed=seed, threads=threads)
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
    report: bool = True,
    workers: Workers = 1,
    scheduler: Scheduler = None,
    threads: Threads = None,
) -> None:
    """Find the smallest plausible edit of a gene's marks that reaches a wanted expression.

    Writes a store with the marks before and after, and the tables of what was wanted, achieved and edited, which also stand beside
    it as .outcome.tsv and .edits.tsv, and .report.html with the tracks of each gene. Where the constraints do not allow the target this is an error that says how far it got.

    Parameters
    ----------
    model
        Folder of 'cistron chromatin train'; with several networks a third of them only judges.
    data
        Store of 'cistron chromatin build'.
    output
        Designed epigenome (.zarr).
    gene
        Genes to design, by identifier or symbol.
    allow_shortfall
        Write what was reached where the target is not.
    report
        Write the HTML report.
    """
    from cistron.chromatin.design import design_files
    from cistron.runtime import say

    outcome = design_files(
        model,
        data,
        output,
        gene,
        settings.settings(),
        allow_shortfall=allow_shortfall,
        threads=threads,
    )
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
    if report:
        from cistron.report.design import design_report

        show(f"report: {design_report(output, output.with_name(f'{output.stem}.report.html'))}")
    show(f"wrote {output}")


def quality(data: Path, *, output: Output, report: bool = True, threads: Threads = None) -> None:
    """Describe the tracks of a store around start sites, and flag those that look wrong.

    Writes tracks.tsv (one row a track with its flags), the tables behind the figures, run.json and report.html with profile and heat map.

    Parameters
    ----------
    data
        Store of 'cistron chromatin build'.
    report
        Write figures and the HTML report.
    """
    from cistron.chromatin.track_quality import track_quality_files
    from cistron.runtime import limit_threads

    with limit_threads(threads):
        found = track_quality_files(data, output)
    for row in found.tracks[found.tracks["flags"] != ""].itertuples():
        show(f"  {row.mark} of {row.cell_type}: {row.flags}")
    if report:
        from cistron.report import build_report

        show(f"report: {build_report([output], output / 'report.html')}")
    show(f"wrote {output}: {len(found.tracks)} tracks, {(found.tracks['flags'] != '').sum()} flagged")


def export(
    store: Path,
    *,
    output: Output,
    chromosome_lengths: Path | None = None,
) -> None:
    """Write the marks of a store, or a designed epigenome with its edits, as bigWig and BED for a genome browser.

    Of a design: CELL_TYPE/before, after and change, one bigWig a mark, and edits.bed (blue where a mark rises, orange where it falls).

    Parameters
    ----------
    store
        Store of 'cistron chromatin build' or 'cistron chromatin design'.
    chromosome_lengths
        Table of chromosome and length (UCSC's hg38.chrom.sizes), for stores that were built from binned arrays.
    """
    from cistron.formats.browser_files import read_chromosome_lengths, write_browser_files

    lengths = None if chromosome_lengths is None else read_chromosome_lengths(chromosome_lengths)
    written = write_browser_files(store, output, lengths)
    show(f"wrote {len(written):,} files to {output}")


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
    from cistron.chromatin.embed import embed_files

    embedding = embed_files(model, data, output, dimensions=dimensions, name=name, threads=threads)
    show(f"wrote {output}: {embedding.n_obs:,} genes x {embedding.n_vars:,} dimensions")
