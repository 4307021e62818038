"""Topologies (which gene regulates which) of planted networks: random ones with or without hubs, and published ones from files."""

import csv
import gzip
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from cistron.errors import InputError

Shape = Literal["hubs", "flat"]


@dataclass(frozen=True)
class Topology:
    """Directed signed edges between named genes.

    Attributes
    ----------
    genes
        Names, unique.
    source, target
        Gene numbers, int [edge]; no edge from a gene to itself, none twice.
    sign
        +1 activates, -1 represses, int [edge].
    """

    genes: tuple[str, ...]
    source: np.ndarray
    target: np.ndarray
    sign: np.ndarray

    def __post_init__(self) -> None:
        if not len(self.source) == len(self.target) == len(self.sign):
            raise InputError(
                f"a topology needs one source, target and sign an edge. Given: {len(self.source)}, "
                f"{len(self.target)} and {len(self.sign)}"
            )
        if (self.source == self.target).any():
            raise InputError("a topology has no edge from a gene to itself")


def random_topology(
    genes: int,
    shape: Shape,
    random: np.random.Generator,
    *,
    regulators_per_gene: float = 2.0,
    feedback: float = 0.1,
    repressors: float = 0.4,
) -> Topology:
    """Draw a network.

    Parameters
    ----------
    genes
        Number of genes, called ``G000``, ``G001``, ...
    shape
        ``hubs``: 15% of the genes regulate, with numbers of targets as uneven as a Pareto law of exponent 1.5.
        ``flat``: 80% of the genes regulate, all alike.
    random
        Source of randomness.
    regulators_per_gene
        Mean number of regulators of a gene.
    feedback
        Share of the edges that point against the order of the genes and so can close loops.
    repressors
        Share of the edges that repress.
    """
    order = random.permutation(genes)
    rank = np.empty(genes, dtype=np.int64)
    rank[order] = np.arange(genes)
    count = max(2, round(genes * (0.15 if shape == "hubs" else 0.8)))
    regulators = order[:count]
    strength = random.pareto(1.5, count) + 0.3 if shape == "hubs" else np.ones(count)
    source: list[int] = []
    target: list[int] = []
    for gene in range(genes):
        wanted = random.poisson(regulators_per_gene)
        weight = strength * np.where(rank[regulators] < rank[gene], 1 - feedback, feedback)
        weight = np.where(regulators == gene, 0.0, weight)
        # Without feedback, the first genes have fewer regulators, or none.
        possible = int(np.count_nonzero(weight))
        if not possible:
            continue
        chosen = random.choice(
            regulators, size=min(wanted, count - 1, possible), replace=False, p=weight / weight.sum()
        )
        source.extend(int(regulator) for regulator in chosen)
        target.extend([gene] * len(chosen))
    width = len(str(genes - 1))
    return Topology(
        tuple(f"G{gene:0{width}d}" for gene in range(genes)),
        np.array(source, dtype=np.int64),
        np.array(target, dtype=np.int64),
        np.where(random.random(len(source)) < repressors, -1, 1),
    )


def _rows(path: Path) -> list[list[str]]:
    opened = gzip.open(path, "rt") if path.suffix == ".gz" else path.open()
    separator = "\t" if path.name.removesuffix(".gz").endswith((".tsv", ".txt.tsv")) else ","
    with opened as handle:
        return [row for row in csv.reader(handle, delimiter=separator) if row]


def _sergio_interactions(rows: list[list[str]]) -> list[tuple[str, str, int]]:
    """Rows ``target, n, n regulators, n strengths, n Hill exponents``; the sign is that of the strength."""
    edges = []
    for row in rows:
        count = int(float(row[1]))
        for position in range(count):
            sign = 1 if float(row[2 + count + position]) > 0 else -1
            edges.append((str(int(float(row[2 + position]))), str(int(float(row[0]))), sign))
    return edges


def read_topology(path: str | Path, random: np.random.Generator, *, repressors: float = 0.4) -> Topology:
    """Read a published topology.

    Accepted: SERGIO's ``Interaction_cID_*.txt`` (signed), and tables without a header ``regulator, target[, sign]``
    (.csv, .tsv, plain or .gz; sign ``+`` or ``-``, others drawn at random), for example RegulonDB's network of
    E. coli and that of yeast. Edges of a gene to itself and repeated edges are left out.

    Parameters
    ----------
    path
        File of the topology.
    random
        Draws the signs that the file does not give.
    repressors
        Share of repressors among the signs that are drawn.

    Raises
    ------
    InputError
        If the file is absent or is not of such a form.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"topology {path} does not exist")
    rows = _rows(path)
    drawn = np.where(random.random(len(rows)) < repressors, -1, 1)
    try:
        if path.name.startswith("Interaction_cID"):
            listed = _sergio_interactions(rows)
        else:
            listed = [
                (row[0], row[1], {"+": 1, "-": -1}.get(row[2] if len(row) > 2 else "", int(sign)))
                for row, sign in zip(rows, drawn)
            ]
    except (IndexError, ValueError) as error:
        raise InputError(
            f"topology {path.name}: expected rows 'regulator, target[, sign]' or SERGIO's interactions ({error})"
        ) from error
    signs = {(source, target): sign for source, target, sign in listed if source != target}
    names = sorted({name for edge in signs for name in edge})
    number = {name: position for position, name in enumerate(names)}
    prefix = "G" if all(name.isdigit() for name in names) else ""
    return Topology(
        tuple(prefix + name for name in names),
        np.array([number[source] for source, _ in signs], dtype=np.int64),
        np.array([number[target] for _, target in signs], dtype=np.int64),
        np.array(list(signs.values()), dtype=np.int64),
    )


def connected_part(topology: Topology, genes: int, random: np.random.Generator) -> Topology:
    """Cut a connected part of ``genes`` genes out of a topology.

    It grows from a random regulator, each step adding a random neighbour of what it has; the edges among the
    chosen genes are kept, as the network benchmarks of DREAM did.

    Parameters
    ----------
    topology
        Network to cut from; given back whole where it is no larger.
    genes
        Number of genes to keep.
    random
        Source of randomness.
    """
    if genes >= len(topology.genes):
        return topology
    neighbours: dict[int, set[int]] = {}
    for source, target in zip(topology.source.tolist(), topology.target.tolist()):
        neighbours.setdefault(source, set()).add(target)
        neighbours.setdefault(target, set()).add(source)
    first = int(random.choice(np.unique(topology.source)))
    chosen, border = {first}, set(neighbours[first])
    while len(chosen) < genes:
        if not border:  # the component is used up: start another
            border = {int(random.choice([g for g in neighbours if g not in chosen]))}
        gene = int(random.choice(sorted(border)))
        chosen.add(gene)
        border = (border | neighbours[gene]) - chosen
    kept = np.array(sorted(chosen))
    number = np.full(len(topology.genes), -1)
    number[kept] = np.arange(len(kept))
    inside = (number[topology.source] >= 0) & (number[topology.target] >= 0)
    return Topology(
        tuple(topology.genes[gene] for gene in kept),
        number[topology.source[inside]],
        number[topology.target[inside]],
        topology.sign[inside],
    )
