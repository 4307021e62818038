"""Score pairs of an element and a gene by a model: genes in shards, one table. Resumable."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cistron.errors import InputError
from cistron.formats.enhancer_pairs import read_pairs
from cistron.genome import Genome
from cistron.runtime import atomic_path, check_writable, random_generator, run_shards, say, sha256_of
from cistron.runtime.shards import fingerprint
from cistron.sequence.enhancer_scores import EnhancerScorer, GeneElements
from cistron.sequence.gene_shards import discard_shards
from cistron.sequence.inputs_gene_sites import read_gene_sites
from cistron.sequence.inputs_tracks import cage_tracks, choose_tracks, load_track_table
from cistron.sequence.saving import read_description
from cistron.sequence.settings import InferenceSettings, check_length, settings_from
from cistron.sequence.settings_enhancers import EnhancerScoreSettings
from cistron.sequence.variant_shards import open_once

COLUMNS = (
    "name",
    "chromosome",
    "start",
    "end",
    "gene",
    "method",
    "score",
    "agnostic",
    "distance",
    "start_site",
    "in_window",
)


@dataclass(frozen=True)
class ScoredEnhancers:
    """What a run found.

    Attributes
    ----------
    frame
        One row a pair and method, :data:`COLUMNS`; empty scores where the element lies outside of the window, or the gene is not known.
    controls
        Random places at like distances: ``row`` of the pair in the table of pairs, ``method``, ``score``, ``agnostic``, ``distance``; those
        in the window.
    trained
        Whether the weights were trained.
    facts
        ``model``, ``tracks`` (descriptions), ``organism``, ``length``.
    """

    frame: pd.DataFrame
    controls: pd.DataFrame
    trained: bool
    facts: dict[str, Any]


def enhancer_shard(
    path: Path,
    *,
    genes: Sequence[Mapping[str, Any]],
    model: str,
    genome: str,
    build: str | None,
    ambiguous: str,
    organism: str,
    specific: Sequence[int],
    agnostic: Sequence[int],
    settings: Mapping[str, Any],
    inference: Mapping[str, Any],
    length: int,
) -> None:
    """Score the elements of some genes and write one row a pair and method, as .parquet; all arguments are plain values.

    Parameters
    ----------
    path
        File to write.
    genes
        Fields of :class:`cistron.sequence.enhancer_scores.GeneElements`, and ``rows``: the pairs of each element.
    model, genome, build, ambiguous
        Model folder; the reference.
    organism, specific, agnostic
        Chosen CAGE tracks, and all.
    settings, inference
        Fields of the settings.
    length
        Base pairs of input.
    """
    rules = EnhancerScoreSettings(**{**settings, "methods": tuple(settings["methods"])})
    how = InferenceSettings(**{**inference, "shifts": tuple(inference["shifts"])})
    loaded, opened = open_once(model, genome, build, ambiguous, how.precision, str(how.torch_device()))
    scorer = EnhancerScorer(loaded, opened, organism, np.array(specific), np.array(agnostic), rules, length)
    parts = []
    for gene in genes:
        own = GeneElements(
            gene["chromosome"], gene["canonical"], tuple(gene["sites"]), tuple(gene["middles"])
        )
        found = scorer.score(own)
        parts += [
            pd.DataFrame(
                {
                    "row": gene["rows"],  # -1 for places of the control
                    "element": gene["elements"],
                    "method": method,
                    "score": found.specific[method],
                    "agnostic": found.agnostic[method],
                    "distance": np.abs(np.array(own.middles) - found.site),
                    "start_site": found.site,
                    "in_window": found.inside,
                }
            )
            for method in rules.methods
        ]
    pd.concat(parts, ignore_index=True).to_parquet(path, index=False)


def score_enhancers(
    weights: str | Path,
    genome: Genome,
    annotation: str | Path,
    pairs: str | Path,
    output: str | Path,
    *,
    tracks: Sequence[str] = (),
    organism: str = "human",
    length: int | None = None,
    settings: EnhancerScoreSettings | None = None,
    inference: InferenceSettings | None = None,
    controls: int = 0,
    allow_loss: bool = False,
    shard_size: int = 4,
    workers: int = 1,
    threads: int | None = None,
    scheduler: str | None = None,
) -> ScoredEnhancers:
    """Score the element of each pair for its gene and write ``contributions.tsv``.

    Parameters
    ----------
    weights
        Model folder.
    genome
        The reference.
    annotation
        Where genes and their start sites lie, of the same build.
    pairs
        Table of :func:`cistron.formats.enhancer_pairs.read_pairs`; outcomes are not looked at.
    output
        ``.tsv`` to write.
    tracks
        CAGE tracks of the cell type; all CAGE tracks when empty, which makes both scores one.
    organism
        Whose tracks.
    length
        Base pairs of input; that of the model when absent.
    settings
        Methods and sizes.
    inference
        Precision and device.
    controls
        Random places at like distance of the start site that are scored beside each element.
    allow_loss
        Go on when more than 5% of the genes are not in the annotation.
    shard_size
        Genes of a shard, the unit that is never redone.
    workers, threads, scheduler
        As of :func:`cistron.runtime.run_shards`.

    Returns
    -------
    ScoredEnhancers
        The table that was written, and the control.
    """
    weights, output, settings = Path(weights), check_writable(output), settings or EnhancerScoreSettings()
    inference = inference or InferenceSettings()
    if output.suffix != ".tsv":
        raise InputError(f"contributions are written as .tsv. Given: {output.name}")
    description = read_description(weights)
    model = settings_from(description["settings"])
    if "attention" in settings.methods and model.trunk != "transformer":
        raise InputError(
            f"{weights.name} has no attention (its trunk is {model.trunk}); give --methods gradient ism"
        )
    length = length or model.length
    check_length(length, model.crop)
    table = load_track_table(weights, model.tracks)
    everything = cage_tracks(table, organism)
    specific = choose_tracks(table, organism, tracks) if tracks else everything
    chosen = np.intersect1d(specific, everything)
    if not len(chosen):
        raise InputError(
            f"none of the {len(specific):,} tracks of {' '.join(tracks)} is CAGE; the start site of a gene is read from CAGE"
        )
    if len(chosen) < len(specific):
        say(
            f"{len(specific) - len(chosen):,} of {len(specific):,} chosen tracks are not CAGE and are left out"
        )
    tested = read_pairs(pairs, outcomes=False)
    frame = tested.frame
    genes = read_gene_sites(
        annotation, genome, biotypes=(), genes=sorted(set(frame["gene"])), allow_loss=allow_loss
    )
    known = {name: one for one in genes for name in (one.gene, one.symbol)}
    middles = ((frame["start"] + frame["end"]) // 2).to_numpy()
    work: list[dict[str, Any]] = []
    lost = 0
    for name, rows in frame.groupby("gene", sort=False).indices.items():
        site = known.get(str(name))
        if site is None:
            lost += len(rows)
            continue
        here = [int(row) for row in rows if _same(genome, frame["chromosome"].iloc[row], site.chromosome)]
        if here:
            drawn, beside = _places_at_like_distance(
                middles[here], site.canonical, settings, controls, str(name)
            )
            work.append(
                {
                    "chromosome": site.chromosome,
                    "canonical": site.canonical,
                    "sites": list(site.sites),
                    "middles": [*middles[here].tolist(), *drawn],
                    "rows": [*here, *[-1] * len(drawn)],
                    "elements": [*here, *[here[place] for place in beside]],
                }
            )
    if lost:
        say(f"{lost:,} of {len(frame):,} pairs get no score: their genes are not in {Path(annotation).name}")
    if not work:
        raise InputError(
            f"no pair of {Path(pairs).name} has a gene of {Path(annotation).name} on its chromosome; are symbols and build the same?"
        )
    common = {
        "model": str(weights),
        "genome": str(genome.path),
        "build": genome.build or None,
        "ambiguous": genome.ambiguous,
        "organism": organism,
        "specific": chosen.tolist(),
        "agnostic": everything.tolist(),
        "settings": asdict(settings),
        "inference": asdict(inference),
        "length": length,
    }
    same = {key: value for key, value in common.items() if key not in ("model", "genome", "inference")}
    tag = [
        sha256_of(weights / "model.safetensors"),
        genome.path.name,
        dict(genome.lengths),
        inference.precision,
        same,
        work,
        shard_size,
    ]
    paths = run_shards(
        enhancer_shard,
        {
            f"genes-{low:06d}": {"genes": work[low : low + shard_size], **common}
            for low in range(0, len(work), shard_size)
        },
        output.parent / f".{output.name}.shards-{fingerprint(tag)}",
        workers=workers,
        threads=threads,
        scheduler=scheduler,
        description="scoring enhancers",
    )
    found = pd.concat([pd.read_parquet(path) for path in paths.values()], ignore_index=True)
    beside = found[(found["row"] < 0) & found["in_window"]]
    result = _joined(frame, found[found["row"] >= 0], settings.methods)
    with atomic_path(output) as partial:
        result.to_csv(partial, sep="\t", index=False, float_format="%.7g")
    discard_shards(output)
    outside = int((~result["in_window"]).sum()) // len(settings.methods)
    if outside:
        say(
            f"{outside:,} of {len(frame):,} pairs lie outside of the window or have no gene; their scores are empty"
        )
    columns = ["element", "method", "score", "agnostic", "distance"]
    facts = {
        "model": weights.name,
        "tracks": table.loc[table["organism"] == organism]
        .set_index("index")
        .loc[chosen, "description"]
        .tolist(),
        "agnostic_tracks": len(everything),
        "organism": organism,
        "length": length,
    }
    return ScoredEnhancers(
        result,
        beside[columns].rename(columns={"element": "row"}).reset_index(drop=True),
        "random" not in str(description["origin"].get("weights", "")),
        facts,
    )


def _places_at_like_distance(
    middles: np.ndarray, site: int, settings: EnhancerScoreSettings, number: int, gene: str
) -> tuple[list[int], list[int]]:
    """Draw places on either side of a start site, as far from it as each element, or up to a fifth nearer or farther.

    A place that a tested element of the gene overlaps is drawn again, up to 20 times, and then left out. Gives the places, and which
    element each belongs to.
    """
    random = random_generator(settings.seed, "places at like distance", gene)
    places: list[int] = []
    beside: list[int] = []
    for element, middle in enumerate(middles.tolist()):
        for _ in range(number):
            far = abs(middle - site) * random.uniform(0.8, 1.2, 20) * random.choice([-1, 1], 20)
            tries = site + far.round().astype(int)
            free = (np.abs(tries[:, None] - middles) >= settings.window).all(1)
            if free.any():
                places.append(int(tries[free.argmax()]))
                beside.append(element)
    return places, beside


def _same(genome: Genome, name: str, chromosome: str) -> bool:
    try:
        return genome.chromosome(name) == chromosome
    except InputError:
        return False


def _joined(frame: pd.DataFrame, found: pd.DataFrame, methods: Sequence[str]) -> pd.DataFrame:
    """One row a pair and method, those without a score too."""
    pairs = frame[["name", "chromosome", "start", "end", "gene"]].reset_index(names="row")
    whole = pairs.merge(pd.DataFrame({"method": list(methods)}), how="cross").merge(
        found, on=["row", "method"], how="left"
    )
    whole["in_window"] = whole["in_window"].eq(True)
    for column in ("distance", "start_site"):
        whole[column] = whole[column].astype("Int64")
    return whole.sort_values(["row"], kind="stable")[list(COLUMNS)].reset_index(drop=True)
