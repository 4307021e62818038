"""One small planted data set with every kind of file that the documentation names, all of the same genes.

Its genes lie where the planted marks lie, so that DNA, marks, expression, GWAS, cells and the perturbation screen fit
together: an embedding of one wing has the genes that another asks for.
"""

import gzip
from dataclasses import dataclass, replace
from pathlib import Path

import anndata
import numpy as np
import pandas as pd

from cistron.formats.anndata_files import write_anndata
from cistron.formats.magma import write_genes_out, write_genes_raw
from cistron.runtime.files import atomic_path
from cistron.runtime.seeds import random_generator
from cistron.world.cells import CellWorldSettings, cell_world
from cistron.world.chromatin import (
    SPACING,
    ChromatinWorld,
    ChromatinWorldSettings,
    chromatin_world,
    write_bigwigs,
)
from cistron.world.genes import PlantedGenes, WorldSettings, linkage_of, plant_genes
from cistron.world.gwas import plant_gwas, planted_correlations
from cistron.world.networks import NetworkWorldSettings, network_world
from cistron.world.omics import ASSAYS, plant_omics
from cistron.world.sequence import MOTIF

BUILD = "planted"
CHROMOSOMES = 22
# Real symbols that the documentation uses as examples; what they do here is planted.
NAMED = ("GATA1", "LDLR", "APOB", "MYC", "TP53", "HBE1")
TRAITS = ("HDL", "LDL", "HEIGHT", "PLATELETS")
_AMINO_ACIDS = "ACDEFGHIKLMNPQRSTVWY"
_COMPLEMENT = str.maketrans("ACGT", "TGCA")


@dataclass(frozen=True)
class _World:
    genes: PlantedGenes
    marks: ChromatinWorld
    seed: int

    @property
    def table(self) -> pd.DataFrame:
        return self.genes.table


def write_sample_data(folder: str | Path, *, genes: int = 330, seed: int = 0) -> list[Path]:
    """Write the data set.

    Parameters
    ----------
    folder
        Folder to write to.
    genes
        Number of genes, at least 10 for each of 22 chromosomes.
    seed
        Seed of everything in it.

    Returns
    -------
    list of Path
        What was written, folders as one entry each.

    Raises
    ------
    InputError
        If there are too few genes.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    world = _plant(genes, seed)
    before = {path.name for path in folder.iterdir()}
    for write in (
        _genome,
        _annotation,
        _proteins,
        _identifiers,
        _omics,
        _gwas,
        _sets,
        _labels,
        _pairs,
        _cells,
        _screen,
        _marks,
        _variants,
        _homology,
        _signal,
    ):
        write(world, folder)
    return sorted(path for path in folder.iterdir() if path.name not in before)


def _plant(genes: int, seed: int) -> _World:
    """Plant genes, and give them the places of the planted marks."""
    planted = plant_genes(WorldSettings(genes=genes, chromosomes=CHROMOSOMES), seed)
    marks = chromatin_world(
        ChromatinWorldSettings(genes=genes, cell_types=2, chromosomes=CHROMOSOMES, missing=0.0), seed=seed
    )
    places = marks.genes.assign(number=marks.genes["chromosome"].str.removeprefix("chr").astype(int))
    places = places.sort_values(["number", "position"], kind="stable")
    random = random_generator(seed, "sample data", "genes")
    length = np.clip(random.lognormal(8.0, 0.7, genes).round().astype(int), 400, 10_000)
    position, forward = places["position"].to_numpy(), places["strand"].to_numpy() == "+"
    table = planted.table.assign(
        chromosome=places["number"].astype(str).to_numpy(),
        start=np.where(forward, position, position + 1 - length),
        end=np.where(forward, position + length, position + 1),
        strand=places["strand"].to_numpy(),
    )
    rows = np.linspace(0, genes - 1, len(NAMED)).round().astype(int)
    table.loc[rows, "symbol"] = NAMED
    # the marks' genes take the identifiers of the genes that lie there
    names = dict(zip(places["gene"], table["gene"]))
    marks = replace(marks, genes=marks.genes.assign(gene=marks.genes["gene"].map(names)))
    return _World(
        replace(planted, table=table, correlations=linkage_of(table, planted.settings.correlation)),
        marks,
        seed,
    )


def _site(gene: object) -> int:
    """Start site, 0-based."""
    return int(gene.start if gene.strand == "+" else gene.end - 1)  # type: ignore[attr-defined]


def _genome(world: _World, folder: Path) -> None:
    """Random DNA; the stronger a gene's level, the more copies of a motif stand upstream of its start site."""
    random = random_generator(world.seed, "sample data", "genome")
    with atomic_path(folder / "hg38.fa") as partial, partial.open("w") as handle:
        for name, genes in world.table.groupby("chromosome", sort=False):
            length = int(genes["end"].max()) + SPACING // 2
            letters = np.frombuffer(b"ACGT", np.uint8)[random.integers(0, 4, length)].copy()
            letters[:100] = ord("N")
            for gene in genes.itertuples():
                for copy in range(int(gene.level // 2)):
                    _plant_motif(letters, _site(gene), str(gene.strand), 30 + 20 * copy)
            # Ensembl's form of a header, which names the build
            handle.write(f">chr{name} dna:chromosome chromosome:{BUILD}:{name}:1:{length}:1 REF\n")
            text = letters.tobytes().decode()
            handle.writelines(text[start : start + 60] + "\n" for start in range(0, length, 60))


def _plant_motif(letters: np.ndarray, site: int, strand: str, distance: int) -> None:
    forward = strand == "+"
    start = site - distance - len(MOTIF) if forward else site + 1 + distance
    text = MOTIF if forward else MOTIF.translate(_COMPLEMENT)[::-1]
    letters[start : start + len(MOTIF)] = np.frombuffer(text.encode(), np.uint8)


def _annotation(world: _World, folder: Path) -> None:
    """GENCODE's form: genes, a canonical transcript each, a second one for every third, exons."""
    rows = ["##description: planted genes\n", f"#!genome-build {BUILD}\n"]
    for number, gene in enumerate(world.table.itertuples()):
        names = f'gene_id "{gene.gene}.1"; gene_type "protein_coding"; gene_name "{gene.symbol}";'

        def row(
            kind: str, start: int, end: int, more: str = "", gene: object = gene, names: str = names
        ) -> str:
            return f"chr{gene.chromosome}\tplanted\t{kind}\t{start + 1}\t{end}\t.\t{gene.strand}\t.\t{names}{more}\n"  # type: ignore[attr-defined]

        start, end = int(gene.start), int(gene.end)
        rows.append(row("gene", start, end))
        for copy in range(2 if number % 3 == 0 else 1):
            tag = ' tag "Ensembl_canonical";' if copy == 0 else ""
            low, high = (start + 100 * copy, end) if gene.strand == "+" else (start, end - 100 * copy)
            named = f' transcript_id "ENST{number:09d}{copy:02d}.1"; transcript_type "protein_coding";{tag}'
            rows.append(row("transcript", low, high, named))
            third = (high - low) // 3
            rows += [row("exon", low, low + third, named), row("exon", high - third, high, named)]
    _write_packed(folder / "gencode.gtf.gz", "".join(rows))


def _write_packed(path: Path, text: str) -> None:
    with atomic_path(path) as partial:
        partial.write_bytes(gzip.compress(text.encode(), mtime=0))


def _proteins(world: _World, folder: Path) -> None:
    """GENCODE's form of protein sequences."""
    random = random_generator(world.seed, "sample data", "proteins")
    letters = np.array(list(_AMINO_ACIDS))
    lines = []
    for number, gene in enumerate(world.table.itertuples()):
        protein = "M" + "".join(letters[random.integers(0, 20, int(random.integers(20, 60)))])
        lines.append(
            f">ENSP{number:011d}.1|ENST{number:09d}00.1|{gene.gene}.1|-|-|{gene.symbol}-201|{gene.symbol}|{len(protein)}\n"
            f"{protein}\n"
        )
    _write_packed(folder / "gencode.pc_translations.fa.gz", "".join(lines))


def _identifiers(world: _World, folder: Path) -> None:
    """HGNC's table as ``hgnc.tsv``, and in a mirror for ``cistron data fetch``."""
    table = world.table
    hgnc = pd.DataFrame(
        {
            "hgnc_id": [f"HGNC:{900_000 + number}" for number in range(len(table))],
            "symbol": table["symbol"],
            "name": "planted gene",
            "locus_group": "protein-coding gene",
            "status": "Approved",
            "alias_symbol": "",
            "prev_symbol": [f"OLD{number}" if number % 5 == 0 else "" for number in range(len(table))],
            "entrez_id": table["entrez"],
            "ensembl_gene_id": table["gene"],
        }
    )
    mirror = folder / "mirror" / "hgnc_complete_set" / "hgnc_complete_set.txt"
    for path in (folder / "hgnc.tsv", mirror):
        with atomic_path(path) as partial:
            hgnc.to_csv(partial, sep="\t", index=False)


def _omics(world: _World, folder: Path) -> None:
    """Matrices of genes x samples as text, Parquet and AnnData, and an embedding without a header."""
    tissues = plant_omics(world.genes, "tissues")
    frame = pd.DataFrame(np.asarray(tissues.X), tissues.obs_names, tissues.var_names).round(4)
    random = random_generator(world.seed, "sample data", "omics")
    again = frame * random.normal(1, 0.1, frame.shape).clip(0.1)
    wide = frame.join(again.round(4), rsuffix=" again").rename_axis("gene_id")
    with atomic_path(folder / "expression.tsv.gz") as partial:
        wide.to_csv(partial, sep="\t", compression={"method": "gzip", "mtime": 0})
    for name in ASSAYS:
        with atomic_path(folder / f"{name}.h5ad") as partial:
            write_anndata(plant_omics(world.genes, name), partial)
    with atomic_path(folder / "hpa.parquet") as partial:
        wide.to_parquet(partial)
    with atomic_path(folder / "uhlen.parquet") as partial:
        wide.iloc[:, ::3].add_prefix("uhlen ").to_parquet(partial)
    proteome = frame.iloc[::2, :30].mask(random.random((len(frame.iloc[::2]), 30)) < 0.2)
    with atomic_path(folder / "proteome.parquet") as partial:
        proteome.rename_axis("gene_id").to_parquet(partial)
    mine = pd.DataFrame(
        world.genes.functions + random.normal(0, 0.5, world.genes.functions.shape),
        world.table["gene"],
        [f"d{number + 1}" for number in range(world.genes.functions.shape[1])],
    )
    with atomic_path(folder / "mine.tsv") as partial:
        mine.rename_axis("gene_id").to_csv(partial, sep="\t", float_format="%.5f")


def _gwas(world: _World, folder: Path) -> None:
    """MAGMA's results of several traits, with the correlations of one."""
    gwas = plant_gwas(world.genes, traits=len(TRAITS))
    results = folder / "magma_results"
    for name, planted in zip(TRAITS, gwas.traits):
        write_genes_out(gwas.genes_out(planted), results / f"{name}.genes.out")
    write_genes_raw(
        planted_correlations(world.genes, gwas, gwas.traits[0]), results / f"{TRAITS[0]}.genes.raw"
    )


def _sets(world: _World, folder: Path) -> None:
    """Gene sets by symbol: the genes that do most of a function."""
    symbols, functions = world.table["symbol"].to_numpy(), world.genes.functions
    size = max(20, len(symbols) // 8)
    lines = [
        "\t".join([f"FUNCTION_{number + 1}", "planted", *symbols[np.argsort(-functions[:, number])[:size]]])
        for number in range(functions.shape[1])
    ]
    with atomic_path(folder / "go_bp.gmt") as partial:
        partial.write_text("\n".join(lines) + "\n")


def _labels(world: _World, folder: Path) -> None:
    """Labels by symbol with given parts: the same sets as members of terms."""
    random = random_generator(world.seed, "sample data", "labels")
    symbols, functions = world.table["symbol"].to_numpy(), world.genes.functions
    parts = random.choice(["fold1", "fold2", "fold3", "holdout"], size=len(symbols))
    frames = [
        pd.DataFrame(
            {
                "term": f"FUNCTION_{number + 1}",
                "gene": symbols,
                "member": (functions[:, number] > np.quantile(functions[:, number], 0.85)).astype(int),
                "part": parts,
            }
        )
        for number in range(min(4, functions.shape[1]))
    ]
    with atomic_path(folder / "terms.tsv") as partial:
        pd.concat(frames).to_csv(partial, sep="\t", index=False)


def _pairs(world: _World, folder: Path) -> None:
    """Pairs by symbol whose functions agree, and others at random."""
    random = random_generator(world.seed, "sample data", "pairs")
    symbols, functions = world.table["symbol"].to_numpy(), world.genes.functions
    a, b = np.triu_indices(len(symbols), 1)
    order = np.argsort(-(functions[a] * functions[b]).sum(axis=1), kind="stable")
    chosen = np.r_[order[:300], random.choice(order[300:], 600, replace=False)]
    frame = pd.DataFrame(
        {
            "gene_a": symbols[a[chosen]],
            "gene_b": symbols[b[chosen]],
            "label": np.r_[np.ones(300, int), np.zeros(600, int)],
        }
    )
    with atomic_path(folder / "lethal.tsv") as partial:
        frame.to_csv(partial, sep="\t", index=False)


def _cells(world: _World, folder: Path) -> None:
    """Single cells with types and donors."""
    settings = CellWorldSettings(
        genes=len(world.table), chromosomes=CHROMOSOMES, cells=240, cell_types=4, donors=4, dimensions=8
    )
    cells = cell_world(settings, seed=world.seed).cells
    counts = anndata.AnnData(
        cells.X,
        obs=cells.obs,
        var=pd.DataFrame({"symbol": world.table["symbol"].to_numpy()}, index=list(world.table["gene"])),
    )
    with atomic_path(folder / "cells.h5ad") as partial:
        write_anndata(counts, partial)


def _screen(world: _World, folder: Path) -> None:
    """A perturbation screen by symbol, the network it comes from, and part of that as a collection of targets."""
    settings = NetworkWorldSettings(genes=30, control_cells=300, cells_per_knockout=25)
    planted = network_world(settings, seed=world.seed)
    random = random_generator(world.seed, "sample data", "screen")
    chosen = random.choice(world.table["symbol"].iloc[len(NAMED) :], settings.genes - 1, replace=False)
    names = dict(zip(planted.cells.var_names, ["GATA1", *(name for name in chosen if name != "GATA1")]))
    cells = planted.cells.copy()
    cells.var_names = [names[name] for name in cells.var_names]
    label = cells.obs["perturbation"].astype(str)
    cells.obs = pd.DataFrame(
        {"gene": pd.Categorical([names.get(one, one) for one in label])}, index=cells.obs_names
    )
    with atomic_path(folder / "screen.h5ad") as partial:
        write_anndata(cells, partial)
    truth = planted.truth.replace({"source": names, "target": names})
    with atomic_path(folder / "known.tsv") as partial:
        truth.to_csv(partial, sep="\t", index=False, float_format="%.4f")
    with atomic_path(folder / "chip.csv") as partial:
        truth.iloc[::2][["source", "target"]].to_csv(partial, index=False)


def _marks(world: _World, folder: Path) -> None:
    """One bigWig a cell type and mark, the table of them, and expression in TPM."""
    write_bigwigs(world.marks, folder / "marks")
    tracks = pd.read_csv(folder / "marks" / "tracks.tsv", sep="\t")
    tracks["path"] = "marks/" + tracks["path"]
    with atomic_path(folder / "TRACKS.tsv") as partial:
        tracks.to_csv(partial, sep="\t", index=False)
    (folder / "marks" / "expression.tsv").rename(folder / "TPM.tsv")
    for name in ("tracks.tsv", "genes.tsv"):
        (folder / "marks" / name).unlink()


def _variants(world: _World, folder: Path) -> None:
    """Substitutions near start sites in two people."""
    random = random_generator(world.seed, "sample data", "variants")
    fasta = _letters(folder / "hg38.fa")
    rows: list[str] = []
    for gene in world.table.iloc[:: max(1, len(world.table) // 40)].itertuples():
        chromosome, place = f"chr{gene.chromosome}", _site(gene) - int(random.integers(20, 400))
        reference = fasta[chromosome][place]
        alternative = str(random.choice([letter for letter in "ACGT" if letter != reference]))
        first, second = random.integers(0, 2, 2)
        rows.append(
            f"{chromosome}\t{place + 1}\trs{len(rows) + 1}\t{reference}\t{alternative}\t50\tPASS\t.\tGT\t{first}|{second}\t0|1\n"
        )
    lengths = "".join(f"##contig=<ID={name},length={len(letters)}>\n" for name, letters in fasta.items())
    head = (
        f'##fileformat=VCFv4.2\n##reference={BUILD}\n{lengths}##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\n'
        "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tHG00096\tHG00097\n"
    )
    _write_packed(folder / "cohort.vcf.gz", head + "".join(rows))
    with atomic_path(folder / "regions.bed") as partial:
        partial.write_text(
            "".join(
                f"chr{gene.chromosome}\t{_site(gene) - 1000}\t{_site(gene) + 1000}\t{gene.symbol}\n"
                for gene in world.table.iloc[::60].itertuples()
            )
        )


def _homology(world: _World, folder: Path) -> None:
    """Sizes of chromosomes of three genomes, a net between two of them, and regions to leave out."""
    lengths = {name: len(letters) for name, letters in _letters(folder / "hg38.fa").items()}
    names, blocks, lines = list(lengths), 150_000, []
    mouse = {f"chr{number + 1}": 380_000 for number in range(19)}
    for number, (name, length) in enumerate(lengths.items()):
        lines.append(f"net {name} {length}\n")
        for part, start in enumerate(range(10_000, length - blocks, 180_000)):
            other = f"chr{number % 19 + 1}"
            lines.append(
                f" fill {start} {blocks} {other} {'+-'[part % 2]} {10_000 + 190_000 * (part % 2)} {blocks} id {len(lines)} "
                f"score 1000 ali {blocks} type top\n"
            )
    _write_packed(folder / "hg38.mm10.syn.net.gz", "".join(lines))
    sizes = {
        "hg38.sizes": lengths,
        "mm10.sizes": mouse,
        "dm6.sizes": {"chr2L": 400_000, "chr2R": 350_000, "chrX": 300_000},
    }
    for file, of in sizes.items():
        with atomic_path(folder / file) as partial:
            partial.write_text("".join(f"{name}\t{length}\n" for name, length in of.items()))
    beds = {
        "hg38_gaps.bed": [(name, 0, 100) for name in names],
        "mm10_gaps.bed": [(name, 0, 100) for name in mouse],
        "hg38_unmappable.bed": [(name, 30_000, 31_000) for name in names],
        "hg38_blacklist.bed": [(names[0], 60_000, 62_000)],
    }
    for file, rows in beds.items():
        with atomic_path(folder / file) as partial:
            partial.write_text("".join(f"{name}\t{start}\t{end}\n" for name, start, end in rows))


def _signal(world: _World, folder: Path) -> None:
    """Two tracks along the genome (DNase around start sites, CAGE at them, by the level of the gene), and their targets table."""
    import pybigtools

    random = random_generator(world.seed, "sample data", "signal")
    lengths = {name: len(letters) for name, letters in _letters(folder / "hg38.fa").items()}
    (folder / "signal").mkdir(exist_ok=True)
    rows = []
    for name, half, statistic in (("DNASE:liver", 300, "mean"), ("CAGE:liver", 64, "sum")):
        found = {
            chromosome: random.gamma(1.0, 0.1, -(-length // 32)) for chromosome, length in lengths.items()
        }
        for gene in world.table.itertuples():
            middle = np.arange(len(found[f"chr{gene.chromosome}"])) * 32 + 16
            near = np.exp(-0.5 * ((middle - _site(gene)) / half) ** 2)
            found[f"chr{gene.chromosome}"] += 2 * gene.level * near
        file = f"signal/{name.replace(':', '_')}.bw"
        intervals = (
            (chromosome, 32 * number, min(32 * number + 32, lengths[chromosome]), float(value))
            for chromosome in sorted(lengths)
            for number, value in enumerate(found[chromosome])
        )
        pybigtools.open(str(folder / file), "w").write(lengths, intervals)
        rows.append((name, file, 384, 1 if statistic == "sum" else 2, statistic, name))
    columns = ["identifier", "file", "clip", "scale", "sum_stat", "description"]
    with atomic_path(folder / "signal_targets.txt") as partial:
        pd.DataFrame(rows, columns=columns).to_csv(partial, sep="\t", index_label="index")
    matrix = np.full((len(MOTIF), 4), 0.01)
    matrix[np.arange(len(MOTIF)), ["ACGT".index(letter) for letter in MOTIF]] = 0.97
    body = "\n".join(" ".join(f"{value:.2f}" for value in row) for row in matrix)
    with atomic_path(folder / "motifs.meme") as partial:
        partial.write_text(
            "MEME version 4\n\nALPHABET= ACGT\n\nstrands: + -\n\nBackground letter frequencies\nA 0.25 C 0.25 G 0.25 T 0.25\n\n"
            f"MOTIF planted promoter\nletter-probability matrix: alength= 4 w= {len(MOTIF)} nsites= 100 E= 0\n{body}\n"
        )


def _letters(path: Path) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    for line in path.read_text().splitlines():
        if line.startswith(">"):
            parts = found.setdefault(line[1:].split()[0], [])
        else:
            parts.append(line)
    return {name: "".join(parts) for name, parts in found.items()}
