"""A small result folder of ``cistron evaluate gwas``, made in code with known scores; and one study for all files."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cistron.formats.scores import score_frame, write_scores
from cistron.runtime import RunRecord

sys.path.insert(0, str(Path(__file__).parent))
try:
    from planted_study import study  # noqa: F401  # the fixture
finally:
    sys.path.remove(str(Path(__file__).parent))

INTERVAL = "95% bootstrap over chromosomes"


def signed_r2(prediction: np.ndarray, z: np.ndarray) -> float:
    """Squared Pearson correlation with the sign of the correlation."""
    r = np.corrcoef(prediction, z)[0, 1]
    return float(r * abs(r))


def predictions_of(
    z: np.ndarray, genes: pd.DataFrame, strengths: Sequence[float], names: Sequence[str], seed: int
) -> dict[str, np.ndarray]:
    """Held-out predictions [trait, gene] of the null and of each embedding, by strength."""
    random = np.random.default_rng(seed)
    null = 0.1 * z + random.normal(size=z.shape) * z.std()
    found = {"null": 0.3 * null}
    for name, strength in zip(names, strengths, strict=True):
        gain = strength * random.uniform(0.3, 1.6, size=(len(z), 1))
        found[name] = 0.3 * (null + gain * z + 0.2 * random.normal(size=z.shape))
    return found


def score_rows(z, traits, predictions, names, model, run_id, dataset) -> list[dict]:
    """Every row of the contract, computed from the predictions; intervals are a fixed width."""
    rows = []
    fixed = {"task": "gwas", "dataset": dataset, "model": model, "seed": 7, "run_id": run_id}
    half = np.arange(z.shape[1]) % 2 == 0
    strata = {
        "all genes": np.ones(z.shape[1], dtype=bool),
        "shared genes": np.arange(z.shape[1]) % 10 > 0,
        "odd chromosomes": half,
        "even chromosomes": ~half,
    }
    random = np.random.default_rng(3)
    for name in names:
        for stratum, used in strata.items():
            deltas, controls = [], []
            for number, trait in enumerate(traits):
                null = signed_r2(predictions["null"][number, used], z[number, used])
                full = signed_r2(predictions[name][number, used], z[number, used])
                control = float(random.normal(-0.004, 0.001))
                common = {
                    **fixed,
                    "target": trait,
                    "embedding": name,
                    "stratum": stratum,
                    "n": int(used.sum()),
                }
                delta = full - null
                deltas.append(delta)
                controls.append(control)
                rows += [
                    {**common, "metric": "delta_r2", "value": delta, "low": delta - 0.006, "high": delta + 0.006,
                     "interval": INTERVAL, "null_model": "covariates", "null_value": 0.0, "control_value": control,
                     "p_value": 0.01},
                    {**common, "metric": "r2", "value": full, "null_model": "covariates", "null_value": null},
                    {**common, "metric": "r", "value": float(np.corrcoef(predictions[name][number, used], z[number, used])[0, 1]),
                     "null_model": "covariates",
                     "null_value": float(np.corrcoef(predictions["null"][number, used], z[number, used])[0, 1])},
                    {**common, "metric": "delta_r2_permuted", "value": control},
                    {**common, "metric": "delta_r2_shifted", "value": control - 0.001},
                    {**common, "metric": "delta_r2_matched", "value": control + 0.001},
                ]  # fmt: skip
            summaries = {f"median of {len(traits)} traits": slice(None)}
            if len(traits) >= 4:
                summaries["median of published subset (18 traits)"] = slice(0, 3)
                summaries["median of own subset (|r| < 0.5)"] = slice(1, 3)
            for summary, part in summaries.items():
                value = float(np.median(deltas[part]))
                common = {
                    **fixed,
                    "target": summary,
                    "embedding": name,
                    "stratum": stratum,
                    "n": int(used.sum()),
                }
                rows += [
                    {**common, "metric": "delta_r2", "value": value, "low": value - 0.003, "high": value + 0.003,
                     "interval": INTERVAL, "null_value": 0.0, "control_value": float(np.median(controls[part]))},
                    {**common, "metric": "wilcoxon", "value": value, "p_value": 0.002},
                    {**common, "metric": "delta_r2_published", "value": value + 0.01, "low": value, "high": value + 0.02},
                    *({**common, "metric": f"delta_r2_minus_{kind}", "value": value + 0.004, "low": value, "high": value + 0.01}
                      for kind in ("permuted", "shifted", "matched")),
                ]  # fmt: skip
    row = {
        **fixed,
        "embedding": "positions alone",
        "stratum": "all genes",
        "metric": "delta_r2_published",
        "n": z.shape[1],
    }
    for target in (*traits, f"median of {len(traits)} traits"):
        rows.append({**row, "target": target, "value": 0.0295, "low": 0.0097, "high": 0.0518})
    return rows


def write_result(
    folder: Path,
    *,
    z: np.ndarray,
    genes: pd.DataFrame,
    traits: Sequence[str],
    embeddings: Sequence[str],
    strengths: Sequence[float],
    model: str = "ridge",
    dataset: str = "planted traits",
    warnings: Sequence[str] = (),
    inputs: Sequence[Path] = (),
    seed: int = 7,
) -> Path:
    """Write a result folder of the evaluation's contract; ``genes`` has gene, symbol, chromosome, start."""
    folder.mkdir(parents=True, exist_ok=True)
    record = RunRecord(
        "evaluate gwas", {"model": model, "projection": "none", "bootstrap": 1000}, inputs, seed
    )
    predictions = predictions_of(z, genes, strengths, embeddings, seed)
    frame = score_frame(score_rows(z, traits, predictions, embeddings, model, record.run_id, dataset))
    write_scores(frame, folder / "scores.parquet")
    long = pd.concat([genes] * len(traits), ignore_index=True)
    long["trait"] = np.repeat(list(traits), len(genes))
    long["z"] = z.ravel().astype(np.float32)
    for name, values in predictions.items():
        long[f"{name} | {model}"] = values.ravel().astype(np.float32)
    long.to_parquet(folder / "predictions.parquet")
    random = np.random.default_rng(5)
    ids = genes["gene"].to_numpy()
    near = pd.concat(
        pd.DataFrame(
            {
                "embedding": name,
                "gene": np.repeat(ids, 10),
                "rank": np.tile(np.arange(1, 11), len(ids)),
                "neighbour": ids[random.integers(0, len(ids), len(ids) * 10)],
                "similarity": np.tile(np.linspace(0.95, 0.4, 10), len(ids)),
            }
        )
        for name in embeddings
    )
    near.to_parquet(folder / "neighbours.parquet")
    record.record(
        "traits",
        [
            {"trait": trait, "genes": len(genes), "variance": float(z[number].var()), "published_subset": number < 3,
             "own_subset": 0 < number < 3, "covariates": 4}
            for number, trait in enumerate(traits)
        ],
    )  # fmt: skip
    record.record(
        "coverage",
        [
            {"embedding": name, "genes": len(genes) + 40, "dimensions": 64, "evidence": "expression", "method": "pca",
             "matched": len(genes) - 10 * number}
            for number, name in enumerate(embeddings)
        ],
    )  # fmt: skip
    record.record("projection", {"mode": "none", "note": "not whitened: no matching genes.raw was given"})
    for warning in warnings:
        record.warn(warning)
    record.write(folder / "run.json")
    return folder


@pytest.fixture(scope="session")
def make_result() -> Callable[..., Path]:
    """Builder of a small result folder: ``make_result(folder, traits=4, embeddings=2, ...)``."""

    def _make(folder: Path, traits=4, embeddings=2, genes=60, **more) -> Path:
        random = np.random.default_rng(1)
        names = traits if not isinstance(traits, int) else [f"trait_{number}" for number in range(traits)]
        kinds = embeddings if not isinstance(embeddings, int) else [f"emb_{n}" for n in range(embeddings)]
        table = pd.DataFrame(
            {
                "gene": [f"ENSG{number:011d}" for number in range(genes)],
                "symbol": [f"GENE{number}" if number % 7 else "" for number in range(genes)],
                "chromosome": [str(1 + number * 22 // genes) for number in range(genes)],
                "start": np.arange(genes) * 10_000,
            }
        )
        strengths = more.pop("strengths", np.linspace(0.5, 0.1, len(kinds)))
        return write_result(
            folder, z=random.normal(size=(len(names), genes)) * 1.7, genes=table, traits=names, embeddings=kinds,
            strengths=strengths, **more,
        )  # fmt: skip

    return _make
