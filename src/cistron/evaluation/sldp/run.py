"""Signed LD profile regression on files."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from cistron.errors import InputError
from cistron.evaluation.result_folder import require_folder, write_folder
from cistron.evaluation.sldp.evaluate import SldpResult, evaluate_sldp
from cistron.evaluation.sldp.linkage import read_reference
from cistron.evaluation.sldp.settings import SldpSettings
from cistron.evaluation.sldp.summary import read_trait
from cistron.evaluation.variants.run import read_all_scored
from cistron.runtime import RunRecord, say


def run_sldp(
    scores: Sequence[str | Path],
    summary: Sequence[str | Path],
    reference: str | Path,
    output: str | Path,
    settings: SldpSettings | None = None,
    *,
    blocks: str | Path | None = None,
    people: int | None = None,
    seed: int = 0,
) -> SldpResult:
    """Test signed scores of variants on summary statistics and write a result folder.

    Parameters
    ----------
    scores
        Tables of :func:`cistron.evaluation.variants.read_scored`; each column is an annotation.
    summary
        Summary statistics of one or several traits.
    reference
        ``.npz``, or the prefix of PLINK files.
    output
        Folder: ``scores.parquet``, ``annotations.parquet``, ``run.json``.
    settings
        Settings of the task.
    blocks
        BED of linkage blocks.
    people
        Number of people of the GWAS, where the summary statistics do not tell.
    seed
        Seed.
    """
    settings = settings or SldpSettings()
    if not scores or not summary:
        raise InputError("sldp: give one table of scores or more, and --summary with one file or more")
    reference = Path(reference)
    parts = (
        [reference]
        if reference.exists()
        else [reference.with_name(reference.name + suffix) for suffix in (".bed", ".bim", ".fam")]
    )
    folder, files = require_folder(output, [*scores, *summary, *parts, blocks])
    record = RunRecord("evaluate sldp", asdict(settings) | {"people": people}, files, seed)
    tables = read_all_scored(scores)
    panel = read_reference(reference, blocks=blocks, block_length=settings.block_length)
    traits = [read_trait(path, panel, people) for path in summary]
    names = [trait.name for trait in traits]
    if len(set(names)) < len(names):
        raise InputError(f"two traits are called {max(names, key=names.count)!r}; rename one of the files")
    result = evaluate_sldp(panel, traits, tables, settings, seed=seed, run_id=record.run_id)
    for warning in result.warnings:
        say(warning)
    write_folder(
        folder,
        record,
        result.scores,
        tables={"annotations": result.annotations},
        facts=result.facts,
        warnings=result.warnings,
    )
    return result
