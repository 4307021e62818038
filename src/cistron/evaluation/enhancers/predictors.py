"""Anybody's scores of pairs: joined by name, or by coordinates and gene."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from cistron.errors import InputError
from cistron.formats.enhancer_pairs import Pairs, found_column, numbers_of
from cistron.genes.chromosomes import normalise_chromosome
from cistron.runtime.tables import TextTable, read_text_table

Aggregate = Literal["sum", "max", "mean"]
SCORE_NAMES = ("score", "Score", "ABC.Score", "powerlaw.Score")
AGNOSTIC = "agnostic"


@dataclass(frozen=True)
class Predictor:
    """Scores of one method.

    Attributes
    ----------
    name
        Name in the scores table.
    score
        float64 [pair], higher is more likely an enhancer of the gene; -inf where the method says nothing.
    """

    name: str
    score: np.ndarray

    @property
    def scored(self) -> np.ndarray:
        """Pairs that the method says something about, bool [pair]."""
        return np.isfinite(self.score)


def read_predictors(
    paths: Sequence[str | Path], pairs: Pairs, aggregate: Aggregate = "sum", score_column: str | None = None
) -> list[Predictor]:
    """Read scores and join them with pairs.

    Parameters
    ----------
    paths
        Tables, each with ``name`` and ``score``, where ``method`` divides it into several and ``agnostic`` holds a second score of
        each row; or with coordinates and gene, which are joined by overlap.
    pairs
        Pairs.
    aggregate
        What becomes of several elements of a table that overlap one pair: ``sum``, ``max`` or ``mean``.
    score_column
        Column of the score; the first of :data:`SCORE_NAMES` when absent.

    Raises
    ------
    InputError
        If a table has no score or cannot be joined, or two rows of it name one pair.
    """
    found: list[Predictor] = []
    for path in map(Path, paths):
        table = read_text_table(path, "scores")
        column = (
            score_column
            if score_column is not None and score_column in table
            else next((name for name in SCORE_NAMES if name in table), None)
        )
        if column is None:
            raise InputError(
                f"{table.layout.label} has no column of scores ({', '.join(SCORE_NAMES)}); name it with --score-column"
            )
        stem = path.name.split(".")[0]
        named = "name" in table and bool(set(table.text("name")) & set(pairs.frame["name"]))
        columns = [(column, "")] + ([(AGNOSTIC, " (agnostic)")] if AGNOSTIC in table else [])
        for source, suffix in columns:
            parts = (
                _by_name(table, source, pairs, stem)
                if named
                else {stem: _by_overlap(table, source, pairs, aggregate)}
            )
            found += [
                Predictor(f"{name}{suffix}", score)
                for name, score in parts.items()
                if not suffix or np.isfinite(score).any()  # attention knows no tracks
            ]
    names = [one.name for one in found]
    stems = [Path(path).name.split(".")[0] for path in paths]
    if len(set(names)) < len(names):
        if len(set(stems)) < len(stems):
            raise InputError(
                f"two tables give a method called {max(names, key=names.count)!r}; rename one of the files"
            )
        found = _renamed(paths, pairs, aggregate, score_column)
    for one in found:
        if not one.scored.any():
            raise InputError(
                f"{one.name}: none of the {len(pairs.frame):,} pairs has a score; are the names, or the coordinates and genes, of the same collection and build?"
            )
    return found


def _renamed(
    paths: Sequence[str | Path], pairs: Pairs, aggregate: Aggregate, score_column: str | None
) -> list[Predictor]:
    """Put the file's stem before the names of methods, where names repeat between files."""
    found: list[Predictor] = []
    for path in map(Path, paths):
        stem = path.name.split(".")[0]
        found += [
            Predictor(one.name if one.name.startswith(stem) else f"{stem} {one.name}", one.score)
            for one in read_predictors([path], pairs, aggregate, score_column)
        ]
    return found


def _by_name(table: TextTable, column: str, pairs: Pairs, stem: str) -> dict[str, np.ndarray]:
    frame = pd.DataFrame(
        {
            "name": table.text("name"),
            "method": table.text("method") if "method" in table else stem,
            "score": numbers_of(table, column),
        }
    )
    doubled = frame.duplicated(["name", "method"])
    if doubled.any():
        row = frame[doubled].iloc[0]
        raise InputError(
            f"{table.layout.label}: pair {row['name']!r} has two scores of method {row['method']!r}; give each pair one row a method"
        )
    result = {}
    for method, rows in frame.groupby("method", sort=False):
        score = rows.set_index("name")["score"].reindex(pairs.frame["name"]).to_numpy(np.float64)
        result[str(method)] = np.where(np.isfinite(score), score, -np.inf)
    return result


def _by_overlap(table: TextTable, column: str, pairs: Pairs, aggregate: Aggregate) -> np.ndarray:
    columns = {what: str(found_column(table, what)) for what in ("chromosome", "start", "end", "gene")}
    theirs = pd.DataFrame(
        {
            "place": [normalise_chromosome(name) for name in table.text(columns["chromosome"])],
            "gene": table.text(columns["gene"]),
            "low": numbers_of(table, columns["start"]),
            "high": numbers_of(table, columns["end"]),
            "score": numbers_of(table, column),
        }
    ).dropna()
    ours = pairs.frame[["chromosome", "gene", "start", "end"]].reset_index(names="pair")
    ours["place"] = [normalise_chromosome(name) for name in ours["chromosome"]]
    joined = ours.merge(theirs, on=["place", "gene"])
    joined = joined[(joined["low"] < joined["end"]) & (joined["high"] > joined["start"])]
    score = joined.groupby("pair")["score"].agg(aggregate).reindex(range(len(ours))).to_numpy(np.float64)
    return np.where(np.isfinite(score), score, -np.inf)
