"""Divide one genome or two into folds that share no homologous sequence, and report what they share all the same."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cistron.errors import InputError
from cistron.formats.scores import score_frame, write_scores
from cistron.genome.homology import (
    LEAST_OVERLAP,
    assign_folds,
    components,
    keep_apart,
    make_contigs,
    read_net,
    rejoin,
    tile,
)
from cistron.genome.intervals import covered_bins, read_intervals, read_lengths
from cistron.genome.leaks import OrthologPairs, ortholog_pairs, shared_blocks, shared_input
from cistron.runtime import Progress, RunRecord, atomic_path, say
from cistron.runtime.files import destination_of
from cistron.runtime.tables import read_text_table
from cistron.sequence.settings import BIN
from cistron.sequence.settings_data import FoldSettings

TASK = "folds"
_COPIES = re.compile(r"_(alt|fix|hap\d*)$|^HLA-", re.IGNORECASE)


@dataclass(frozen=True)
class GenomeFiles:
    """Files of one genome.

    Attributes
    ----------
    name
        Name of the organism, and of its BED file.
    lengths
        FASTA index or table of chromosome sizes.
    gaps, unmappable, blacklist
        BED of assembly gaps, of what short reads cannot be mapped to, and of regions with artefacts; ``None`` for none.
    """

    name: str
    lengths: Path
    gaps: Path | None = None
    unmappable: Path | None = None
    blacklist: Path | None = None


@dataclass(frozen=True)
class Folds:
    """What was made.

    Attributes
    ----------
    sequences
        Organism to its sequences: ``chromosome``, ``start``, ``end``, ``fold``.
    report
        What stands in ``report.json``.
    """

    sequences: dict[str, pd.DataFrame]
    report: dict[str, Any]


def make_folds(
    genomes: Sequence[GenomeFiles],
    alignment: Path | None = None,
    orthologs: Path | None = None,
    settings: FoldSettings | None = None,
    seed: int = 0,
) -> Folds:
    """Divide one genome or two into folds.

    Parameters
    ----------
    genomes
        One genome, or two: the first is the target of the net.
    alignment
        Net of the two genomes; needed with two.
    orthologs
        Table of orthologous genes (:func:`read_orthologs`).
    settings
        How.
    seed
        Seed.

    Returns
    -------
    Folds
        Sequences and report.

    Raises
    ------
    InputError
        If the files contradict each other, or no sequence fits.
    """
    settings = settings or FoldSettings()
    if len(genomes) == 2 and alignment is None:
        raise InputError(
            "two organisms need --alignment, the net of one genome against the other (hg38.mm10.syn.net.gz); without it homologous "
            "sequences would lie in different folds"
        )
    if len(genomes) == 1 and (alignment is not None or orthologs is not None):
        raise InputError(
            f"{'--alignment' if alignment is not None else '--orthologs'} needs a second genome; give --mouse"
        )
    with Progress("making folds", 5, "steps") as progress:
        lengths = [_used_chromosomes(read_lengths(genome.lengths), genome) for genome in genomes]
        net = None if alignment is None else read_net(alignment, lengths[0], lengths[1])
        progress.advance()
        contigs, dropped = [], []
        for genome, own in zip(genomes, lengths):
            gaps = (
                None
                if genome.gaps is None
                else read_intervals(genome.gaps, own, f"gaps of {genome.name}, file")
            )
            found, lost = make_contigs(own, gaps, shortest=settings.length)
            if not len(found):
                raise InputError(
                    f"no contig of {genome.name} holds a sequence of {settings.length:,} bp; give a smaller --length"
                )
            contigs.append(found)
            dropped.append(lost)
        progress.advance()
        labels = components(contigs, net)
        widths = np.concatenate([(table["end"] - table["start"]).to_numpy() for table in contigs])
        sizes = np.bincount(np.concatenate(labels), widths).astype(np.int64)
        assigned = assign_folds(sizes, settings.shares, seed, free=0 if settings.folds is None else None)
        names = np.array(settings.names)
        progress.advance()
        sequences, unmappable = {}, {}
        for genome, own, table, label in zip(genomes, lengths, contigs, labels):
            table = rejoin(table.assign(fold=names[assigned[label]]))
            if settings.margin:
                table = keep_apart(table, 2 * settings.margin)
            tiled = tile(table, settings.length, settings.step)
            tiled, unmappable[genome.name] = _mappable(tiled, genome, own, settings)
            order = np.argsort(tiled["fold"].map({name: n for n, name in enumerate(names)}), kind="stable")
            sequences[genome.name] = tiled.iloc[order].reset_index(drop=True)
        if settings.leak_margin and settings.margin > settings.leak_margin:
            say(
                f"--leak-margin {settings.leak_margin:,} would leave leaks; {settings.margin:,} bp are left out on either side of a boundary, "
                f"because a model reads {settings.input_length:,} bp around a sequence of {settings.length:,}"
            )
        progress.advance()
        report = leak_report(sequences, settings.names, settings.input_length, net)
        progress.advance()
    report["contigs"] = {
        genome.name: {"number": len(table), "dropped_base_pairs": lost}
        for genome, table, lost in zip(genomes, contigs, dropped)
    }
    report["components"] = {"number": len(sizes), "largest_base_pairs": int(sizes.max())}
    report["dropped_unmappable"] = unmappable
    if orthologs is not None:
        first, other = sequences.values()
        pairs = ortholog_pairs(first, other, read_orthologs(orthologs))
        report["orthologs"] = _ortholog_facts(pairs)
    for name in settings.names:
        if any(not (table["fold"] == name).any() for table in sequences.values()):
            say(
                f"fold {name} has no sequence of {' or '.join(genome for genome, table in sequences.items() if not (table['fold'] == name).any())}"
            )
    report["seed"] = seed
    report["settings"] = asdict(settings)
    return Folds(sequences, report)


def _ortholog_facts(pairs: OrthologPairs) -> dict[str, Any]:
    return {
        "pairs": pairs.pairs,
        "placed": pairs.placed,
        "same_fold": None if np.isnan(pairs.together) else round(pairs.together, 6),
        "chance": None if np.isnan(pairs.chance) else round(pairs.chance, 6),
    }


def _used_chromosomes(lengths: dict[str, int], genome: GenomeFiles) -> dict[str, int]:
    """Leave out other copies of chromosomes: their sequence would be in another fold than that of the chromosome."""
    copies = [name for name in lengths if _COPIES.search(name)]
    if copies and len(copies) < len(lengths):
        say(
            f"{genome.lengths.name}: {len(copies):,} alternative loci and patches are left out, for example {copies[0]}; they repeat "
            "sequence of the chromosomes"
        )
        return {name: length for name, length in lengths.items() if name not in set(copies)}
    return lengths


def _mappable(
    sequences: pd.DataFrame, genome: GenomeFiles, lengths: Mapping[str, int], settings: FoldSettings
) -> tuple[pd.DataFrame, int]:
    """Drop sequences that are mostly unmappable or blacklisted; also give how many."""
    files = {"unmappable regions": genome.unmappable, "blacklist": genome.blacklist}
    parts = [
        read_intervals(path, lengths, f"{what} of {genome.name}, file")
        for what, path in files.items()
        if path is not None
    ]
    if not parts or not len(sequences):
        return sequences, 0
    regions = pd.concat(parts).sort_values(["chromosome", "start"], kind="stable")
    whole = settings.length - settings.length % BIN
    share = covered_bins(sequences.assign(end=sequences["start"] + whole), regions, BIN).mean(axis=1)
    kept = share < settings.unmappable_share
    if not kept.all():
        first = sequences[~kept].iloc[0]
        say(
            f"{genome.name}: {int((~kept).sum()):,} of {len(kept):,} sequences are dropped because {settings.unmappable_share:.0%} of their "
            f"bins or more are unmappable or blacklisted, for example {first['chromosome']}:{first['start']}-{first['end']}"
        )
    return sequences[kept], int((~kept).sum())


def leak_report(
    sequences: Mapping[str, pd.DataFrame],
    folds: Sequence[str],
    input_length: int,
    net: pd.DataFrame | None = None,
) -> dict[str, Any]:
    """Count what the folds hold and what they share; for published folds as well as for ours.

    Parameters
    ----------
    sequences
        Organism to its sequences: ``chromosome``, ``start``, ``end``, ``fold``. With a net, its target first.
    folds
        Names of the folds.
    input_length
        Base pairs that a model reads around the middle of a sequence.
    net
        Aligned blocks of :func:`cistron.genome.homology.read_net`; ``None`` where there are none.

    Returns
    -------
    dict
        ``sequences`` and ``base_pairs`` by organism and fold (base pairs that sequences share are counted once a sequence);
        ``leaks``: ``total`` pairs of sequences of different folds that share input, by organism the pairs by folds, the affected
        sequences, the boundaries and close boundaries; ``aligned_blocks`` and ``divided_blocks`` with a net.
    """
    report: dict[str, Any] = {"folds": list(folds), "input_length": input_length}
    report["sequences"], report["base_pairs"], by_organism = {}, {}, {}
    for organism, table in sequences.items():
        rows = {name: table[table["fold"] == name] for name in folds}
        report["sequences"][organism] = {name: len(part) for name, part in rows.items()}
        report["base_pairs"][organism] = {
            name: int((part["end"] - part["start"]).sum()) for name, part in rows.items()
        }
        found = shared_input(table, folds, input_length)
        by_organism[organism] = {
            "pairs": found.total,
            "by_folds": {
                f"{folds[a]}-{folds[b]}": int(found.pairs[a, b])
                for a in range(len(folds))
                for b in range(a + 1, len(folds))
                if found.pairs[a, b]
            },
            "sequences": dict(zip(folds, found.sequences.tolist())),
            "boundaries": found.boundaries,
            "close_boundaries": found.close_boundaries,
        }
    report["leaks"] = {
        "total": sum(found["pairs"] for found in by_organism.values()),
        "organisms": by_organism,
    }
    if net is not None:
        blocks = shared_blocks(list(sequences.values()), net, LEAST_OVERLAP)
        report["aligned_blocks"], report["divided_blocks"] = blocks.blocks, blocks.divided
    return report


def read_orthologs(path: str | Path) -> pd.DataFrame:
    """Read a table of orthologous genes with their places in both genomes.

    Parameters
    ----------
    path
        Text or Parquet. Two columns whose names hold ``chrom`` and two whose names hold ``tss`` or ``position`` are taken, those of
        the first organism first.

    Returns
    -------
    DataFrame
        ``chromosome``, ``position``, ``other_chromosome``, ``other_position`` (0-based).

    Raises
    ------
    InputError
        If there are not two such columns of each kind.
    """
    path = Path(path)
    is_parquet = path.suffix == ".parquet"
    frame = pd.read_parquet(path) if is_parquet else read_text_table(path, "orthologs").frame
    places = [name for name in frame if "chrom" in str(name).lower()]
    positions = [
        name
        for name in frame
        if ("tss" in str(name).lower() or "position" in str(name).lower()) and name not in places
    ]
    if len(places) != 2 or len(positions) != 2:
        raise InputError(
            f"orthologs {path.name}: expected two columns of chromosomes (chrom) and two of start sites (tss or position), those of the "
            f"first organism first. Given: {', '.join(map(str, frame.columns[:12]))}"
        )
    numbers = [pd.to_numeric(frame[name], errors="coerce") for name in positions]
    for name, column in zip(positions, numbers):
        if column.isna().any() or (column < 0).any():
            row = int((column.isna() | (column < 0)).to_numpy().argmax())
            raise InputError(
                f"orthologs {path.name} row {row + 1}: {name} is {str(frame[name].iloc[row])[:40]!r}, not a position of 0 or more"
            )
    return pd.DataFrame(
        {
            "chromosome": frame[places[0]].astype(str).to_numpy(),
            "position": numbers[0].astype(np.int64).to_numpy(),
            "other_chromosome": frame[places[1]].astype(str).to_numpy(),
            "other_position": numbers[1].astype(np.int64).to_numpy(),
        }
    )


def read_folds(path: str | Path) -> pd.DataFrame:
    """Read sequences with their folds, BED with four columns: chromosome, start, end, fold.

    Parameters
    ----------
    path
        File of ``cistron sequence folds``, or published with Basenji, Enformer or Borzoi.

    Returns
    -------
    DataFrame
        ``chromosome``, ``start``, ``end``, ``fold``, in the order of the file.

    Raises
    ------
    InputError
        If a row is no region, or has no fold.
    """
    from cistron.genome.regions import read_regions

    path = Path(path)
    found = read_regions(path).rename(columns={"name": "fold"})
    made_up = found["fold"] == (
        found["chromosome"] + ":" + found["start"].astype(str) + "-" + found["end"].astype(str)
    )
    if made_up.any():
        raise InputError(
            f"folds {path.name}: row {int(made_up.to_numpy().argmax()) + 1} has no fourth column; expected chromosome, start, end and fold"
        )
    return found[["chromosome", "start", "end", "fold"]]


def write_folds(folds: Folds, output: str | Path, record: RunRecord) -> None:
    """Write ``ORGANISM.bed`` for each organism, ``report.json``, ``scores.parquet`` and, last, ``run.json``.

    Parameters
    ----------
    folds
        What :func:`make_folds` made.
    output
        Folder.
    record
        Record of the run.
    """
    output = destination_of(output)
    for organism, table in folds.sequences.items():
        with atomic_path(output / f"{organism}.bed") as partial:
            columns = table[["chromosome", "start", "end", "fold"]]
            columns.to_csv(partial, sep="\t", header=False, index=False, lineterminator="\n")
    with atomic_path(output / "report.json") as partial:
        partial.write_text(json.dumps(folds.report, indent=2) + "\n", encoding="utf-8")
    write_scores(score_frame(_score_rows(folds.report, record)), output / "scores.parquet")
    record.record("report", folds.report)
    if folds.report["leaks"]["total"]:
        record.warn(
            f"{folds.report['leaks']['total']:,} pairs of sequences of different folds share input; --leak-margin makes none"
        )
    record.write(output / "run.json")


def _score_rows(report: Mapping[str, Any], record: RunRecord) -> list[dict[str, Any]]:
    run = {
        "task": TASK,
        "embedding": "folds",
        "model": "homology",
        "seed": record.seed,
        "run_id": record.run_id,
    }
    rows = []
    for organism, counts in report["sequences"].items():
        leaks = report["leaks"]["organisms"][organism]
        for name, number in counts.items():
            shared = run | {"dataset": organism, "target": name, "stratum": "all", "n": number}
            rows.append(shared | {"metric": "sequences", "value": number})
            rows.append(shared | {"metric": "base_pairs", "value": report["base_pairs"][organism][name]})
            rows.append(shared | {"metric": "sequences_that_share_input", "value": leaks["sequences"][name]})
    whole = run | {"dataset": " and ".join(report["sequences"]), "target": "all folds", "stratum": "all"}
    rows.append(whole | {"metric": "leaks", "value": report["leaks"]["total"]})
    if "divided_blocks" in report:
        rows.append(
            whole
            | {"metric": "divided_blocks", "value": report["divided_blocks"], "n": report["aligned_blocks"]}
        )
    facts = report.get("orthologs")
    if facts and facts["same_fold"] is not None:
        rows.append(
            whole
            | {
                "metric": "orthologs_in_same_fold",
                "value": facts["same_fold"],
                "n": facts["placed"],
                "null_model": "folds of the two genomes independent",
                "null_value": facts["chance"],
            }
        )
    return rows


def fold_files(
    genomes: Sequence[GenomeFiles],
    output: str | Path,
    *,
    alignment: Path | None = None,
    orthologs: Path | None = None,
    settings: FoldSettings | None = None,
    seed: int = 0,
) -> Folds:
    """Do what ``cistron sequence folds`` does.

    Parameters
    ----------
    genomes, alignment, orthologs, settings, seed
        As of :func:`make_folds`.
    output
        Folder to write.

    Returns
    -------
    Folds
        Sequences and report.
    """
    settings = settings or FoldSettings()
    given = [alignment, orthologs]
    for genome in genomes:
        given += [genome.lengths, genome.gaps, genome.unmappable, genome.blacklist]
    record = RunRecord("sequence folds", settings, [path for path in given if path is not None], seed)
    folds = make_folds(genomes, alignment, orthologs, settings, seed)
    write_folds(folds, output, record)
    return folds
