"""``cistron sequence embed``: the rules of start sites, end to end, shards, real genes, bad input."""

import gzip
import shutil

import anndata
import numpy as np
import pandas as pd
import pytest
import torch

from cistron.errors import InputError
from cistron.formats import check_gene_embedding, read_gene_embedding
from cistron.formats.tracks import open_tracks
from cistron.genome import Genome, PersonSettings
from cistron.sequence import MODELS, PRESETS, DnaEmbedder, embed, load_weights, save_weights
from cistron.sequence.gene_vectors import embed_genes
from cistron.sequence.inputs_gene_sites import annotation_build, gene_sites, read_gene_sites, site_bins
from cistron.sequence.random_model import random_model
from cistron.sequence.settings import GeneEmbeddingSettings
from cistron.world.sequence import planted_genome, write_planted_genome

LENGTH, CROP, BINS = 16_384, 16, 96
CAGE = np.array([4, 5, 6, 7])


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    write_planted_genome(planted_genome(), folder)
    model, tracks = random_model(PRESETS["small"], seed=1)
    save_weights(model, folder / "model", tracks=tracks, origin={"weights": "random"})
    return folder


def _arguments(world, output, *more):
    return (
        *("sequence", "embed", "--genome", world / "genome.fa", "--annotation", world / "genes.gtf"),
        *("--weights", world / "model", "--output", output, "--build", "planted", "--threads", 1, *more),
    )


@pytest.fixture(scope="module")
def embedding(world):
    from cistron.cli import main

    assert main([*map(str, _arguments(world, world / "genes.h5ad")), "--quiet"]) == 0
    return read_gene_embedding(world / "genes.h5ad")


def test_every_gene_is_the_trunk_at_its_most_active_start_site(world, embedding):
    """Written again without the package's loops: one gene, one window, a maximum by hand."""
    assert check_gene_embedding(embedding) == []
    planted = planted_genome().genes.set_index("gene")
    assert list(embedding.obs_names) == list(planted.index)
    model = load_weights(world / "model")
    genome = Genome(world / "genome.fa", build="planted")
    several = 0
    for gene, row in planted.iterrows():
        start = row["canonical"] - LENGTH // 2
        with torch.no_grad():
            one_hot = torch.from_numpy(genome.window(row["chromosome"], start, start + LENGTH))[None]
            trunk = model.embed(one_hot)
            cage = model.predict(trunk)["human"][0, :, 4:].mean(1).numpy()
        bins = {(site - start) // 128 - CROP for site in row["sites"]}
        several += len(bins) > 1
        best = max((number for number in bins if 0 <= number < BINS), key=lambda number: cage[number])
        assert embedding.obs.loc[gene, "bin_start"] == start + (CROP + best) * 128
        found = np.asarray(embedding[gene].X)[0]
        assert np.abs(found - trunk[0, best].numpy()).max() < 1e-5
    assert several > 3  # the choice was a choice


def test_both_strands_and_the_ends_are_right(embedding):
    """A start site lies inside its bin, whatever the strand, and near the ends of the chromosome as well."""
    planted = planted_genome().genes
    assert set(planted["strand"]) == {"+", "-"}
    for gene in planted.itertuples():
        row = embedding.obs.loc[gene.gene]
        assert any(row["bin_start"] <= site < row["bin_start"] + 128 for site in gene.sites)
        assert row["canonical_start_site"] == gene.canonical
    assert planted["canonical"].min() < LENGTH // 2  # windows of some genes begin before the chromosome


def test_same_answer_in_shards_and_batches(run, world, embedding, tmp_path):
    more = ("--shard-size", 5, "--batch-size", 3)
    code, output, errors = run(*_arguments(world, tmp_path / "e.h5ad", *more))
    assert code == 0, errors
    assert "12 genes x 192 dimensions" in output
    again = read_gene_embedding(tmp_path / "e.h5ad")
    assert np.abs(np.asarray(again.X) - np.asarray(embedding.X)).max() < 1e-5
    assert sorted(path.name for path in tmp_path.iterdir()) == ["e.h5ad", "e.h5ad.run.json"]


def test_a_shard_is_a_function_of_plain_values(world, embedding, tmp_path):
    """What is sent to another machine is JSON and a path; the worker opens model and genome itself."""
    import json
    from dataclasses import asdict

    genome = Genome(world / "genome.fa", build="planted")
    genes = read_gene_sites(world / "genes.gtf", genome)[3:5]
    arguments = {
        "genes": [asdict(gene) for gene in genes],
        "model": str(world / "model"),
        "genome": str(world / "genome.fa"),
        "build": "planted",
        "ambiguous": "error",
        "cage": CAGE.tolist(),
        "settings": asdict(GeneEmbeddingSettings()),
    }
    embed.embed_shard(tmp_path / "s.npz", **json.loads(json.dumps(arguments)))
    with np.load(tmp_path / "s.npz") as found:
        assert list(found["gene"]) == ["PLANTED0003", "PLANTED0004"]
        assert np.abs(found["embedding"] - np.asarray(embedding.X)[3:5]).max() < 1e-5


def test_an_interrupted_run_goes_on(run, world, embedding, tmp_path, monkeypatch):
    seen = []
    original = embed.embed_genes

    def interrupted(model, genome, genes, *rest):
        if len(seen) == 2:
            raise KeyboardInterrupt
        seen.append([gene.gene for gene in genes])
        return original(model, genome, genes, *rest)

    monkeypatch.setattr(embed, "embed_genes", interrupted)
    arguments = _arguments(world, tmp_path / "e.h5ad", "--shard-size", 4)
    assert run(*arguments)[0] == 130
    assert not (tmp_path / "e.h5ad").exists()
    seen.pop()
    assert run(*arguments)[0] == 0
    assert seen[-1][0] == "PLANTED0008"
    again = read_gene_embedding(tmp_path / "e.h5ad")
    assert (np.asarray(again.X) == np.asarray(embedding.X)).all()


def test_each_start_site_may_have_its_own_window(world):
    model = load_weights(world / "model")
    genome = Genome(world / "genome.fa", build="planted")
    genes = [gene for gene in read_gene_sites(world / "genes.gtf", genome) if len(gene.sites) > 1][:2]
    settings = GeneEmbeddingSettings(windows="each")
    found = embed_genes(model, genome, genes, CAGE, settings)
    for row, gene in enumerate(genes):
        options = []
        for site in gene.sites:
            start = site - LENGTH // 2
            with torch.no_grad():
                one_hot = torch.from_numpy(genome.window(gene.chromosome, start, start + LENGTH))[None]
                trunk = model.embed(one_hot)
                cage = model.predict(trunk)["human"][0, BINS // 2, 4:].mean().item()
            options.append((cage, trunk[0, BINS // 2].numpy()))
        assert np.abs(found["embedding"][row] - max(options, key=lambda pair: pair[0])[1]).max() < 1e-5


def test_neighbouring_bins_are_averaged(world, embedding):
    model = load_weights(world / "model")
    genome = Genome(world / "genome.fa", build="planted")
    gene = read_gene_sites(world / "genes.gtf", genome)[0]
    found = embed_genes(model, genome, [gene], CAGE, GeneEmbeddingSettings(neighbours=1))
    start = gene.canonical - LENGTH // 2
    best = (int(found["start"][0]) - start) // 128 - CROP
    with torch.no_grad():
        trunk = model.embed(torch.from_numpy(genome.window("chr1", start, start + LENGTH))[None])[0]
    assert np.abs(found["embedding"][0] - trunk[best - 1 : best + 2].mean(0).numpy()).max() < 1e-5


def _sites(rows):
    columns = ["gene", "chromosome", "position", "strand", "canonical"]
    return pd.DataFrame(rows, columns=columns).assign(symbol="S", biotype="protein_coding", transcript="T")


def test_canonical_start_site():
    tagged = _sites([("g", "1", 10, "+", False), ("g", "1", 30, "+", True), ("g", "1", 10, "+", False)])
    assert gene_sites(tagged)[0].canonical == 30
    assert gene_sites(tagged)[0].sites == (10, 30)
    common = _sites([("g", "1", 10, "+", False), ("g", "1", 30, "+", False), ("g", "1", 30, "+", False)])
    assert gene_sites(common)[0].canonical == 30
    for strand, upstream in (("+", 10), ("-", 30)):
        equal = _sites([("g", "1", 10, strand, False), ("g", "1", 30, strand, False)])
        assert gene_sites(equal)[0].canonical == upstream
    pseudoautosomal = _sites([("g", "X", 10, "+", False), ("g", "Y", 99, "+", True)])
    assert gene_sites(pseudoautosomal)[0].sites == (10,)


def test_bins_of_start_sites():
    # a window from 1,000 whose first two bins are cropped: bin 0 is 1,256..1,383
    sites = np.array([900, 1255, 1256, 1383, 1384, 1639, 1640])
    assert site_bins(sites - 1000, 2, 3).tolist() == [-1, -1, 0, 0, 1, 2, -1]


@pytest.mark.parametrize(
    ("comment", "build"),
    [
        ("#!genome-build GRCh38.p14", "GRCh38"),
        ("##description: evidence-based annotation of the human genome (GRCh38), version 44", "GRCh38"),
        (
            "##description: annotation of the human genome (GRCh38), version 44, mapped to GRCh37 with x",
            "GRCh37",
        ),
        ("##description: evidence-based annotation of the mouse genome (GRCm39)", "GRCm39"),
        ("##provider: GENCODE", ""),
    ],
)
def test_build_of_an_annotation(tmp_path, comment, build):
    path = tmp_path / "a.gtf.gz"
    with gzip.open(path, "wt") as handle:
        handle.write(f'##provider\n{comment}\nchr1\tx\tgene\t1\t2\t.\t+\t.\tgene_id "g";\n')
    assert annotation_build(path) == build


def _gtf_of_bounds(path, bounds: pd.DataFrame, build="GRCh38"):
    """Write real gene bounds (GENCODE genes, hg38) as a GTF with one transcript a gene."""
    rows = []
    for row in bounds.itertuples():
        names = f'gene_id "{row.gene}.3"; gene_type "{row.biotype}"; gene_name "{row.symbol}"; transcript_id "T.{row.gene}";'
        rows.append(
            f"{row.chromosome}\tGENCODE\ttranscript\t{row.start + 1}\t{row.end}\t.\t{row.strand}\t.\t{names}\n"
        )
    path.write_text(f"#!genome-build {build}\n" + "".join(rows))
    return path


@pytest.fixture(scope="module")
def bounds(test_data):
    path = test_data / "sequence/EngreitzLab_CRISPR_comparison/CollapsedGeneBounds.hg38.bed.gz"
    names = ["chromosome", "start", "end", "symbol", "score", "strand", "gene", "biotype"]
    return pd.read_csv(path, sep="\t", comment="#", names=names)


def test_start_sites_agree_with_cage(test_data, bounds, tmp_path):
    """Against 18,413 start sites corrected by CAGE: ours are near, those of the wrong strand are a gene away."""
    path = test_data / "genes/xpresso_hg38_promoters/hg38_promoters_cage_corrected.bed.gz"
    table = pd.read_csv(path, sep="\t", header=None, usecols=[0, 1, 2, 3, 5])
    table.columns = ["chromosome", "start", "end", "gene", "strand"]
    corrected = ((table["start"] + table["end"]) // 2).set_axis(table["gene"])
    coding = bounds[(bounds["biotype"] == "protein_coding") & bounds["gene"].isin(table["gene"])]
    coding = coding.drop_duplicates("gene")
    flipped = coding.assign(strand=coding["strand"].map({"+": "-", "-": "+"}))
    medians = []
    for rows in (coding, flipped):
        from cistron.genes.annotation import read_transcription_start_sites

        genes = gene_sites(read_transcription_start_sites(_gtf_of_bounds(tmp_path / "a.gtf", rows)))
        ours = pd.Series({gene.gene: gene.canonical for gene in genes})
        both = pd.concat([ours, corrected], axis=1, join="inner", keys=["ours", "cage"])
        assert len(both) > 16_000
        medians.append((both["ours"] - both["cage"]).abs().median())
    assert medians[0] < 128  # within a bin
    assert medians[1] > 10_000


def test_real_genes_on_real_dna(run, test_data, bounds, tmp_path):
    """hg38 chr1:1-1,000,000 and the GENCODE genes in it, small random model."""
    fasta = test_data / "sequence/baskerville_tiny/hg38_1m.fa.gz"
    inside = bounds[(bounds["chromosome"] == "chr1") & (bounds["end"] <= 1_000_000)].drop_duplicates("gene")
    annotation = _gtf_of_bounds(tmp_path / "genes.gtf", inside)
    assert run("sequence", "initialise", tmp_path / "model")[0] == 0
    code, _, errors = run(
        *(
            "sequence",
            "embed",
            "--genome",
            fasta,
            "--annotation",
            annotation,
            "--weights",
            tmp_path / "model",
        ),
        *("--output", tmp_path / "e.h5ad", "--build", "hg38", "--biotypes", ""),
    )
    assert code == 0, errors
    embedding = anndata.read_h5ad(tmp_path / "e.h5ad")
    assert embedding.n_obs == len(inside)
    assert embedding.uns["cistron"]["genome_build"] == "GRCh38"
    assert embedding.uns["cistron"]["identifier_namespace"] == "ensembl"
    start = embedding.obs.loc["ENSG00000187634", "bin_start"]  # SAMD11, plus strand, starts at 925,740
    assert start <= 925_740 < start + 128
    start = embedding.obs.loc["ENSG00000188976", "bin_start"]  # NOC2L, minus strand, ends at 959,299
    assert start <= 959_298 < start + 128
    assert (
        len(np.unique(np.asarray(embedding.X), axis=0)) >= embedding.n_obs - 1
    )  # FAM138A and F share a start


def test_genes_without_any_base_are_left_out(world, tmp_path):
    fasta, annotation = tmp_path / "g.fa", tmp_path / "g.gtf"
    fasta.write_text(">chr1\n" + "N" * 40_000 + "ACGT" * 5_000 + "\n")
    row = 'chr1\tx\ttranscript\t{}\t{}\t.\t+\t.\tgene_id "{}"; gene_type "protein_coding";\n'
    annotation.write_text(row.format(10_000, 11_000, "masked") + row.format(50_000, 51_000, "seen"))
    genome = Genome(fasta, build="toy")
    genes = read_gene_sites(annotation, genome)
    found = embed.embed_annotation(genes, genome, world / "model", CAGE, tmp_path / "e.h5ad")
    assert list(found.obs_names) == ["seen"]
    with pytest.raises(InputError, match="no gene has any base"):
        embed.embed_annotation(genes[:1], genome, world / "model", CAGE, tmp_path / "f.h5ad")


def test_wanted_genes(run, fails, world, tmp_path):
    wanted = tmp_path / "wanted.txt"
    wanted.write_text("PLANTED0003\nPL5\n")
    code, _, errors = run(*_arguments(world, tmp_path / "e.h5ad", "--genes", wanted))
    assert code == 0, errors
    assert list(read_gene_embedding(tmp_path / "e.h5ad").obs_names) == ["PLANTED0003", "PLANTED0005"]
    wanted.write_text("PLANTED0003\nTP53\n")
    assert "1 of 2 wanted genes are not in genes.gtf" in fails(
        *_arguments(world, tmp_path / "f.h5ad", "--genes", wanted)
    )
    code, *_ = run(*_arguments(world, tmp_path / "f.h5ad", "--genes", wanted, "--allow-loss"))
    assert code == 0


@pytest.mark.parametrize(
    ("text", "replaced", "words"),
    [
        ("#!genome-build planted", "#!genome-build GRCh37", "is of GRCh37, genome genome.fa of planted"),
        ("chr2", "chr9", "lie on chromosomes that genome.fa lacks"),
        ("\t59601\t", "\t159601\t", "is genes.gtf of another genome build"),
        ("protein_coding", "lncRNA", "has no protein_coding genes; its biotypes are lncRNA"),
        ("gene_id", "id", "no gene_id; expected one in each row of a GTF"),
    ],
)
def test_annotations_of_another_genome(fails, world, tmp_path, text, replaced, words):
    for name in ("genome.fa", "genes.gtf", "model"):
        source = world / name
        shutil.copytree(source, tmp_path / name) if source.is_dir() else shutil.copy(source, tmp_path / name)
    annotation = tmp_path / "genes.gtf"
    whole = annotation.read_text()
    assert text in whole
    changed = whole.replace(text, replaced)
    if "59601" in text:
        changed = "\n".join(
            line.replace("\t59900\t", "\t159900\t") if "159601" in line else line
            for line in changed.splitlines()
        )
    annotation.write_text(changed)
    assert words in fails(*_arguments(tmp_path, tmp_path / "e.h5ad"))
    assert not (tmp_path / "e.h5ad").exists()


def test_bad_options(fails, world, tmp_path):
    for words, more in [
        ("numbered 0 to 7", ("--cage", "11")),
        ("0 or more", ("--neighbours", "-1")),
        ("1 or more", ("--shard-size", "0")),
        ("does not exist", ("--genes", tmp_path / "none.txt")),
    ]:
        assert words in fails(*_arguments(world, tmp_path / "e.h5ad", *more))
    assert ".h5ad" in fails(*_arguments(world, tmp_path / "e.parquet"))
    nameless = tmp_path / "model"
    shutil.copytree(world / "model", nameless)
    (nameless / "tracks.tsv").unlink()
    arguments = list(_arguments(world, tmp_path / "e.h5ad"))
    arguments[arguments.index("--weights") + 1] = nameless
    assert "no human track is described as CAGE" in fails(*arguments)


def test_estimator_gives_what_the_commands_give(world, embedding, tmp_path):
    embedder = DnaEmbedder(world / "model", seed=7)
    fasta = world / "genome.fa"
    found = embedder.embed(fasta, world / "genes.gtf", tmp_path / "e.h5ad", build="planted", threads=1)
    assert np.abs(np.asarray(found.X) - np.asarray(embedding.X)).max() < 1e-5
    assert read_gene_embedding(tmp_path / "e.h5ad").uns["cistron"]["seed"] == 7
    (tmp_path / "r.bed").write_text("chr1\t30000\t30001\n")
    tracks = {"mouse": ["CAGE:"]}
    store = embedder.predict(fasta, tmp_path / "r.bed", tmp_path / "t.zarr", tracks=tracks, build="planted")
    assert store.tracks["identifier"].tolist() == ["mouse_2", "mouse_3"]
    assert np.isfinite(np.asarray(store.values[:])).all()


def test_estimator_takes_tracks_by_number_or_word_and_says_what_it_read(world, tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr("cistron.sequence.estimator.say", said.append)
    fasta, genes, output = world / "genome.fa", world / "genes.gtf", tmp_path / "e.h5ad"
    embedder = DnaEmbedder(world / "model")
    assert embedder.organisms == ["human", "mouse"]
    found = [
        embedder.embed(fasta, genes, output, build="planted", cage=cage, threads=1, genes=["PLANTED0001"]).X
        for cage in (CAGE, ["CAGE:"], None)
    ]
    for values in found[1:]:
        np.testing.assert_array_equal(np.asarray(values), np.asarray(found[0]))
    with pytest.raises(InputError, match="give it, too"):
        embedder.embed(fasta, genes, output, build="planted", tracks=["CAGE:"])
    place = planted_genome().genes.set_index("gene").loc["PLANTED0001"]
    letter = planted_genome().chromosomes[place["chromosome"]][1000]
    (tmp_path / "v.vcf").write_text(
        "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tann\n"
        f"{place['chromosome']}\t1001\t.\t{letter}\t{'C' if letter != 'C' else 'A'}\t.\tPASS\t.\tGT\t1|1\n"
    )
    person = PersonSettings(tmp_path / "v.vcf", "ann")
    embedder.embed(fasta, genes, output, build="planted", person=person, genes=["PLANTED0001"], threads=1)
    assert [line for line in said if line.startswith("v.vcf: 1 variants of sample ann")]


def test_every_listed_model_is_there():
    import importlib

    for model in MODELS:
        module, name = model.make.split(":")
        assert callable(getattr(importlib.import_module(module), name))


def test_real_training_sequences_of_both_species(run, test_data, tmp_path):
    """Two human and two mouse sequences of the baskerville set, written as FASTA, through ``predict``."""
    lines, regions = [], []
    for species in ("hg38", "mm10"):
        with np.load(test_data / f"sequence/baskerville_tiny/{species}_tiny_seq_targets.npz") as arrays:
            codes = arrays[next(name for name in arrays.files if name.startswith("sequence"))][:2]
        for number, row in enumerate(codes):
            lines.append(f">{species}_{number}\n{''.join(np.array(list('ACGTN'))[row])}\n")
            regions.append(f"{species}_{number}\t60000\t70000\n")
    (tmp_path / "s.fa").write_text("".join(lines))
    (tmp_path / "r.bed").write_text("".join(regions))
    assert run("sequence", "initialise", tmp_path / "model")[0] == 0
    code, output, errors = run(
        *("sequence", "predict", "--genome", tmp_path / "s.fa", "--regions", tmp_path / "r.bed"),
        *(
            "--weights",
            tmp_path / "model",
            "--output",
            tmp_path / "t.zarr",
            "--build",
            "mixed",
            "--organism",
            "both",
        ),
    )
    assert code == 0, errors
    assert "4 regions x 12 tracks x 96 bins" in output
    store = open_tracks(tmp_path / "t.zarr")
    assert np.asarray(store.values[:]).std(axis=0).min() > 0
