"""Score one embedding on one task: one cell of the table. Runs in any process; all it needs is named in the request."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import anndata
import numpy as np
import pandas as pd

from cistron.errors import InputError
from cistron.evaluation.rivals import Rivals, read_rivals
from cistron.formats.gene_embedding import embedding_genes, read_gene_embedding
from cistron.methods import with_given
from cistron.runtime import random_generator
from cistron.statistics.estimate import Estimate
from cistron.study.kinds import KINDS

COMMON, ALL = "common genes", "all genes"
PARTS = (COMMON, ALL)
_GAINS = ("gain_auroc", "gain_r", "gain_pearson_across_genes")


@dataclass(frozen=True)
class Request:
    """What one cell is made of, as plain values.

    Attributes
    ----------
    task, kind
        Name and kind of the task.
    inputs
        Paths by name of the input.
    settings
        Settings by dotted name.
    embedding
        File of the embedding, whose name is that of the row.
    part
        ``common genes`` or ``all genes``.
    common
        List of the common genes, for that part.
    annotation, gene_map, covariates
        As of the study.
    seed
        Seed of the study.
    working
        Folder for what is only needed meanwhile.
    """

    task: str
    kind: str
    inputs: Mapping[str, tuple[str, ...]]
    settings: Mapping[str, Any]
    embedding: str
    part: str
    common: str | None
    annotation: str | None
    gene_map: tuple[str, ...]
    covariates: str | None
    seed: int
    working: str

    def settings_object(self) -> Any:
        """Settings of the task."""
        given = {
            key: tuple(value) if isinstance(value, list) else value for key, value in self.settings.items()
        }
        return with_given(KINDS[self.kind].settings_class()(), given)

    def read_embedding(self) -> anndata.AnnData:
        """The embedding, of the common genes only where that is the part."""
        embedding = read_gene_embedding(self.embedding, evidence="as recorded")
        embedding.obs_names = embedding_genes(embedding)
        if self.part == COMMON:
            wanted = self.common_genes()
            embedding = embedding[[gene in wanted for gene in embedding.obs_names]].copy()
            if embedding.n_obs == 0:
                raise InputError(f"{embedding.uns['cistron']['name']} has none of the common genes")
        return embedding

    def common_genes(self) -> frozenset[str]:
        """The common genes."""
        assert self.common is not None
        return _gene_list(self.common)

    def rivals(self, embedding: anndata.AnnData) -> Rivals | None:
        """Trivial columns of the annotation and the covariates of the study; ``None`` where they know none of the genes."""
        found = _read_once(_rivals, self.annotation, self.covariates)
        known = embedding.obs_names.isin(found.table.index).any()
        return found if known else None

    def one(self, name: str) -> str | None:
        """The only path of an input; ``None`` where it is not given."""
        return self.inputs[name][0] if self.inputs.get(name) else None


@dataclass
class Outcome:
    """What one cell gives.

    Attributes
    ----------
    value, low, high, null, control, p_value
        The headline figure.
    metric, unit, n
        What it is, what was drawn again for the interval, and the number of genes, terms or pairs behind it.
    draws
        The figure in each bootstrap sample, float64 [draw]; the same samples for every embedding.
    beyond
        What the embedding adds to trivial columns: value, low and high. NaN where there were none to compare with.
    scores
        Scores table of the task.
    tables
        Further tables of the task, by name.
    facts, warnings
        As of ``run.json``.
    """

    value: float
    low: float
    high: float
    null: float
    control: float
    p_value: float
    metric: str
    unit: str
    n: int
    draws: np.ndarray
    scores: pd.DataFrame
    beyond: tuple[float, float, float] = (float("nan"), float("nan"), float("nan"))
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


@lru_cache(maxsize=4)
def _gene_list(path: str) -> frozenset[str]:
    return frozenset(Path(path).read_text().split("\n")) - {""}


@lru_cache(maxsize=8)
def _read_once(reader: Callable[..., Any], *arguments: Any) -> Any:
    """Tasks' inputs are read once a process."""
    return reader(*arguments)


def _rivals(annotation: str | None, covariates: str | None) -> Rivals:
    from cistron.genes.places import read_gene_places

    places = None if annotation is None else read_gene_places(annotation, "annotation")
    return read_rivals(places, *([] if covariates is None else [covariates]))


def beyond_of(scores: pd.DataFrame, name: str, **where: object) -> tuple[float, float, float]:
    """Gain of an embedding beyond trivial columns: the last of its rows, which stands for all targets.

    Parameters
    ----------
    scores
        Scores table of a task.
    name
        Name of the embedding.
    **where
        Values of further columns.
    """
    rows = scores[(scores["embedding"] == name) & (scores["metric"].isin(_GAINS))]
    for column, value in where.items():
        rows = rows[rows[column] == value]
    if rows.empty:
        return float("nan"), float("nan"), float("nan")
    last = rows.iloc[-1]
    return float(last["value"]), float(last["low"]), float(last["high"])


def _of_row(row: Any, draws: np.ndarray, unit: str, **parts: Any) -> Outcome:
    def number(column: str) -> float:
        return float(row[column]) if pd.notna(row[column]) else float("nan")

    return Outcome(
        number("value"),
        number("low"),
        number("high"),
        number("null_value"),
        number("control_value"),
        number("p_value"),
        metric=str(row["metric"]),
        unit=unit,
        n=int(row["n"]),
        draws=draws,
        **parts,
    )


def score_gwas(request: Request) -> Outcome:
    """The gain in R2 over covariates and places, median over traits."""
    from cistron.evaluation.gwas import evaluate_gwas

    traits, covariances, symbols = _read_once(
        _traits, request.one("traits"), request.one("covariance"), request.annotation
    )
    embedding = request.read_embedding()
    settings = request.settings_object()
    result = evaluate_gwas(
        [embedding],
        traits,
        settings,
        covariances=covariances,
        symbols=symbols,
        seed=request.seed,
        directory=Path(request.working) / "gwas",
    )
    name = str(embedding.uns["cistron"]["name"])
    scores = result.scores
    mine = scores[(scores["embedding"] == name) & (scores["metric"] == "delta_r2")]
    first = (
        traits.traits[0]
        if len(traits.traits) == 1
        else next(target for target in mine["target"] if str(target).startswith("median of"))
    )
    mine = mine[mine["target"] == first].set_index("stratum", drop=False)
    headline = mine.loc["all genes"]
    filled = request.part == ALL and "uncovered genes filled" in mine.index
    row = headline.copy()
    if filled:
        for column in ("value", "low", "high", "p_value"):
            row[column] = mine.loc["uncovered genes filled", column]
    genes = None if filled else set(embedding.obs_names)
    draws = _chromosome_draws(result.predictions, f"{name} | {settings.model}", settings, genes, request.seed)
    draws = draws - draws.mean() + float(row["value"])
    tables = {"predictions": result.predictions, "neighbours": result.neighbours}
    everywhere = scores[(scores["embedding"] == name) & (scores["target"] == first)]
    return _of_row(
        row,
        draws,
        "chromosomes",
        scores=scores,
        beyond=_least_gain(everywhere[everywhere["stratum"] == "all genes"], str(result.facts["null"])),
        tables=tables,
        facts=result.facts,
        warnings=result.warnings,
    )


def _least_gain(rows: pd.DataFrame, null: str) -> tuple[float, float, float]:
    """The gain over covariates and places, or over a control where that is less sure."""
    positional = "delta_r2" if null == "positional" else "delta_r2_positional"
    if positional not in set(rows["metric"]):
        return float("nan"), float("nan"), float("nan")
    judged = rows[(rows["metric"] == positional) | rows["metric"].str.startswith("delta_r2_minus_")]
    least = judged.sort_values("low").iloc[0]
    return float(least["value"]), float(least["low"]), float(least["high"])


def _traits(traits: str, covariance: str | None, annotation: str | None) -> tuple[Any, Any, dict[str, str]]:
    from cistron.evaluation.gwas import read_covariances, read_traits
    from cistron.evaluation.gwas.run import _read_gene_table
    from cistron.evaluation.gwas.tasks import with_places

    table, symbols = (None, {}) if annotation is None else _read_gene_table(Path(annotation))
    collection = read_traits(traits, lambda: table)
    if table is not None:
        collection = with_places(collection, table)
    return collection, None if covariance is None else read_covariances(covariance), symbols


def _chromosome_draws(
    predictions: pd.DataFrame, column: str, settings: Any, genes: set[str] | None, seed: int
) -> np.ndarray:
    """Median over traits of the squared correlation in bootstrap samples of chromosomes, float64 [draw]."""
    from cistron.statistics import block_draws

    frame = predictions if genes is None else predictions[predictions["gene"].isin(genes)]
    chromosomes = sorted(predictions["chromosome"].astype(str).unique())
    times = block_draws(len(chromosomes), settings.draws, seed)
    code = frame["chromosome"].astype(str).map({name: place for place, name in enumerate(chromosomes)})
    found = []
    for _, part in frame.groupby("trait", sort=False):
        x, y = part[column].to_numpy(np.float64), part["z"].to_numpy(np.float64)
        products = np.column_stack([np.ones(len(x)), x, y, x * x, y * y, x * y])
        sums = np.zeros((len(chromosomes), 6))
        np.add.at(sums, code.loc[part.index].to_numpy(), products)
        number, sx, sy, sxx, syy, sxy = (times @ sums).T
        covariance = sxy - sx * sy / number
        with np.errstate(invalid="ignore", divide="ignore"):
            r = covariance / np.sqrt((sxx - sx**2 / number) * (syy - sy**2 / number))
        found.append(np.sign(r) * r**2)
    return np.asarray(np.nan_to_num(np.median(found, axis=0)))


def filled(embedding: anndata.AnnData, genes: set[str]) -> anndata.AnnData:
    """The embedding with the mean vector for genes that it lacks, which is what nothing known looks like to a linear model."""
    absent = sorted(genes - set(embedding.obs_names))
    if not absent:
        return embedding
    values = np.asarray(embedding.X)
    extra = np.tile(values.mean(axis=0), (len(absent), 1))
    whole = anndata.AnnData(
        np.vstack([values, extra]).astype(np.float32),
        obs=embedding.obs.reindex([*embedding.obs_names, *absent]),  # level and breadth of expression
        var=embedding.var,
    )
    whole.uns["cistron"] = embedding.uns["cistron"]
    return whole


def score_gene_sets(request: Request) -> Outcome:
    """AUROC of membership with chromosomes left out, median over sets."""
    from cistron.evaluation.genesets import evaluate_gene_sets, read_chromosomes, read_gene_sets

    if request.annotation is None:
        raise InputError("gene sets need [study] annotation = FILE, by which chromosomes are left out")
    embedding = request.read_embedding()
    namespace = str(embedding.uns["cistron"]["identifier_namespace"])
    sets = _read_once(read_gene_sets, request.one("sets"))
    if namespace != "other" and namespace != sets.namespace:
        sets = sets.mapped(namespace, [Path(path) for path in request.gene_map])
    chromosomes = _read_once(read_chromosomes, request.annotation)
    if request.part == ALL:
        listed = set(chromosomes.index[chromosomes != ""])
        embedding = filled(embedding, listed & frozenset().union(*sets.members.values()))
    result = evaluate_gene_sets(
        [embedding],
        sets,
        chromosomes,
        request.settings_object(),
        rivals=request.rivals(embedding),
        seed=request.seed,
    )
    name = str(embedding.uns["cistron"]["name"])
    rows = result.scores[(result.scores["metric"] == "auroc") & (result.scores["embedding"] == name)]
    row = rows.iloc[-1] if len(rows) > 1 else rows.iloc[0]  # the median stands behind the sets
    draws = estimate_draws(result.medians[(name, "covered genes")], request.seed)
    return _of_row(
        row,
        draws,
        "chromosomes",
        scores=result.scores,
        beyond=beyond_of(result.scores, name),
        facts=result.facts,
        warnings=result.warnings,
    )


def estimate_draws(estimate: Estimate, seed: int, draws: int = 500) -> np.ndarray:
    """Samples of a score from the effects of its groups of chromosomes and of their pairs, float64 [draw].

    The groups are drawn with the same numbers for every embedding, so that differences are paired.

    Parameters
    ----------
    estimate
        A score of one target.
    seed
        Seed of the study.
    draws
        Number of samples.
    """
    from scipy import stats

    groups = estimate.groups
    generator = random_generator(seed, "groups of chromosomes", groups)
    times = generator.multinomial(groups, np.full(groups, 1 / groups), size=draws) - 1.0
    wider = stats.t.ppf(0.975, groups - 1) / stats.norm.ppf(0.975) * np.sqrt(groups / (groups - 1))
    single = times @ estimate.single[:, 0] * wider
    pairs = np.einsum("dg,gh,dh->d", times, estimate.pair[:, :, 0], times) / 2.0
    return np.asarray(float(estimate.value[0]) + single + pairs - pairs.mean())


def score_labels(request: Request) -> Outcome:
    """AUROC (or correlation) of labels, mean over terms."""
    from cistron.evaluation.genesets import read_chromosomes
    from cistron.evaluation.labels import evaluate_labels, read_labels

    embedding = request.read_embedding()
    labels = _read_once(read_labels, request.one("labels"))
    labels = labels.mapped(
        str(embedding.uns["cistron"]["identifier_namespace"]), [Path(path) for path in request.gene_map]
    )
    if request.part == COMMON:
        labels = labels.only(set(request.common_genes()))
    chromosomes = None
    if request.annotation is not None:
        chromosomes = _read_once(read_chromosomes, request.annotation)
        chromosomes = chromosomes[chromosomes != ""]
    settings = with_given(request.settings_object(), {"compare_on": "all"})
    result = evaluate_labels(
        [embedding],
        labels,
        settings,
        chromosomes=chromosomes,
        rivals=request.rivals(embedding),
        seed=request.seed,
    )
    name = str(embedding.uns["cistron"]["name"])
    summary = result.summary.set_index("embedding", drop=False).loc[name]
    draws = result.draws[name]
    null = float(result.scores["null_value"].iloc[0])
    side = min((draws <= null).sum(), (draws >= null).sum())
    row = {
        **summary,
        "n": summary["terms"],
        "null_value": null,
        "p_value": min(1.0, 2.0 * (side + 1.0) / (len(draws) + 1.0)),
    }
    tables = {"predictions": result.predictions, "summary": result.summary}
    return _of_row(
        row,
        draws,
        "terms",
        scores=result.scores,
        beyond=beyond_of(result.scores, name),
        tables=tables,
        facts=result.facts,
        warnings=result.warnings,
    )


def score_pairs(request: Request) -> Outcome:
    """AUROC of pairs, no gene of a scored pair being fitted on; the first combination is the headline."""
    settings = request.settings_object()
    pairs = _read_once(_pairs, request.one("pairs"), settings.directed)
    return _score_pairs(request, pairs, {})


def _pairs(path: str, directed: bool) -> Any:
    from cistron.evaluation.pairs import read_pairs

    return read_pairs(path, directed=directed)


def score_edges(request: Request) -> Outcome:
    """The same for the edges of a known network, with given networks scored on the same edges."""
    table, networks = _read_once(_network, request.one("truth"), tuple(request.inputs.get("networks", ())))
    return _score_pairs(request, table, networks)


def _network(truth: str, networks: tuple[str, ...]) -> tuple[Any, dict[str, dict[tuple[str, str], float]]]:
    from cistron.evaluation.pairs import PairTable
    from cistron.formats.edges import read_edges

    edges = read_edges(truth)
    frame = edges.table[edges.table["source"] != edges.table["target"]].drop_duplicates(["source", "target"])
    table = PairTable(
        edges.name,
        frame["source"].astype(str).to_numpy(dtype=object),
        frame["target"].astype(str).to_numpy(dtype=object),
        np.ones(len(frame), dtype=bool),
        namespace=edges.identifier_namespace,
    )
    weights = {}
    for path in networks:
        one = read_edges(path)
        rows = one.table[["source", "target", "weight"]].itertuples(index=False)
        weights[one.name] = {(str(a), str(b)): float(weight) for a, b, weight in rows}
    return table, weights


def _score_pairs(request: Request, pairs: Any, networks: dict[str, Any]) -> Outcome:
    from cistron.evaluation.pairs import evaluate_pairs

    settings = request.settings_object()
    embedding = request.read_embedding()
    pairs = pairs.mapped(
        str(embedding.uns["cistron"]["identifier_namespace"]), [Path(path) for path in request.gene_map]
    )
    genes = pairs.genes if request.part == ALL else request.common_genes()
    result = evaluate_pairs(
        [embedding],
        pairs,
        settings,
        genes=sorted(genes),
        networks=networks,
        rivals=request.rivals(embedding),
        seed=request.seed,
    )
    name = str(embedding.uns["cistron"]["name"])
    own = (result.scores["embedding"] == name) & (result.scores["metric"] == "auroc")
    rows = result.scores[own].set_index("model", drop=False)
    row = rows.loc[settings.combinations[0]]
    draws = result.draws[(name, settings.combinations[0])]
    return _of_row(
        row,
        draws,
        "genes",
        scores=result.scores,
        beyond=beyond_of(result.scores, name, model=settings.combinations[0]),
        tables={"folds": result.folds},
        facts=result.facts,
        warnings=result.warnings,
    )
