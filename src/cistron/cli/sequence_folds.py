"""``cistron sequence folds``."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Group, Parameter

from cistron.cli.options import Output, Seed
from cistron.errors import InputError
from cistron.methods import Range
from cistron.runtime import show
from cistron.sequence.settings_data import FoldSettings

_MASKS = Group("What is left out", sort_key=20)
_Gaps = Annotated[Path | None, Parameter(group=_MASKS, help="BED of assembly gaps of that organism.")]
_Unmappable = Annotated[
    Path | None,
    Parameter(group=_MASKS, help="BED of regions of that organism that short reads cannot be mapped to."),
]


@dataclass(frozen=True)
class _Settings(FoldSettings):
    __doc__ = FoldSettings.__doc__
    fractions: Annotated[
        tuple[Annotated[float, Range(0, 1)], ...], Parameter(negative=(), consume_multiple=True)
    ] = FoldSettings.fractions


def folds(
    *,
    human: Path,
    output: Output,
    mouse: Path | None = None,
    alignment: Path | None = None,
    human_gaps: _Gaps = None,
    mouse_gaps: _Gaps = None,
    human_unmappable: _Unmappable = None,
    mouse_unmappable: _Unmappable = None,
    blacklist: Annotated[tuple[Path, ...], Parameter(group=_MASKS, negative=(), consume_multiple=True)] = (),
    orthologs: Path | None = None,
    settings: Annotated[_Settings | None, Parameter(name="*")] = None,
    report: bool = True,
    seed: Seed = 0,
) -> None:
    """Divide one genome or two into folds so that no homologous sequence lies in two of them.

    Contigs and the aligned blocks of a net are joined to a graph, whose connected components go to folds whole. Writes human.bed
    (and mouse.bed) with chromosome, start, end and fold, report.json, scores.parquet and report.html.

    Parameters
    ----------
    human
        Chromosome sizes of the first organism, whichever it is: a FASTA index (.fai) or a table of name and size.
    mouse
        Those of the second organism; without one every contig of at most 1 Mb is a component of its own.
    alignment
        Net of the two genomes, the first as target (hg38.mm10.syn.net.gz), plain or gzip.
    blacklist
        BED of regions with artefacts, of the first organism and then of the second; they count as unmappable.
    orthologs
        Table of orthologous genes with two columns of chromosomes and two of start sites, to count how many pairs lie in one fold.
    report
        Write figures and the HTML report.
    """
    from cistron.sequence.folds import GenomeFiles, fold_files

    if len(blacklist) > 1 + (mouse is not None):
        raise InputError(
            f"--blacklist takes one BED an organism, that of --human first. Given: {len(blacklist)} for {1 + (mouse is not None)}"
        )
    if mouse is None and (mouse_gaps or mouse_unmappable):
        raise InputError("--mouse-gaps and --mouse-unmappable need --mouse")
    black = [*blacklist, None, None]
    genomes = [GenomeFiles("human", human, human_gaps, human_unmappable, black[0])]
    if mouse is not None:
        genomes.append(GenomeFiles("mouse", mouse, mouse_gaps, mouse_unmappable, black[1]))
    found = fold_files(
        genomes, output, alignment=alignment, orthologs=orthologs, settings=settings, seed=seed
    ).report
    for organism, counts in found["sequences"].items():
        total = max(1, sum(found["base_pairs"][organism].values()))
        parts = ", ".join(
            f"{name} {number:,} ({found['base_pairs'][organism][name] / total:.1%})"
            for name, number in counts.items()
        )
        show(f"{organism}: {sum(counts.values()):,} sequences: {parts}")
    show(
        f"{found['components']['number']:,} components; leaks: {found['leaks']['total']:,} pairs of sequences of different folds share input"
        + (" (--leak-margin makes none)" if found["leaks"]["total"] else "")
    )
    if "divided_blocks" in found:
        show(
            f"aligned blocks with sequences in two folds: {found['divided_blocks']:,} of {found['aligned_blocks']:,}"
        )
    if found.get("orthologs", {}).get("same_fold") is not None:
        facts = found["orthologs"]
        show(
            f"orthologous genes in one fold: {facts['same_fold']:.1%} of {facts['placed']:,} pairs, {facts['chance']:.1%} by chance"
        )
    if report:
        from cistron.report import build_report

        show(f"report: {build_report([output], output / 'report.html')}")
    show(f"folds: {', '.join(str(output / f'{genome.name}.bed') for genome in genomes)}")
