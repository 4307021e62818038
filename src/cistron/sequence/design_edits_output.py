"""What base changes of a design are written as: tables, BED, VCF, scores and the record of the run."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from cistron.formats.scores import score_frame, write_scores
from cistron.runtime import RunRecord, atomic_directory
from cistron.sequence.base_edits import LETTERS, BaseEdits
from cistron.sequence.settings import BIN

TASK = "base_edits"
OUTCOME_COLUMNS = ("gene", "edits", "share", "judge_share", "expression_share", "reached")


@dataclass(frozen=True)
class Site:
    """Where a gene of the design lies.

    Attributes
    ----------
    gene, chromosome, strand
        Their names.
    position
        Start site, 0-based.
    """

    gene: str
    chromosome: str
    strand: str
    position: int

    def distance(self, position: np.ndarray) -> np.ndarray:
        """Base pairs behind the start site, in the direction of transcription; negative in front of it."""
        return np.asarray(position - self.position) * (-1 if self.strand == "-" else 1)


@dataclass(frozen=True)
class GeneEdits:
    """Base changes of one gene, and what was predicted.

    Attributes
    ----------
    site
        Where the gene lies.
    found
        The changes.
    judge_share
        Share of the wanted change by the model that took no part; NaN without one.
    edits
        Of :func:`edit_table`.
    tracks
        Of :func:`track_table`.
    """

    site: Site
    found: BaseEdits
    judge_share: float
    edits: pd.DataFrame
    tracks: pd.DataFrame


def edit_table(site: Site, start: int, codes: np.ndarray, found: BaseEdits) -> pd.DataFrame:
    """One row a changed base: ``gene``, ``chromosome``, ``position`` (0-based), ``from_start_site``, ``reference``, ``edited``.

    Parameters
    ----------
    site
        Where the gene lies.
    start
        Place of the first base of the sequence.
    codes
        The sequence, uint8 [base pair].
    found
        Its changes.
    """
    places = found.positions
    return pd.DataFrame(
        {
            "gene": site.gene,
            "chromosome": site.chromosome,
            "position": start + places,
            "from_start_site": site.distance(start + places),
            "reference": [LETTERS[code] for code in codes[places]],
            "edited": [LETTERS[code] for code in found.codes[places]],
        }
    )


def track_table(
    site: Site,
    pairs: pd.DataFrame,
    starts: np.ndarray,
    wanted: np.ndarray,
    predictions: Sequence[tuple[np.ndarray, np.ndarray]],
) -> pd.DataFrame:
    """One row a track and bin: what was predicted before, wanted, and predicted after, log(1 + signal).

    Parameters
    ----------
    site
        Where the gene lies.
    pairs
        ``cell_type`` and ``mark``, one row a track.
    starts
        First base pair of each bin, int [bin].
    wanted
        Wanted change, float [track x bin].
    predictions
        Before and after, float [track x bin] each: by the model, and by the judge where there is one.

    Returns
    -------
    DataFrame
        ``gene``, ``cell_type``, ``mark``, ``chromosome``, ``start``, ``end`` (0-based, half-open), ``from_start_site`` (of the middle), ``before``,
        ``wanted``, ``after``, ``judge_before``, ``judge_after``.
    """
    (before, after), *judge = predictions
    judged = judge[0] if judge else (np.full(len(wanted), np.nan), np.full(len(wanted), np.nan))
    place = np.tile(starts, len(pairs))
    return pd.DataFrame(
        {
            "gene": site.gene,
            "cell_type": np.repeat(pairs["cell_type"].to_numpy(str), len(starts)),
            "mark": np.repeat(pairs["mark"].to_numpy(str), len(starts)),
            "chromosome": site.chromosome,
            "start": place,
            "end": place + BIN,
            "from_start_site": site.distance(place + BIN // 2),
            "before": before,
            "wanted": before + wanted,
            "after": after,
            "judge_before": judged[0],
            "judge_after": judged[1],
        }
    )


def outcome_table(done: Sequence[GeneEdits], levels: pd.DataFrame | None, tolerance: float) -> pd.DataFrame:
    """One row a gene: :data:`OUTCOME_COLUMNS`.

    Parameters
    ----------
    done
        The genes.
    levels
        Expression, of ``expression`` in :func:`cistron.sequence.design_edits.design_edits`.
    tolerance
        Share at which the target counts as reached.
    """
    rows = [
        (one.site.gene, len(one.found.positions), one.found.share, one.judge_share,
         expression_share(levels, one.site.gene), one.found.share >= tolerance)
        for one in done
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=list(OUTCOME_COLUMNS))


def expression_share(levels: pd.DataFrame | None, gene: str) -> float:
    """Share of the wanted change of expression that the marks of the edited DNA give, over target cell types; NaN if it is not known."""
    if levels is None:
        return float("nan")
    own = levels[(levels["gene"] == gene) & (levels["role"] == "target")]
    wanted = (own["wanted"] - own["start"]).to_numpy()
    size = float((wanted**2).sum())
    return float(((own["edited"] - own["start"]).to_numpy() * wanted).sum() / size) if size else float("nan")


def write_edits_folder(
    output: Path,
    run: RunRecord,
    done: Sequence[GeneEdits],
    outcome: pd.DataFrame,
    levels: pd.DataFrame | None,
    *,
    names: tuple[str, str],
    build: str,
    tolerance: float,
) -> None:
    """Write the folder, whole or not at all.

    Parameters
    ----------
    output
        Folder.
    run
        Record of the run.
    done
        The genes.
    outcome
        Of :func:`outcome_table`.
    levels
        Expression, if it was asked for.
    names
        Of the design and of the model.
    build
        Genome build.
    tolerance
        Share at which the target counts as reached.
    """
    table = pd.concat([one.edits for one in done], ignore_index=True)
    tracks = pd.concat([one.tracks for one in done], ignore_index=True)
    rows = [
        {
            "task": TASK,
            "dataset": names[0],
            "embedding": names[1],
            "model": "",
            "target": row.gene,
            "metric": metric,
            "stratum": "all",
            "value": getattr(row, metric),
            "n": int((tracks["gene"] == row.gene).sum()),
            "seed": run.seed,
            "run_id": run.run_id,
        }
        for row in outcome.itertuples()
        for metric in ("share", "judge_share", "expression_share")
        if getattr(row, metric) == getattr(row, metric)
    ]
    run.record("tolerance", tolerance)
    run.record(
        "places",
        [
            {"gene": one.site.gene, "chromosome": one.site.chromosome, "start_site": one.site.position, "strand": one.site.strand}
            for one in done
        ],
    )  # fmt: skip
    with atomic_directory(output) as partial:
        table.to_csv(partial / "edits.tsv", sep="\t", index=False)
        outcome.to_csv(partial / "outcome.tsv", sep="\t", index=False, float_format="%.4f")
        for name, frame in (
            ("edits", table),
            ("outcome", outcome),
            ("tracks", tracks),
            ("expression", levels),
        ):
            if frame is not None:
                frame.to_parquet(partial / f"{name}.parquet", index=False)
        write_scores(score_frame(rows), partial / "scores.parquet")
        _write_bed(table, partial / "edits.bed")
        _write_vcf(table, partial / "edits.vcf", build)
        run.write(partial / "run.json")


def _write_bed(table: pd.DataFrame, path: Path) -> None:
    lines = [
        f"{row.chromosome}\t{row.position}\t{row.position + 1}\t{row.gene}:{row.reference}>{row.edited}\n"
        for row in table.itertuples()
    ]
    path.write_text("".join(lines))


def _write_vcf(table: pd.DataFrame, path: Path, build: str) -> None:
    """Sorted, 1-based; sites that two genes change differently have a line each."""
    header = "##fileformat=VCFv4.2\n" + (f"##reference={build}\n" if build else "")
    contigs = "".join(f"##contig=<ID={name}>\n" for name in sorted(set(table["chromosome"])))
    info = '##INFO=<ID=GENE,Number=1,Type=String,Description="Gene of the design">\n'
    lines = [
        f"{row.chromosome}\t{row.position + 1}\t.\t{row.reference}\t{row.edited}\t.\t.\tGENE={row.gene}\n"
        for row in table.sort_values(["chromosome", "position"]).itertuples()
    ]
    path.write_text(
        header + contigs + info + "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n" + "".join(lines)
    )
