"""The inputs of the goldens: small planted worlds with fixed seeds, in the forms in which users bring their own data."""

from pathlib import Path

import anndata
import numpy as np
import pandas as pd
from scipy import sparse

from cistron.formats import read_gene_embedding
from cistron.world import WorldSettings, write_world
from cistron.world.cells import CellWorldSettings, cell_world, write_cell_world
from cistron.world.chromatin import ChromatinWorldSettings, chromatin_world, write_bigwigs, write_binned
from cistron.world.mosaic_cohort import MosaicSettings, mosaic_cohort, planted_eqtl, planted_traits
from cistron.world.networks import NetworkWorldSettings, network_world, write_network_world
from cistron.world.sequence import planted_genome, write_planted_genome

SEED = 11
GENES = WorldSettings(genes=240, chromosomes=6, functions=6)
CELLS = CellWorldSettings(genes=90, chromosomes=6, cells=80, cell_types=3, donors=3, dimensions=12)
NETWORK = NetworkWorldSettings(genes=20, control_cells=200, cells_per_knockout=20, counts_per_gene=8)
MARKS = ChromatinWorldSettings(genes=44, cell_types=2)
BIGWIGS = ChromatinWorldSettings(genes=22, cell_types=2)
KEPT_BINS = slice(60, 140)  # of 200: 8 kb around the start site keep the stored marks small


def write_inputs(folder: Path) -> Path:
    """Write all inputs into ``folder`` and give it back."""
    write_world(folder / "world", GENES, SEED)
    write_cell_world(cell_world(CELLS, seed=SEED), folder / "cells")
    write_network_world(network_world(NETWORK, seed=SEED), folder / "network")
    write_bigwigs(chromatin_world(BIGWIGS, seed=SEED), folder / "bigwigs")
    _write_gene_bodies_and_contacts(folder / "bigwigs")
    write_binned(chromatin_world(MARKS, seed=SEED), folder / "marks")
    with np.load(folder / "marks" / "marks.npz") as arrays:
        kept = {name: arrays[name] for name in arrays.files}
    np.savez(folder / "marks" / "short.npz", **{**kept, "values": kept["values"][..., KEPT_BINS]})
    names = sorted(set(chromatin_world(MARKS, seed=SEED).genes["chromosome"]))
    lengths = "".join(f"{name}\t1000000\n" for name in names)
    (folder / "marks" / "chromosomes.tsv").write_text(lengths)
    (folder / "genome").mkdir()
    planted = planted_genome(SEED)
    write_planted_genome(planted, folder / "genome")
    _write_person(planted, folder / "genome")
    _write_signal(planted, folder / "signal")
    _write_design(folder / "genome")
    _write_training_data(folder)
    _write_gene_lists(folder)
    _write_enhancers(folder / "enhancers")
    _write_mpra(folder / "mpra")
    _write_cohort(folder / "cohort")
    _write_sources(folder)
    _write_proteins(folder / "proteins.fa")
    _write_two_genomes(folder / "folds")
    (folder / "mirror" / "human_transcription_factors").mkdir(parents=True)
    names = "".join(f"CIS{number}\n" for number in range(1, 1700))
    (folder / "mirror" / "human_transcription_factors" / "TF_names_v_1.01.txt").write_text(names)
    return folder


def _write_gene_bodies_and_contacts(folder: Path) -> None:
    """Write where the genes of planted bigWigs end, and two distal elements each."""
    rows, links = ["gene\tchromosome\tposition\tstart\tend\tstrand"], ["gene\tchromosome\tstart\tend\tscore"]
    for line in (folder / "genes.tsv").read_text().splitlines()[1:]:
        gene, chromosome, position, strand = line.split("\t")
        site = int(position)
        body = (site, site + 6000) if strand == "+" else (site - 5999, site + 1)
        rows.append(f"{gene}\t{chromosome}\t{site}\t{body[0]}\t{body[1]}\t{strand}")
        links.append(f"{gene}\t{chromosome}\t{site - 6000}\t{site - 4000}\t0.5")
        links.append(f"{gene}\t{chromosome}\t{site + 3000}\t{site + 5000}\t0.25")
    (folder / "bodies.tsv").write_text("\n".join(rows) + "\n")
    (folder / "contacts.tsv").write_text("\n".join(links) + "\n")


def _write_design(folder: Path) -> None:
    """Write a designed epigenome of one gene on the minus strand, and which tracks of the model its marks are."""
    from cistron.formats.designed_epigenome import EDIT_COLUMNS, OUTCOME_COLUMNS, write_designed_epigenome

    original = np.full((1, 1, 2, 80), 0.5, np.float32)
    designed = original.copy()
    designed[0, 0, 0, 39:42] += 0.2  # an untrained model moves by as much
    write_designed_epigenome(
        folder / "design.zarr",
        designed,
        original,
        np.ones((1, 2), bool),
        sequences=pd.DataFrame(
            {
                "name": ["PLANTED0004"],
                "chromosome": ["chr1"],
                "start": [16_001],
                "end": [24_001],
                "strand": ["-"],
            }
        ),
        cell_types=["cell_type_1"],
        marks=["H3K27ac", "H3K4me3"],
        bin_size=100,
        outcome=pd.DataFrame(
            [("PLANTED0004", "cell_type_1", "target", 1.0, 1.5, 1.4, 1.3, 0.8, 0.6, 0.6, 1)],
            columns=list(OUTCOME_COLUMNS),
        ),
        edits=pd.DataFrame(columns=list(EDIT_COLUMNS)),
        name="design",
        genome_build="planted",
        parameters={},
    )
    (folder / "marks.tsv").write_text("cell_type\tmark\ttrack\ncell_type_1\tH3K27ac\thuman_0\n")
    (folder / "protected.bed").write_text("chr1\t19990\t20010\n")


def _write_person(planted, folder: Path) -> None:
    """Write two regions, a list of genes and the variants of one person around a gene of chromosome 1."""
    genes = planted.genes.set_index("gene")
    chosen = genes.loc[["PLANTED0004", "PLANTED0003"]]
    rows = [f"{gene.chromosome}\t{gene.canonical}\t{gene.canonical + 1}\n" for gene in chosen.itertuples()]
    (folder / "regions.bed").write_text("".join(rows))
    (folder / "genes.txt").write_text("PLANTED0004\nPLANTED0003\nPLANTED0001\n")
    pairs = [
        f"{gene.chromosome}\t{gene.canonical + offset}\t{gene.canonical + offset + 200}\t{gene.symbol}\n"
        for gene in chosen.itertuples()
        for offset in (-900, 500, 30_000)
    ]
    (folder / "pairs.tsv").write_text("chrom\tchromStart\tchromEnd\tmeasuredGeneSymbol\n" + "".join(pairs))
    dna, place = planted.chromosomes["chr1"], int(genes.loc["PLANTED0004", "canonical"])
    other = {"A": "C", "C": "G", "G": "T", "T": "A"}
    lines = ["##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tann\n"]
    for at in range(place - 90, place + 90, 9):
        letter = dna[at].upper()
        lines.append(f"1\t{at + 1}\t.\t{letter}\t{other[letter]}\t.\tPASS\t.\tGT\t1|0\n")
    at = place + 100
    lines.append(f"1\t{at + 1}\t.\t{dna[at]}\t{dna[at]}ACGTTGCAAC\t.\tPASS\t.\tGT\t0|1\n")
    (folder / "people.vcf").write_text("".join(lines))


def _write_enhancers(folder: Path) -> None:
    """Write tested pairs of elements and genes, and scores that know some of the outcome."""
    folder.mkdir()
    random = np.random.default_rng(SEED)
    start = random.integers(0, 200, 120) * 1000
    score = random.standard_normal(120)
    pairs = pd.DataFrame(
        {
            "chrom": "chr1",
            "chromStart": start,
            "chromEnd": start + 500,
            "name": [f"pair{number}" for number in range(120)],
            "startTSS": 100_000,
            "measuredGeneSymbol": [f"G{gene}" for gene in random.integers(0, 30, 120)],
            "ValidConnection": "TRUE",
            "CellType": "K562",
            "Regulated": np.where(score + random.standard_normal(120) > 1, "TRUE", "FALSE"),
        }
    )
    pairs.to_csv(folder / "pairs.tsv", sep="\t", index=False)
    scores = pd.DataFrame({"name": pairs["name"], "method": "made", "score": score.round(6)})
    scores.to_csv(folder / "scores.tsv", sep="\t", index=False)


def _write_mpra(folder: Path) -> None:
    """Write measured effects of two elements, and scores of which one column knows them."""
    folder.mkdir()
    random = np.random.default_rng(SEED)
    rows = [
        (f"E{element}", str(element + 1), 100 + offset, "ACGT"[offset % 4], "ACGT"[(offset + step) % 4])
        for element in range(2)
        for offset in range(40)
        for step in (1, 2, 3)
    ]
    frame = pd.DataFrame(rows, columns=["element", "chromosome", "position", "ref", "alt"])
    frame["split"] = np.where(frame["position"] % 20 < 10, "train", "test")
    frame["value"] = random.standard_normal(len(frame)).round(4)
    frame["confidence"] = 0.5
    frame.to_csv(folder / "measured.tsv", sep="\t", index=False)
    scores = frame[["chromosome", "position", "ref", "alt"]].copy()
    scores["one"] = (frame["value"] + random.standard_normal(len(frame))).round(4)
    scores["two"] = random.standard_normal(len(frame)).round(4)
    scores.to_csv(folder / "scores.tsv", sep="\t", index=False)


def _write_cohort(folder: Path) -> None:
    """Write eQTL and a trait of a small cohort, its genotypes, and scores of which one column knows what a variant does."""
    folder.mkdir()
    cohort = mosaic_cohort(MosaicSettings(blocks=66, variants=12, people=400, functional=0.3), SEED)
    planted_eqtl(cohort, SEED, tissues=1).round(5).to_csv(folder / "eqtl.tsv", sep="\t", index=False)
    random = np.random.default_rng(SEED)
    scores = cohort.variants[["chromosome", "position", "ref", "alt"]].copy()
    scores["one"] = (cohort.variants["score"] + 0.2 * random.standard_normal(len(scores))).round(4)
    scores["two"] = random.standard_normal(len(scores)).round(4)
    scores.to_csv(folder / "scores.tsv", sep="\t", index=False)
    variants = cohort.variants
    names = {name: variants[name].to_numpy(str) for name in ("chromosome", "ref", "alt", "id")}
    places = {name: variants[name].to_numpy() for name in ("position", "block")}
    np.savez(folder / "panel.npz", genotypes=cohort.genotypes, **names, **places)
    trait = pd.DataFrame({"SNP": variants["id"], "A1": variants["alt"], "A2": variants["ref"], "N": 50_000})
    trait["Z"] = planted_traits(cohort, 1, SEED, signed=0.3)[:, 0].round(4)
    trait.to_csv(folder / "trait.sumstats", sep="\t", index=False)


def _write_gene_lists(folder: Path) -> None:
    """Write gene sets that follow the planted functions, a list of ids, a table for mapping and a wide embedding."""
    genes = pd.read_csv(folder / "world" / "genes.tsv", sep="\t")
    truth = read_gene_embedding(folder / "world" / "true_functions.h5ad")
    values = np.asarray(truth.X)
    lines = []
    for number in range(3):
        members = truth.obs_names[values[:, number] > np.quantile(values[:, number], 0.88)]
        lines.append("\t".join([f"function_{number}", "planted", *members]) + "\n")
    (folder / "sets.gmt").write_text("".join(lines))
    _write_labels_and_pairs(folder, list(truth.obs_names), values)
    (folder / "ids.txt").write_text("".join(f"{gene}\n" for gene in genes["gene"].iloc[:30]))
    table = genes[["gene", "symbol", "entrez"]]
    table.columns = ["ensembl_gene_id", "symbol", "entrez_id"]
    table.to_csv(folder / "names.tsv", sep="\t", index=False)
    random = np.random.default_rng(SEED)
    wide = pd.DataFrame(random.normal(size=(40, 3)), index=genes["gene"].iloc[:40], columns=["a", "b", "c"])
    wide.round(5).to_csv(folder / "embedding.csv")


def _write_labels_and_pairs(folder: Path, genes: list[str], values: np.ndarray) -> None:
    """Write labels with given parts and pairs whose planted functions agree."""
    random = np.random.default_rng(SEED)
    member = values[:, 0] + 0.3 * random.normal(size=len(genes)) > np.quantile(values[:, 0], 0.8)
    parts = random.choice(["fold1", "fold2", "fold3", "holdout"], size=len(genes))
    labels = pd.DataFrame({"term": "planted", "gene": genes, "member": member.astype(int), "part": parts})
    labels.to_csv(folder / "labels.tsv", sep="\t", index=False)
    a, b = np.triu_indices(len(genes), 1)
    best = np.argsort(-(values[a] * values[b]).sum(axis=1), kind="stable")[:260]
    names = np.array(genes)
    pairs = pd.DataFrame({"gene_a": names[a[best]], "gene_b": names[b[best]], "label": 1})
    pairs.to_csv(folder / "pairs.tsv", sep="\t", index=False)
    (folder / "study.toml").write_text(
        '[study]\nannotation = "world/genes.tsv"\nadded = ["gaussian", "covariates"]\n[embeddings.truth]\nfile = "world/true_functions.h5ad"\n'
        '[tasks.labels]\nkind = "gene_labels"\nlabels = "labels.tsv"\nlearner = "ridge"\ndraws = 20\n'
    )


def _write_sources(folder: Path) -> None:
    """Write the files of public sources that ``omics prepare`` reads, with random values."""
    random = np.random.default_rng(SEED)
    folder = folder / "sources"
    folder.mkdir()
    bias = random.normal(size=(50, 4)) @ random.normal(size=(4, 12))
    effects = pd.DataFrame(
        (2 * bias + random.normal(size=(50, 12))).T,
        index=[f"ACH-{number:06d}" for number in range(12)],
        columns=[f"{'OR' if number < 20 else 'GENE'}{number}A ({number + 1})" for number in range(50)],
    )
    effects.to_csv(folder / "effects.csv", float_format="%.5f")
    (folder / "olfactory.txt").write_text("".join(f"OR{number}A\n" for number in range(20)))
    identifiers = [f"ENSG{number:011d}.{number % 7 + 1}" for number in range(1, 31)]
    tpm = pd.DataFrame(random.gamma(1.0, 20, (30, 5)), columns=[f"GTEX-{number}" for number in range(5)])
    tpm.insert(0, "Description", identifiers)
    tpm.insert(0, "Name", identifiers)
    text = tpm.to_csv(sep="\t", index=False, float_format="%.3f")
    (folder / "tpm.gct").write_text(f"#1.2\n30\t5\n{text}")
    isoforms = pd.DataFrame(
        random.gamma(1.0, 5, (20, 3)).round(2), columns=["liver.V1", "heart.V2", "brain.V3"]
    )
    isoforms.insert(0, "enstid", [f"ENST{number:011d}" for number in range(20)])
    isoforms.insert(0, "ensgid", [f"ENSG{number // 2 + 1:011d}.2" for number in range(20)])
    isoforms.to_csv(folder / "isoforms.tsv", sep="\t", index=False)
    cells = anndata.AnnData(
        sparse.csr_matrix(random.poisson(0.6, (80, 24)).astype(np.float32)),
        obs=pd.DataFrame(
            {"cell_ontology_class": random.choice(["B cell", "T cell", "monocyte"], 80)},
            index=[f"cell{number}" for number in range(80)],
        ),
        var=pd.DataFrame(
            {"ensembl": [f"ENSG{number:011d}.2" for number in range(24)]},
            index=[f"GENE{number}" for number in range(24)],
        ),
    )
    cells.write_h5ad(folder / "cells.h5ad")
    matrix = pd.DataFrame(
        random.gamma(1.0, 50, (40, 5)),
        index=[f"ENSG{number:011d}" for number in range(40)],
        columns=[f"sample_{number}" for number in range(5)],
    )
    matrix.to_csv(folder / "matrix.csv", float_format="%.4f")


def _write_two_genomes(folder: Path) -> None:
    """Write chromosome sizes of two genomes and a net of blocks between them."""
    folder.mkdir()
    (folder / "human.sizes").write_text("chr1\t3000000\nchr2\t2200000\n")
    (folder / "mouse.fai").write_text("chr1\t2500000\t6\t60\t61\nchr4\t2600000\t6\t60\t61\n")
    blocks = [(0, 400000, "chr4", 0), (600000, 300000, "chr1", 100000), (1500000, 150000, "chr4", 2000000)]
    lines = [f" fill {start} {size} {other} + {place} {size} id 1\n" for start, size, other, place in blocks]
    (folder / "human.mouse.net").write_text("net chr1 3000000\n" + "".join(lines))


def _write_signal(planted, folder: Path) -> None:
    """Write bigWigs along the planted genome, sequences with folds and a targets table."""
    import pybigtools

    folder.mkdir()
    random = np.random.default_rng(SEED)
    lengths = {name: len(dna) for name, dna in planted.chromosomes.items()}
    for file in ("plus", "minus", "open"):
        rows = [
            (name, start, start + 50, float(np.float32(value)))
            for name, size in sorted(lengths.items())
            for start, value in zip(range(0, size - 50, 100), random.gamma(0.5, 3, size))
        ]
        pybigtools.open(str(folder / f"{file}.bw"), "w").write(lengths, iter(rows))
    bed = [("chr1", start, start + 4096, "train") for start in range(0, 40000, 4096)]
    bed += [("chr2", start, start + 4096, "test") for start in range(0, 12000, 4096)]
    bed += [("chr2", start, start + 4096, "valid") for start in range(20480, 34000, 4096)]
    (folder / "folds.bed").write_text("".join("\t".join(map(str, row)) + "\n" for row in bed))
    (folder / "targets.txt").write_text(
        "identifier\tfile\tclip\tscale\tsum_stat\tstrand_pair\tdescription\nC+\tplus.bw\t384\t1\tsum\t1\tCAGE:a\n"
        "C-\tminus.bw\t384\t1\tsum\t0\tCAGE:a\nD\topen.bw\t32\t2\tmean\t2\tDNASE:b\n"
    )


def _write_training_data(folder: Path) -> None:
    """Write a store of training data, and a model of random weights for its tracks."""
    from cistron.genome import Genome
    from cistron.sequence.data import build_training_data
    from cistron.sequence.random_model import random_model
    from cistron.sequence.saving import save_weights
    from cistron.sequence.settings import EnformerSettings
    from cistron.sequence.settings_data import DataSettings
    from cistron.sequence.training import track_table_of

    signal = folder / "signal"
    store = build_training_data(
        signal / "data.zarr",
        genome=Genome(folder / "genome" / "genome.fa", "planted"),
        folds=signal / "folds.bed",
        targets=signal / "targets.txt",
        settings=DataSettings("enformer", crop=1024, input_length=4096),
    )
    settings = EnformerSettings(
        channels=24, depth=1, heads=2, key_size=8, length=4096, crop=8, tracks={"human": 3}
    )
    model, _ = random_model(settings, SEED)
    save_weights(model, signal / "model", tracks=track_table_of([store]))


def _write_proteins(path: Path) -> None:
    """Write proteins as Ensembl names them; the second gene has two isoforms."""
    sequences = {
        ("P1", "G1"): "MKTAYIAKQRQISFVKSHFSRQLEERLGLIEVQ",
        ("P2", "G2"): "MXBUZOLAGVSERTIDPKQNFYHWC",
        ("P3", "G2"): "ACDEFGHIKLMNPQRSTVWY" * 3,
        ("P4", "G3"): "MSTNPKPQRKTKRNTNRRPQDVKFPGG",
    }
    lines = [
        f">{protein} pep chromosome:planted:1:1:2:1 gene:{gene} transcript:T{protein} gene_symbol:{gene}S\n{letters}\n"
        for (protein, gene), letters in sequences.items()
    ]
    path.write_text("".join(lines))
