"""The folder of a saturation run for people: what each letter is worth, which motifs stand there, how much a change can do."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cistron.formats.scores import score_frame, write_scores
from cistron.runtime import RunRecord, atomic_path, check_writable, sha256_of
from cistron.sequence.motifs import find_motifs, read_motifs
from cistron.sequence.saturate import LETTERS, SaturationMap
from cistron.sequence.variant_summary import UNTRAINED

TASK = "saturation"


def write_saturation_summary(
    found: SaturationMap,
    output: str | Path,
    regions: str | Path,
    weights: str | Path,
    *,
    motifs: str | Path | None = None,
    trained: bool = True,
) -> pd.DataFrame:
    """Write ``letters.parquet``, ``motifs.parquet``, ``scores.parquet`` and, last, ``run.json``.

    Parameters
    ----------
    found
        The map.
    output
        Folder.
    regions, weights
        BED and model folder that made it.
    motifs
        MEME file whose motifs are named.
    trained
        False where the model says that its weights are random.

    Returns
    -------
    DataFrame
        Motifs that were found, :data:`cistron.sequence.motifs.HIT_COLUMNS`; empty without a motif file.
    """
    output, weights = Path(output), Path(weights)
    check_writable(output / "scores.parquet")
    sequences = found.store.sequences
    worth = np.stack(
        [found.contributions(region).mean(0) for region in range(len(sequences))]
    )  # [region, bp]
    hits = pd.DataFrame()
    if motifs is not None:
        hits = find_motifs(found.reference, worth, read_motifs(motifs))
    inputs = [Path(regions), weights / "model.safetensors", *([] if motifs is None else [Path(motifs)])]
    settings = {"tracks": found.tracks, "width": int(found.store.values.shape[3])}
    record = RunRecord("sequence saturate", settings, inputs, 0)
    facts = {
        "task": TASK,
        "dataset": Path(regions).name,
        "embedding": weights.name,
        "model": "enformer",
        "seed": 0,
        "run_id": record.run_id,
    }
    rows: list[dict[str, Any]] = []
    letters = []
    for region, place in enumerate(sequences.itertuples()):
        mean = found.effects(region).mean(0)  # [letter, bp]
        name = f"{place.chromosome}:{place.start + 1}-{place.end}"
        target = name if place.name in ("", ".") else f"{place.name} ({name})"
        for metric, index in (("largest_rise", int(mean.argmax())), ("largest_fall", int(mean.argmin()))):
            letter, offset = divmod(index, mean.shape[1])
            change = f"{place.chromosome}:{place.start + offset + 1} {found.reference[region][offset]}>{LETTERS[letter]}"
            rows.append(
                facts
                | {
                    "target": target,
                    "metric": metric,
                    "stratum": change,
                    "value": float(mean.flat[index]),
                    "n": mean.size,
                }
            )
        letters.append(
            pd.DataFrame(
                {
                    "region": target,
                    "chromosome": place.chromosome,
                    "position": np.arange(place.start, place.end) + 1,
                    "letter": list(found.reference[region]),
                    "contribution": worth[region],
                }
                | {f"to_{letter}": mean[row] for row, letter in enumerate(LETTERS)}
            )
        )
    output.mkdir(parents=True, exist_ok=True)
    table = pd.concat(letters, ignore_index=True)
    with atomic_path(output / "letters.parquet") as partial:
        table.to_parquet(partial, index=False)
    if len(hits):
        names = [rows[2 * region]["target"] for region in hits["region"]]
        with atomic_path(output / "motifs.parquet") as partial:
            hits.assign(region=names).to_parquet(partial, index=False)
    write_scores(score_frame(rows), output / "scores.parquet")
    record.record("tracks", len(found.tracks))
    record.record("motif_file", None if motifs is None else Path(motifs).name)
    record.record("trained", trained)
    record.record("model", sha256_of(weights / "model.safetensors"))
    if not trained:
        record.warn(UNTRAINED)
    record.write(output / "run.json")
    return hits
