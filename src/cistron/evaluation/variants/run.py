"""The variant task on files: reporter assays, and eQTL."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import pandas as pd

from cistron.errors import InputError
from cistron.evaluation.result_folder import require_folder, write_folder
from cistron.evaluation.variants.eqtl import evaluate_eqtl
from cistron.evaluation.variants.eqtl_inputs import read_eqtl
from cistron.evaluation.variants.evaluate import MpraSettings, evaluate_mpra
from cistron.evaluation.variants.inputs import Scored, join_measured, read_measured, read_scored
from cistron.evaluation.variants.settings_eqtl import EqtlSettings
from cistron.runtime import RunRecord, atomic_path, say
from cistron.runtime.tables import read_text_table


def run_mpra(
    scores: Sequence[str | Path],
    mpra: str | Path | Sequence[str | Path],
    output: str | Path,
    settings: MpraSettings | None = None,
    *,
    build: str = "",
    seed: int = 0,
) -> pd.DataFrame:
    """Compare tables of scores with a table of measured effects and write a result folder.

    Parameters
    ----------
    scores
        Tables of :func:`cistron.evaluation.variants.read_scored`; none scores the baselines alone.
    mpra
        Table of :func:`cistron.evaluation.variants.read_measured`, or several of one genome build.
    output
        Folder: ``scores.parquet``, ``predictions.parquet``, ``run.json``.
    settings
        Settings of the task.
    build
        Genome build to take of tables that hold several, where the scores do not tell.
    seed
        Seed.

    Returns
    -------
    DataFrame
        The scores table.
    """
    settings = settings or MpraSettings()
    measured_paths = [mpra] if isinstance(mpra, str | Path) else list(mpra)
    folder, files = require_folder(output, [*measured_paths, *scores])
    record = RunRecord("evaluate variants", asdict(settings) | {"build": build}, files, seed)
    tables = read_all_scored(scores)
    told = _build_of(tables) or build
    measured = join_measured([read_measured(path, told) for path in measured_paths])
    result = evaluate_mpra(measured, tables, settings, seed=seed, run_id=record.run_id)
    for warning in result.warnings:
        say(warning)
    write_folder(
        folder,
        record,
        result.scores,
        tables={"predictions": result.predictions},
        facts=result.facts,
        warnings=result.warnings,
    )
    return result.scores


def run_eqtl(
    scores: Sequence[str | Path],
    eqtl: str | Path,
    output: str | Path,
    settings: EqtlSettings | None = None,
    *,
    tissue_columns: str | Path | None = None,
    draws: int = 200,
    seed: int = 0,
    threads: int | None = 1,
) -> pd.DataFrame:
    """Judge tables of scores on fine-mapped eQTL and write a result folder.

    Parameters
    ----------
    scores
        Tables of :func:`cistron.evaluation.variants.read_scored`; none scores the baselines alone and writes which variants to score.
    eqtl
        Table of :func:`cistron.evaluation.variants.read_eqtl`.
    output
        Folder: ``scores.parquet``, ``chosen.parquet``, ``variants.vcf`` (the chosen ones), ``predictions.parquet``, ``run.json``.
    settings
        Settings of the task.
    tissue_columns
        Table with columns ``tissue`` and ``column``: which columns of the scores belong to which tissue, for the direction.
    draws
        Bootstrap samples of genes.
    seed
        Seed.
    threads
        Threads of a forest.

    Returns
    -------
    DataFrame
        The scores table.
    """
    settings = settings or EqtlSettings()
    folder, files = require_folder(output, [eqtl, *scores, tissue_columns])
    record = RunRecord("evaluate variants", asdict(settings) | {"draws": draws}, files, seed)
    tables = read_all_scored(scores)
    own: dict[str, list[str]] = {}
    if tissue_columns is not None:
        listed = read_text_table(Path(tissue_columns), "columns of tissues")
        for tissue, column in zip(listed.text("tissue"), listed.text("column")):
            own.setdefault(tissue, []).append(column)
        known = {name for one in tables for name in one.columns}
        strange = sorted({name for names in own.values() for name in names} - known)
        if strange and tables:
            raise InputError(
                f"{Path(tissue_columns).name} names the column {strange[0]!r}, which no table of scores has; the first of them has {', '.join(tables[0].columns[:6])}"
            )
    table = read_eqtl(eqtl, _build_of(tables))
    result = evaluate_eqtl(
        table,
        tables,
        settings,
        tissue_columns=own,
        draws=draws,
        seed=seed,
        run_id=record.run_id,
        threads=threads,
    )
    for warning in result.warnings:
        say(warning)
    _write_vcf(result.chosen, folder / "variants.vcf")
    write_folder(
        folder,
        record,
        result.scores,
        tables={"chosen": result.chosen, "predictions": result.predictions},
        facts=result.facts,
        warnings=result.warnings,
    )
    return result.scores


def read_all_scored(paths: Sequence[str | Path]) -> list[Scored]:
    """Read tables of scores, whose names must differ and whose builds must be one.

    Raises
    ------
    InputError
        If they are not.
    """
    tables = [read_scored(path) for path in paths]
    names = [one.name for one in tables]
    if len(set(names)) < len(names):
        raise InputError(
            f"two tables of scores are called {max(names, key=names.count)!r}; rename one of the files"
        )
    builds = {one.build for one in tables if one.build}
    if len(builds) > 1:
        raise InputError(
            f"the scores are of several genome builds: {' and '.join(sorted(builds))}; give tables of one build"
        )
    return tables


def _build_of(tables: Sequence[Scored]) -> str:
    return next((one.build for one in tables if one.build), "")


def _write_vcf(chosen: pd.DataFrame, path: Path) -> None:
    """Write the chosen variants, each once, for a model to score; letters that a VCF does not have (``-``) are left out."""
    sites = chosen[["chromosome", "position", "ref", "alt"]].drop_duplicates()
    sites = sites[~sites[["ref", "alt"]].isin(["-", ""]).any(axis=1)].sort_values(["chromosome", "position"])
    lines = ["##fileformat=VCFv4.2", "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO"]
    lines += [
        f"chr{row.chromosome}\t{row.position}\t.\t{row.ref}\t{row.alt}\t.\t.\t." for row in sites.itertuples()
    ]
    with atomic_path(path) as partial:
        partial.write_text("\n".join(lines) + "\n")
