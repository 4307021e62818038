"""How the combination of evidence of the league was chosen: on every second of the 56 GO terms; judged by the other half and by further terms.

The published protocol on the genes that all 38 published embeddings have. The table of what was tried shows only the half that
choices were made on. Real data: CISTRON_TEST_DATA. Uses the embeddings that ``study_real`` writes.
"""

import time
import zlib

import numpy as np
import pandas as pd

from benchmarks.labels_zhong import GENE_MAPS, PUBLISHED, go_terms, own_areas
from benchmarks.league_rows import (
    BEST,
    EQUAL,
    as_embedding,
    beside,
    best_rows,
    cells,
    components,
    joined_frame,
    modules,
    trivial_rows,
)
from benchmarks.real_matrices import DATA, TRAITS
from benchmarks.study_real import FOLDER, chipatlas, write_inputs
from cistron.evaluation.labels import LabelSettings, LabelTable
from cistron.evaluation.paired import compare, term_draws
from cistron.formats import read_gene_embedding
from cistron.genes.gene_map import read_gene_map
from cistron.runtime import limit_threads, set_progress

SETTINGS = LabelSettings(protocol="zhong2025", controls=0, draws=20, compare_on="covered")
EXPRESSION_ONLY = "gene expression"
FURTHER_TERMS = 60


def halves(labels: LabelTable) -> tuple[list[str], list[str]]:
    """Every second term, in the order of their ids, and the others."""
    terms = sorted(labels.terms)
    return terms[::2], terms[1::2]


def part(labels: LabelTable, terms: list[str]) -> LabelTable:
    """Some of the terms."""
    frame = labels.frame[labels.frame["term"].isin(terms)].reset_index(drop=True)
    return LabelTable(labels.name, frame, labels.kind, labels.namespace)


def areas(frame_or_embedding: object, labels: LabelTable) -> pd.Series:
    """AUROC of each term."""
    found = frame_or_embedding
    if isinstance(found, pd.DataFrame):
        found = as_embedding(found, "tried", "unknown")
    return own_areas(found, labels, SETTINGS)


def tried() -> dict[str, pd.DataFrame]:
    """What was tried, by name."""
    plain, equal = joined_frame(equal=False), joined_frame(equal=True)
    frames = {}
    for label, joined in (("as they are", plain), ("weighing the same", equal)):
        for size, flattening in ((256, 0.0), (256, 0.35), (256, 0.5), (400, 0.35)):
            values = components(joined.to_numpy(), size, flattening)
            frames[f"matrices {label}, {size} components, flattened by {flattening}"] = pd.DataFrame(
                values, joined.index
            )
    base = frames["matrices weighing the same, 400 components, flattened by 0.35"]
    traits = pd.read_parquet(TRAITS).pivot(index="GENE", columns="TRAIT", values="ZSTAT")
    counts = pd.read_parquet(
        DATA / "chromatin/DeepDiffChrome_roadmap/roadmap_9cell_expression_counts.parquet"
    ).set_index("ensembl_gene")
    counts = np.log2(counts[~counts.index.duplicated()] + 1.0)
    bound = chipatlas().groupby(level=0).mean()
    more = {
        "co-essential modules": modules(),
        "placenta and blood cells": cells("bmfm_cellxgene_220x18357"),
        "gut cells": cells("bmfm_scp1884_1020x18708"),
        "nine epigenomes' expression": counts,
        "ChIP-Atlas K562": pd.DataFrame(components(bound.to_numpy(), 50), bound.index),
        "GWAS z of 30 traits": traits,
    }
    for name, frame in more.items():
        frames[f"the last + {name} (.05 of the variance)"] = beside([(base, 1.0), (frame, 0.05)])
    two = [(more["co-essential modules"], 0.05), (more["placenta and blood cells"], 0.05)]
    frames["the last + co-essential modules + placenta and blood cells"] = beside([(base, 1.0), *two])
    return frames


def further_terms(known: LabelTable) -> LabelTable:
    """Other experimental GO terms, none of which shares a third of its genes with one of the 56; four parts at random."""
    entrez = read_gene_map(GENE_MAPS[0]).joined_with(read_gene_map(GENE_MAPS[1])).lookup("entrez", "ensembl")
    genes = set(known.frame["gene"])
    members = known.frame[known.frame["value"] > 0.5].groupby("term")["gene"].agg(set)
    found: dict[str, set[str]] = {}
    for line in (DATA / "omics/gene_sets/hsa_EXP_ALL_BP_propagated.gmt").read_text().splitlines():
        term, _, *listed = line.split("\t")
        own = {entrez[gene] for gene in listed if gene in entrez} & genes
        alike = max(len(own & other) / max(1, len(own | other)) for other in members)
        if 60 <= len(own) <= 300 and alike < 1 / 3 and term not in members.index:
            found[term] = own
    chosen = sorted(found)[:: max(1, len(found) // FURTHER_TERMS)][:FURTHER_TERMS]
    annotated = sorted(set().union(*found.values()))
    frames = []
    for term in chosen:
        generator = np.random.default_rng(zlib.crc32(term.encode()))
        others = [gene for gene in annotated if gene not in found[term]]
        negatives = generator.choice(others, min(len(others), 9 * len(found[term])), replace=False)
        listed = sorted(found[term]) + sorted(negatives)
        parts = np.array(["fold1", "fold2", "fold3", "holdout"])[generator.integers(4, size=len(listed))]
        value = np.repeat([1.0, 0.0], [len(found[term]), len(negatives)])
        frames.append(pd.DataFrame({"term": term, "gene": listed, "value": value, "part": parts}))
    return LabelTable("further GO terms", pd.concat(frames, ignore_index=True), "member", "ensembl")


def differences(first: pd.Series, second: pd.Series) -> str:
    """Mean paired difference with its 95% interval over terms."""
    rows = [
        pd.DataFrame({"embedding": name, "target": one.index, "value": one.to_numpy(), "metric": "auroc", "control_value": np.nan})
        for name, one in (("first", first), ("second", second))
    ]  # fmt: skip
    both = pd.concat(rows)
    row = compare(both, term_draws(both, 4000, 1))[1].iloc[0]
    sign = 1.0 if row["first"] == "first" else -1.0
    low, high = sorted((sign * row["low"], sign * row["high"]))
    return f"{sign * row['value']:+.3f} [{low:+.3f}, {high:+.3f}]"


def main() -> None:
    """Print what was tried on one half, and how the choice does on the other half and on further terms."""
    set_progress(False)
    started = time.process_time()
    write_inputs(FOLDER)
    labels = go_terms()
    one, other = halves(labels)
    published = pd.read_csv(PUBLISHED / "published_single_gene_go_AUROC.tsv", sep="\t", index_col=0)
    saw = pd.read_csv(PUBLISHED / "embeddings.csv").set_index("Embeding")["Category"].to_dict()
    rivals = [name for name in published.index if str(saw.get(name, "")).strip().startswith(EXPRESSION_ONLY)]
    with limit_threads(1):
        print(
            f"tried, mean AUROC of the {len(one)} terms of the first half (scGPT-human {published.loc['SCGPT-HUMAN', one].mean():.3f})"
        )
        for name, frame in tried().items():
            print(f"  {areas(frame, part(labels, one)).mean():.4f}  {name}")
        rows = {"joined 256": read_gene_embedding(FOLDER / "joined_256.h5ad"), **best_rows()}
        for name, embedding in rows.items():
            found = areas(embedding, labels)
            print(
                f"{name}: first half {found[one].mean():.4f}, second half {found[other].mean():.4f}, all {found.mean():.4f}"
            )
            for terms, label in ((one, "first half"), (other, "second half"), (labels.terms, "all 56")):
                best = published.loc[rivals, terms].mean(axis=1).idxmax()
                said = differences(found[terms], published.loc[best, terms])
                print(f"  {label}: against {best}, the best that saw expression only: {said}")
        further = further_terms(labels)
        print(f"{len(further.terms)} further GO terms, mean AUROC; difference from joined 256")
        kept = areas(rows["joined 256"], further)
        for name, embedding in {**rows, **trivial_rows(set(labels.terms) | set(further.terms))}.items():
            found = areas(embedding, further)
            print(
                f"  {found.mean():.4f}  {differences(found, kept) if name != 'joined 256' else '':26s} {name}"
            )
    print(f"{EQUAL!r} and {BEST!r} are the rows of the league; {time.process_time() - started:.0f} CPU s")
