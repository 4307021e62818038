"""Score one embedding on one task: one cell of the table. Runs in any process; all it needs is named in the request."""

from pathlib import Path
from typing import Any

import anndata
import numpy as np

from cistron.errors import InputError
from cistron.methods import with_given
from cistron.runtime import random_generator
from cistron.statistics.estimate import Estimate
from cistron.study.requests import ALL, COMMON, Outcome, Request, beyond_of, outcome_of_row, read_once


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
    sets = read_once(read_gene_sets, request.one("sets"))
    if namespace != "other" and namespace != sets.namespace:
        sets = sets.mapped(namespace, [Path(path) for path in request.gene_map])
    chromosomes = read_once(read_chromosomes, request.annotation)
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
    return outcome_of_row(
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
    labels = read_once(read_labels, request.one("labels"))
    labels = labels.mapped(
        str(embedding.uns["cistron"]["identifier_namespace"]), [Path(path) for path in request.gene_map]
    )
    if request.part == COMMON:
        labels = labels.only(set(request.common_genes()))
    chromosomes = None
    if request.annotation is not None:
        chromosomes = read_once(read_chromosomes, request.annotation)
        chromosomes = chromosomes[chromosomes != ""]
    settings = with_given(request.settings_object(), {"compare_on": "all"})
    result = evaluate_labels(
        [embedding],
        labels,
        settings,
        chromosomes=chromosomes,
        rivals=request.rivals(embedding),
        rival_rows=False,
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
    return outcome_of_row(
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
    pairs = read_once(_pairs, request.one("pairs"), settings.directed)
    return _score_pairs(request, pairs, {})


def _pairs(path: str, directed: bool) -> Any:
    from cistron.evaluation.pairs import read_pairs

    return read_pairs(path, directed=directed)


def score_edges(request: Request) -> Outcome:
    """The same for the edges of a known network, with given networks scored on the same edges."""
    table, networks = read_once(_network, request.one("truth"), tuple(request.inputs.get("networks", ())))
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
        rival_rows=False,
        seed=request.seed,
    )
    name = str(embedding.uns["cistron"]["name"])
    own = (result.scores["embedding"] == name) & (result.scores["metric"] == "auroc")
    rows = result.scores[own].set_index("model", drop=False)
    row = rows.loc[settings.combinations[0]]
    draws = result.draws[(name, settings.combinations[0])]
    return outcome_of_row(
        row,
        draws,
        "genes",
        scores=result.scores,
        beyond=beyond_of(result.scores, name, model=settings.combinations[0]),
        tables={"folds": result.folds},
        facts=result.facts,
        warnings=result.warnings,
    )
