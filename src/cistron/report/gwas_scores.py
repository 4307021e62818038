"""The scores of ``cistron evaluate gwas`` as a report needs them: traits, summaries, ranking."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from cistron.errors import InputError

ALL_GENES = "all genes"
POSITIONS_ALONE = "positions alone"
CONTROLS = ("permuted", "shifted", "matched")
_OTHER_NULL = {"delta_r2_published": "positional", "delta_r2_positional": "published"}
_SUMMARY = "median of "


@dataclass(frozen=True)
class GwasScores:
    """Scores of one run.

    Attributes
    ----------
    scores
        Scores table of one run of the task ``gwas``.
    """

    scores: pd.DataFrame

    @cached_property
    def frame(self) -> pd.DataFrame:
        """The scores as plain columns, with ``label``: the embedding, and its model where there are several."""
        frame = self.scores.copy()
        for column in ("target", "embedding", "model", "metric", "stratum", "dataset", "interval"):
            frame[column] = frame[column].fillna("").astype(str)
        frame["label"] = frame["embedding"]
        if frame["model"].nunique() > 1:
            frame["label"] = frame["embedding"] + " · " + frame["model"]
        if frame["dataset"].nunique() > 1:
            frame["target"] = frame["target"].where(
                frame["target"].str.startswith(_SUMMARY), frame["dataset"] + ": " + frame["target"]
            )
        frame["summary"] = frame["target"].str.startswith(_SUMMARY)
        frame["baseline"] = frame["embedding"].str.startswith(POSITIONS_ALONE)
        if not ((frame["metric"] == "delta_r2") & ~frame["summary"]).any():
            raise InputError("the scores have no delta_r2 of a trait; run 'cistron evaluate gwas' again")
        return frame

    @cached_property
    def stratum(self) -> str:
        """The genes that the main figures are over: all genes, or the first stratum where that is absent."""
        strata = list(self._select("delta_r2", summary=False)["stratum"].drop_duplicates())
        return ALL_GENES if ALL_GENES in strata else strata[0]

    @cached_property
    def null(self) -> str:
        """Null model of the headline, ``positional`` or ``published``; empty where the run fitted one alone."""
        found = [null for metric, null in _OTHER_NULL.items() if (self.frame["metric"] == metric).any()]
        return found[0] if found else ""

    @cached_property
    def baselines(self) -> list[dict[str, Any]]:
        """Gain of places alone over the published null model: label, value, low, high."""
        metric = "delta_r2_published" if self.null == "positional" else "delta_r2"
        rows = self.frame[self.frame["baseline"] & (self.frame["metric"] == metric) & self.frame["summary"]]
        return [
            {"label": label, **{name: float(part.iloc[0][name]) for name in ("value", "low", "high")}}
            for label, part in rows.groupby("label", sort=False)
        ]

    def _select(self, metric: str, *, summary: bool, stratum: str | None = None) -> pd.DataFrame:
        frame = self.frame[(self.frame["metric"] == metric) & (self.frame["summary"] == summary)]
        frame = frame[~frame["baseline"]]
        return frame if stratum is None else frame[frame["stratum"] == stratum]

    def traits(self, metric: str = "delta_r2") -> pd.DataFrame:
        """Rows of single traits over the main stratum; ``control_value`` is filled from the permuted rows."""
        rows = self._select(metric, summary=False, stratum=self.stratum).reset_index(drop=True)
        if metric == "delta_r2":
            control = self._lookup("delta_r2_permuted", "value")
            known = pd.Series(
                [control.get(key, np.nan) for key in zip(rows["label"], rows["target"])], dtype=float
            )
            rows["control_value"] = rows["control_value"].astype(float).fillna(known)
        return rows

    def _lookup(self, metric: str, column: str) -> dict[tuple[str, str], float]:
        rows = self._select(metric, summary=False, stratum=self.stratum)
        return dict(zip(zip(rows["label"], rows["target"]), rows[column].astype(float)))

    @cached_property
    def trait_names(self) -> list[str]:
        """Traits in the order of the scores."""
        return list(self.traits()["target"].drop_duplicates())

    @cached_property
    def trait_table(self) -> list[dict[str, Any]]:
        """One record a trait and label: every number of the table of traits."""
        full, null = self._lookup("r2", "value"), self._lookup("r2", "null_value")
        r = self._lookup("r", "value")
        records = []
        for row in self.traits().to_dict("records"):
            key = (row["label"], row["target"])
            records.append(
                {
                    **{
                        column: row[column]
                        for column in ("target", "label", "value", "low", "high", "control_value")
                    },
                    "n": None if pd.isna(row["n"]) else int(row["n"]),
                    "p_value": row["p_value"],
                    "null": null.get(key, np.nan),
                    "full": full.get(key, np.nan),
                    "r": r.get(key, np.nan),
                }
            )
        return records

    @cached_property
    def ranking(self) -> list[dict[str, Any]]:
        """One record a label, best median first: the summary over all traits and everything beside it."""
        records = []
        traits = self.traits()
        for label, rows in traits.groupby("label", sort=False):
            rest = self.frame[self.frame["label"] == label]
            main = self._summary_row(rest, self.stratum)
            test = rest[rest["summary"] & (rest["metric"] == "wilcoxon") & (rest["stratum"] == self.stratum)]
            test = test[test["target"] == main["target"]] if main is not None else test
            records.append(
                {
                    "label": label,
                    "embedding": rows["embedding"].iloc[0],
                    "model": rows["model"].iloc[0],
                    "traits": len(rows),
                    "value": float(main["value"]) if main is not None else _median_of(rows["value"]),
                    "low": float(main["low"]) if main is not None else np.nan,
                    "high": float(main["high"]) if main is not None else np.nan,
                    "interval": (main["interval"] if main is not None else "") or "",
                    "control": self._control(main, rows),
                    "shifted": self._median("delta_r2_shifted", "value", label),
                    "matched": self._median("delta_r2_matched", "value", label),
                    **self._over_nulls(rest, main),
                    "differences": self._differences(rest),
                    "with_mhc": self._of(rest, "with the MHC"),
                    "without_mhc": self._of(rest, "without the MHC"),
                    "own_alone": self._of(rest, "without neighbours"),
                    "leading": self._of(rest, "leading component alone"),
                    "filled": self._of(rest, "uncovered genes filled"),
                    "null": self._median("r2", "null_value", label),
                    "above": int((rows["low"].astype(float) > 0).sum()),
                    "below": int((rows["high"].astype(float) < 0).sum()),
                    "p_value": float(test["p_value"].iloc[0]) if len(test) else np.nan,
                    "direction": float(test["value"].iloc[0]) if len(test) else np.nan,
                    "odd": self._of(rest, "odd chromosomes"),
                    "even": self._of(rest, "even chromosomes"),
                    "shared": self._of(rest, "shared genes"),
                    "published": self._of(rest, self.stratum, "published"),
                    "own": self._of(rest, self.stratum, "own"),
                }
            )
        # NaN last, then best first
        return sorted(records, key=lambda record: (record["value"] != record["value"], -record["value"]))

    def _over_nulls(self, rest: pd.DataFrame, main: pd.Series | None) -> dict[str, float]:
        """Gain over each null model with its interval; NaN where the run did not fit it."""
        found = {}
        for null in ("published", "positional"):
            row = main if null == self.null else self._metric_row(rest, f"delta_r2_{null}")
            for name in ("value", "low", "high"):
                found[f"{null}_{name}"] = float(row[name]) if row is not None else np.nan
        return found

    def _differences(self, rest: pd.DataFrame) -> dict[str, tuple[float, float]]:
        """Difference from each control and the low end of its interval."""
        rows = {kind: self._metric_row(rest, f"delta_r2_minus_{kind}") for kind in CONTROLS}
        return {
            kind: (float(row["value"]), float(row["low"])) for kind, row in rows.items() if row is not None
        }

    def _metric_row(self, rest: pd.DataFrame, metric: str) -> pd.Series | None:
        """Summary over all traits of a metric on the main stratum."""
        rows = rest[rest["summary"] & (rest["metric"] == metric) & (rest["stratum"] == self.stratum)]
        rows = rows[rows["target"].str.removeprefix(_SUMMARY).str.match(r"\d")]
        return rows.iloc[0] if len(rows) else None

    @cached_property
    def labels(self) -> list[str]:
        """Labels, best median first."""
        return [record["label"] for record in self.ranking]

    @staticmethod
    def _summary_row(rest: pd.DataFrame, stratum: str, which: str = "") -> pd.Series | None:
        rows = rest[rest["summary"] & (rest["metric"] == "delta_r2") & (rest["stratum"] == stratum)]
        kind = rows["target"].str.removeprefix(_SUMMARY)
        rows = rows[kind.str.startswith(which)] if which else rows[kind.str.match(r"\d")]
        return rows.iloc[0] if len(rows) else None

    def _of(self, rest: pd.DataFrame, stratum: str, which: str = "") -> float:
        row = self._summary_row(rest, stratum, which)
        return float(row["value"]) if row is not None else float("nan")

    def _median(self, metric: str, column: str, label: str) -> float:
        rows = self._select(metric, summary=False, stratum=self.stratum)
        return _median_of(rows.loc[rows["label"] == label, column])

    @staticmethod
    def _control(main: pd.Series | None, rows: pd.DataFrame) -> float:
        if main is not None and pd.notna(main["control_value"]):
            return float(main["control_value"])
        return _median_of(rows["control_value"])


def _median_of(values: pd.Series) -> float:
    """Median of what is known; NaN, without NumPy's warning, where nothing is."""
    known = values.astype(float).dropna()
    return float(known.median()) if len(known) else float("nan")
