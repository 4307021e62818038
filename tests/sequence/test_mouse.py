"""Mouse genes through ``cistron sequence embed``: ids, versions, builds, and whose CAGE chooses the bin.

Places of genes and start sites are real (mm10, chromosome 19); the DNA is made up, because no mouse genome is at hand.
"""

import gzip

import numpy as np
import pandas as pd
import pytest
import torch

from cistron.formats import read_gene_embedding
from cistron.formats.tracks import open_tracks
from cistron.genome import Genome
from cistron.sequence import load_weights

LENGTH, CROP, BINS = 16_384, 16, 96
CHROMOSOME_END = 3_960_000


@pytest.fixture(scope="module")
def mouse(test_data, tmp_path_factory):
    """Genes of the first megabase of mouse chromosome 19, and a FASTA that begins with 3 Mb of N, as the real one does."""
    folder = tmp_path_factory.mktemp("mouse")
    pairs = pd.read_parquet(test_data / "genes/mm10_genes/hg38_mm10_same_symbol_gene_pairs.parquet")
    orthologs = pd.read_csv(
        test_data / "genes/xpresso_hg38_promoters/human2mouse_one2one_orthologs.txt.gz",
        sep="\t",
        names=["human", "mouse", "kind"],
    ).set_index("human")["mouse"]
    sites = pd.read_csv(
        test_data / "genes/mm10_genes/mm10_tss.bed.gz",
        sep="\t",
        comment="#",
        names=["chromosome", "start", "end", "strand", "number", "name"],
    )
    sites = sites[sites["chromosome"] == "chr19"]
    genes = pairs[(pairs["mm10_chrom"] == "chr19") & (pairs["end_m"] < CHROMOSOME_END)]
    genes = genes.assign(mouse=genes["Ensembl_ID"].map(orthologs)).dropna(subset="mouse").sort_values("tss_m")
    rows = []
    for gene in genes.itertuples():
        symbol = gene.name.capitalize()
        names = f'gene_id "{gene.mouse}.7"; gene_type "protein_coding"; gene_name "{symbol}";'
        inside = sites[(sites["strand"] == gene.strand_m) & sites["start"].between(gene.start_m, gene.end_m)]
        for number, site in enumerate(sorted({gene.tss_m, *inside["start"]})):
            start, end = (site + 1, site + 500) if gene.strand_m == "+" else (site - 498, site + 1)
            tag = ' tag "Ensembl_canonical";' if site == gene.tss_m else ""
            transcript = f'transcript_id "ENSMUST0000{gene.Index}{number}.2";{tag}'
            rows.append(
                f"chr19\tx\ttranscript\t{start}\t{end}\t.\t{gene.strand_m}\t.\t{names} {transcript}\n"
            )
    with gzip.open(folder / "genes.gtf.gz", "wt") as handle:
        handle.write("##description: evidence-based annotation of the mouse genome (GRCm38), version M25\n")
        handle.writelines(rows)
    dna = np.full(CHROMOSOME_END, ord("N"), np.uint8)
    known = dna[3_000_000:]
    known[:] = np.frombuffer(b"ACGT", np.uint8)[np.random.default_rng(19).integers(0, 4, len(known))]
    (folder / "mm10.fa").write_bytes(b">19\n" + dna.tobytes() + b"\n")
    return folder, genes


def _arguments(folder, model, output, *more):
    return (
        *("sequence", "embed", "--genome", folder / "mm10.fa", "--annotation", folder / "genes.gtf.gz"),
        *("--weights", model, "--output", output, "--organism", "mouse", "--threads", 1, *more),
    )


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    from cistron.cli import main

    folder = tmp_path_factory.mktemp("model") / "model"
    assert main(["sequence", "initialise", str(folder), "--quiet"]) == 0
    return folder


def test_mouse_genes(run, mouse, model, tmp_path):
    folder, genes = mouse
    more = ("--build", "mm10", "--output-tracks", tmp_path / "t.zarr")
    code, _, errors = run(*_arguments(folder, model, tmp_path / "e.h5ad", *more))
    assert code == 0, errors
    found = read_gene_embedding(tmp_path / "e.h5ad")
    header = found.uns["cistron"]
    assert header["genome_build"] == "GRCm38"
    assert header["identifier_namespace"] == "ensembl"
    assert list(found.obs_names) == list(genes["mouse"])  # without versions
    assert found.obs_names.str.startswith("ENSMUSG").all()
    assert found.n_obs >= 13
    assert "Cpt1a" in set(found.obs["symbol"])
    assert (found.obs["canonical_start_site"].to_numpy() == genes["tss_m"].to_numpy()).all()
    assert set(found.obs["strand"]) == {"+", "-"}
    store = open_tracks(tmp_path / "t.zarr")
    assert store.tracks["organism"].unique().tolist() == ["mouse"]
    assert store.values.shape == (found.n_obs, 1, 4, 1)
    _bins_are_of_mouse_cage(folder, model, found)


def _bins_are_of_mouse_cage(folder, model, found):
    """The chosen bin is that of the highest mouse CAGE; human CAGE would choose another for some genes."""
    loaded, genome = load_weights(model), Genome(folder / "mm10.fa", "mm10")
    text = gzip.open(folder / "genes.gtf.gz", "rt").read()
    differ = 0
    for gene, row in found.obs[found.obs["start_sites"] > 1].iterrows():
        rows = [line.split("\t") for line in text.splitlines() if f'"{gene}.' in line]
        sites = {int(fields[3 if row["strand"] == "+" else 4]) - 1 for fields in rows}
        start = row["canonical_start_site"] - LENGTH // 2
        with torch.no_grad():
            window = torch.from_numpy(genome.window("chr19", start, start + LENGTH))[None]
            tracks = loaded(window, organisms=["human", "mouse"])
        bins = [(site - start) // 128 - CROP for site in sites]
        bins = [number for number in bins if 0 <= number < BINS]
        level = {name: values[0].numpy() for name, values in tracks.items()}
        best = max(bins, key=lambda number: level["mouse"][number, 2:].mean())
        assert row["bin_start"] == start + (CROP + best) * 128, gene
        differ += best != max(bins, key=lambda number: level["human"][number, 4:].mean())
    assert differ > 0


def test_symbols_of_mouse_genes(run, mouse, model, tmp_path):
    wanted = tmp_path / "wanted.txt"
    wanted.write_text("Cpt1a\nGal\n")
    more = ("--build", "GRCm38", "--genes", wanted)
    code, _, errors = run(*_arguments(mouse[0], model, tmp_path / "e.h5ad", *more))
    assert code == 0, errors
    assert sorted(read_gene_embedding(tmp_path / "e.h5ad").obs["symbol"]) == ["Cpt1a", "Gal"]


def test_builds_of_the_mouse_are_told_apart(fails, mouse, model, tmp_path):
    folder, _ = mouse
    for build in ("mm39", "GRCh38"):
        message = fails(*_arguments(folder, model, tmp_path / "e.h5ad", "--build", build))
        assert "annotation genes.gtf.gz is of GRCm38" in message
    assert "is not known" in fails(
        *_arguments(folder, model, tmp_path / "e.h5ad")
    )  # chromosome 1 is not there
