"""``cistron sequence embed`` and ``predict`` with a person's DNA, and predicted tracks of genes."""

import shutil

import numpy as np
import pytest
import torch

from cistron.formats import read_gene_embedding
from cistron.formats.tracks import check_tracks, open_tracks
from cistron.genome import Genome, PersonSettings, one_hot, open_genome
from cistron.sequence import PRESETS, DnaEmbedder, load_weights, save_weights
from cistron.sequence.gene_vectors import embed_genes
from cistron.sequence.inputs_gene_sites import read_gene_sites
from cistron.sequence.random_model import random_model
from cistron.sequence.settings import GeneEmbeddingSettings, InferenceSettings
from cistron.world.sequence import planted_genome, write_planted_genome

LENGTH, CROP = 16_384, 16
CAGE = np.array([4, 5, 6, 7])
GENE = "PLANTED0004"  # in the middle of chromosome 1
HEADER = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tann\tbob\n"


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Planted genome, small random model, and a VCF of two samples around one gene of chromosome 1."""
    folder = tmp_path_factory.mktemp("world")
    planted = planted_genome()
    write_planted_genome(planted, folder)
    model, tracks = random_model(PRESETS["small"], seed=1)
    save_weights(model, folder / "model", tracks=tracks, origin={"weights": "random"})
    dna = planted.chromosomes["chr1"]
    place = int(planted.genes.set_index("gene").loc[GENE, "canonical"])
    other = {"A": "C", "C": "G", "G": "T", "T": "A"}
    rows = []
    for number in range(-40, 40):  # substitutions on the first haplotype, near the start site
        at = place + 3 * number + 1
        rows.append((at, dna[at], other[dna[at]], "1|0", "0|0"))
    start = place - 2_000  # on the second, 300 letters come in and, further up, 200 are gone
    rows.append((start, dna[start], dna[start] + "ACGTTGCAAC" * 30, "0|1", "1|1"))
    rows.append((start - 3_000, dna[start - 3_000 : start - 2_799], dna[start - 3_000], "0|1", "0|0"))
    rows.append((50, dna[50], "<INS>", "0|1", "1/0"))
    lines = [
        f"1\t{at + 1}\t.\t{reference}\t{alternative}\t.\tPASS\t.\tGT\t{ann}\t{bob}\n"
        for at, reference, alternative, ann, bob in sorted(rows)
    ]
    (folder / "people.vcf").write_text(HEADER + "".join(lines))
    return folder


def _arguments(world, output, *more):
    return (
        *("sequence", "embed", "--genome", world / "genome.fa", "--annotation", world / "genes.gtf"),
        *("--weights", world / "model", "--output", output, "--build", "planted", "--threads", 1, *more),
    )


def _person(world, sample="ann", haplotype="both"):
    return open_genome(
        world / "genome.fa", "planted", person=PersonSettings(world / "people.vcf", sample, haplotype)
    )


@pytest.fixture(scope="module")
def reference(world):
    from cistron.cli import main

    more = ("--output-tracks", world / "genes.zarr", "--tracks", "1-3", "CAGE:", "--track-neighbours", 1)
    assert main([*map(str, _arguments(world, world / "genes.h5ad", *more)), "--quiet"]) == 0
    return read_gene_embedding(world / "genes.h5ad")


def test_tracks_are_the_mean_around_the_bin_of_the_vector(world, reference):
    """Written again by hand: one window a gene, three bins around the one that the embedding names."""
    assert check_tracks(world / "genes.zarr") == []
    store = open_tracks(world / "genes.zarr")
    assert list(store.sequences["name"]) == list(reference.obs_names)
    assert store.values.shape == (12, 1, 7, 1)
    assert store.tracks["index"].tolist() == [1, 2, 3, 4, 5, 6, 7]
    assert store.header["genome_build"] == "planted"
    assert (store.sequences["end"] - store.sequences["start"] == 3 * 128).all()
    model, genome = load_weights(world / "model"), Genome(world / "genome.fa", "planted")
    for number, (gene, row) in enumerate(reference.obs.iterrows()):
        start = row["canonical_start_site"] - LENGTH // 2
        with torch.no_grad():
            window = torch.from_numpy(genome.window(row["chromosome"], start, start + LENGTH))[None]
            tracks = model(window, organisms=["human"])["human"][0, :, 1:].numpy()
        best = (row["bin_start"] - start) // 128 - CROP
        expected = tracks[best - 1 : best + 2].mean(axis=0)
        assert np.abs(np.asarray(store.values[number, 0, :, 0]) - expected).max() < 1e-5, gene
        assert store.sequences["start"][number] == row["bin_start"] - 128


def test_tracks_of_both_strands_swap_their_partners(world):
    """Averaged over strands, a track is the mean of itself forward and of its partner backward."""
    model, genome = load_weights(world / "model"), Genome(world / "genome.fa", "planted")
    gene = read_gene_sites(world / "genes.gtf", genome)[4]
    pairs = np.array([0, 1, 2, 3, 5, 4, 7, 6])
    settings = GeneEmbeddingSettings(
        track_neighbours=0, inference=InferenceSettings(augment=True, shifts=(0,))
    )
    found = embed_genes(model, genome, [gene], CAGE, settings, np.arange(8), pairs)
    start = gene.canonical - LENGTH // 2
    window = torch.from_numpy(genome.window(gene.chromosome, start, start + LENGTH))[None]
    with torch.no_grad():
        forward = model(window, organisms=["human"])["human"][0].numpy()
        backward = model(window.flip(1, 2), organisms=["human"])["human"][0].flip(0).numpy()[:, pairs]
    best = (found["start"][0] - start) // 128 - CROP
    assert np.abs(found["tracks"][0] - (forward + backward)[best] / 2).max() < 1e-5


def test_a_person_changes_the_genes_whose_windows_hold_variants(run, world, reference, tmp_path):
    output = tmp_path / "ann.h5ad"
    more = ("--variants", world / "people.vcf", "--sample", "ann", "--shard-size", 5)
    code, printed, errors = run(*_arguments(world, output, *more))
    assert code == 0, errors
    assert "people.vcf: 82 variants of sample ann; 1 left out: symbolic alleles" in printed
    found = read_gene_embedding(output)
    difference = np.abs(np.asarray(found.X) - np.asarray(reference.X)).max(axis=1)
    place = int(reference.obs.loc[GENE, "canonical_start_site"])
    for gene, moved in zip(reference.obs_names, difference):
        row = reference.obs.loc[gene]
        low, high = row["canonical_start_site"] - LENGTH // 2, row["canonical_start_site"] + LENGTH // 2
        near = row["chromosome"] == "chr1" and low < place + 121 and high > place - 5_000
        assert (moved > 0) == near, gene
    assert difference[list(reference.obs_names).index(GENE)] > 1e-3
    assert (difference == 0).sum() >= 6
    facts = found.uns["cistron"]["parameters"]
    assert '"sample": "ann"' in facts
    assert '"haplotype": "both"' in facts
    assert "0|1" not in str(found.uns)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "ann.h5ad",
        "ann.h5ad.run.json",
    ]  # no copy of genotypes is left


def test_an_interrupted_run_is_not_taken_up_by_another_person_or_other_tracks(
    run, world, tmp_path, monkeypatch
):
    from cistron.sequence import embed

    original, seen = embed.embed_genes, []

    def interrupted(*arguments):
        if len(seen) == 3:
            raise KeyboardInterrupt
        seen.append(1)
        return original(*arguments)

    output = tmp_path / "e.h5ad"
    ann = ("--variants", world / "people.vcf", "--sample", "ann", "--shard-size", 3)
    monkeypatch.setattr(embed, "embed_genes", interrupted)
    assert run(*_arguments(world, output, *ann))[0] == 130
    monkeypatch.setattr(embed, "embed_genes", original)
    bob = (*ann[:3], "bob", *ann[4:])
    found = {}
    for name, more in [
        ("bob", bob),
        ("tracks", (*ann, "--output-tracks", tmp_path / "t.zarr")),
        ("ann", ann),
    ]:
        code, _, errors = run(*_arguments(world, output, *more), "--overwrite")
        assert code == 0, errors
        found[name] = np.asarray(read_gene_embedding(output).X)
    assert (found["tracks"] == found["ann"]).all()
    assert np.isfinite(np.asarray(open_tracks(tmp_path / "t.zarr").values[:])).all()
    assert np.abs(found["bob"] - found["ann"]).max() > 1e-4
    with _person(world, "bob") as genome:
        genes = read_gene_sites(world / "genes.gtf", genome)
        alone = embed_genes(load_weights(world / "model"), genome, genes, CAGE)
    assert np.abs(found["bob"] - alone["embedding"]).max() < 1e-5


def test_the_vector_of_a_person_is_the_mean_of_two_haplotypes(world):
    """By hand: the first haplotype from a string with letters replaced, the second with insertion and deletion."""
    planted = planted_genome()
    row = planted.genes.set_index("gene").loc[GENE]
    dna, place = planted.chromosomes["chr1"], int(row["canonical"])
    first = list(dna)
    for number in range(-40, 40):
        at = place + 3 * number + 1
        first[at] = {"A": "C", "C": "G", "G": "T", "T": "A"}[dna[at]]
    start = place - 2_000
    second = dna[: start - 2_999] + dna[start - 2_799 : start + 1] + "ACGTTGCAAC" * 30 + dna[start + 1 :]
    model = load_weights(world / "model")
    runs = []
    for text, centre in (("".join(first), place), (second, place + 100)):
        assert text[centre + 200] == dna[place + 200]
        window = text[centre - LENGTH // 2 : centre + LENGTH // 2]
        codes = np.array(["ACGTN".index(letter) for letter in window], np.uint8)
        with torch.no_grad():
            trunk = model.embed(torch.from_numpy(one_hot(codes))[None])
            cage = model.predict(trunk)["human"][0, :, 4:].mean(1).numpy()
        runs.append((trunk[0].numpy(), cage))
    # all start sites lie downstream of the changes, so their bins are those of the reference in both
    bins = [(site - place + LENGTH // 2) // 128 - CROP for site in row["sites"]]
    best = max(bins, key=lambda number: runs[0][1][number] + runs[1][1][number])
    expected = (runs[0][0][best] + runs[1][0][best]) / 2
    with _person(world) as genome:
        genes = [gene for gene in read_gene_sites(world / "genes.gtf", genome) if gene.gene == GENE]
        found = embed_genes(model, genome, genes, CAGE)
    assert np.abs(found["embedding"][0] - expected).max() < 1e-5
    for which, name in enumerate(("1", "2")):
        with _person(world, haplotype=name) as genome:
            alone = embed_genes(model, genome, genes, CAGE)
        own = max(bins, key=lambda number: runs[which][1][number])
        assert np.abs(alone["embedding"][0] - runs[which][0][own]).max() < 1e-5


def test_the_bin_of_a_start_site_shifts_with_an_insertion(world, tmp_path):
    """A second start site 600 bp downstream, 300 letters between: its bin is two or three further on."""
    dna = planted_genome().chromosomes["chr1"]
    place = int(planted_genome().genes.set_index("gene").loc[GENE, "canonical"])
    at, site = place + 100, place + 600
    text = HEADER + f"chr1\t{at + 1}\t.\t{dna[at]}\t{dna[at] + 'ACGTTGCAAC' * 30}\t.\tPASS\t.\tGT\t1|1\t0|0\n"
    (tmp_path / "v.vcf").write_text(text)
    person = PersonSettings(tmp_path / "v.vcf", "ann")
    with open_genome(world / "genome.fa", "planted", person=person) as genome:
        from cistron.sequence.inputs_gene_sites import GeneSites

        gene = GeneSites("g", "G", "chr1", "+", place, (site,))
        model = load_weights(world / "model")
        found = embed_genes(model, genome, [gene], CAGE)
    text = dna[: at + 1] + "ACGTTGCAAC" * 30 + dna[at + 1 :]
    codes = np.array(["ACGTN".index(x) for x in text[place - LENGTH // 2 : place + LENGTH // 2]], np.uint8)
    with torch.no_grad():
        trunk = model.embed(torch.from_numpy(one_hot(codes))[None])[0].numpy()
    where = (LENGTH // 2 + 600 + 300) // 128 - CROP
    assert np.abs(found["embedding"][0] - trunk[where]).max() < 1e-5
    # the first letter of that bin is there in the reference, before or behind what was inserted
    assert found["start"][0] <= site < found["start"][0] + 128 + 300


def test_prediction_of_a_person_is_the_mean_of_two_haplotypes(run, world, tmp_path):
    place = int(planted_genome().genes.set_index("gene").loc[GENE, "canonical"])
    (tmp_path / "r.bed").write_text(f"chr1\t{place}\t{place + 1}\nchr2\t20000\t20001\n")
    stores = {}
    for name in ("both", "1", "2", "reference"):
        person = ("--variants", world / "people.vcf", "--sample", "ann", "--haplotype", name)
        code, _, errors = run(
            *("sequence", "predict", "--genome", world / "genome.fa", "--regions", tmp_path / "r.bed"),
            *("--weights", world / "model", "--output", tmp_path / f"{name}.zarr", "--build", "planted"),
            *("--threads", 1),
            *(person if name != "reference" else ()),
        )
        assert code == 0, errors
        stores[name] = np.asarray(open_tracks(tmp_path / f"{name}.zarr").values[:])
    assert np.abs(stores["both"] - (stores["1"] + stores["2"]) / 2).max() < 1e-5
    assert np.abs(stores["1"][0] - stores["reference"][0]).max() > 1e-3
    assert np.abs(stores["2"][0] - stores["reference"][0]).max() > 1e-3
    for name in stores:  # no variant on the other chromosome
        assert (stores[name][1] == stores["reference"][1]).all()


def test_a_shard_opens_the_person_from_plain_values(world, tmp_path):
    import json
    from dataclasses import asdict

    from cistron.sequence.embed import _person_of, embed_shard

    with _person(world) as genome:
        genes = read_gene_sites(world / "genes.gtf", genome)[4:5]
        expected = embed_genes(load_weights(world / "model"), genome, genes, CAGE)
        arguments = {
            "genes": [asdict(gene) for gene in genes],
            "model": str(world / "model"),
            "genome": str(genome.path),
            "build": "planted",
            "ambiguous": "error",
            "cage": CAGE.tolist(),
            "settings": asdict(GeneEmbeddingSettings()),
            "person": _person_of(genome),
        }
    embed_shard(tmp_path / "s.npz", **json.loads(json.dumps(arguments)))
    with np.load(tmp_path / "s.npz") as found:
        assert (found["embedding"] == expected["embedding"]).all()


def test_bad_input(fails, world, tmp_path):
    variants = ("--variants", world / "people.vcf")
    cases = [
        ("2 samples; name one with --sample: ann, bob", variants),
        ("has no sample 'eve'", (*variants, "--sample", "eve")),
        ("heterozygous without a phase", (*variants, "--sample", "bob", "--unphased", "error")),
        ("does not exist", ("--variants", tmp_path / "none.vcf")),
        ("--variants", ("--sample", "ann")),
        ("haplotype", (*variants, "--haplotype", "3")),
        ("give it, too", ("--tracks", "CAGE:")),
        ("no human track is called", ("--output-tracks", tmp_path / "t.zarr", "--tracks", "LIVER")),
        ("0 or more", ("--track-neighbours", -1)),
    ]
    for words, more in cases:
        assert words in fails(*_arguments(world, tmp_path / "e.h5ad", *more)), words
    text = (world / "people.vcf").read_text()
    line = text.splitlines()[3].split("\t")
    wrong = "\t".join([*line[:3], {"A": "C"}.get(line[3], "A") + line[3][1:], *line[4:9], "1|1", "0|0"])
    (tmp_path / "other.vcf").write_text(HEADER + wrong + "\n")
    message = fails(
        *_arguments(world, tmp_path / "e.h5ad", "--variants", tmp_path / "other.vcf", "--sample", "ann")
    )
    assert "REF at chr1:" in message
    assert "another genome build" in message
    (tmp_path / "t.zarr").write_text("a file")
    assert "it is a file" in fails(
        *_arguments(world, tmp_path / "e.h5ad", "--output-tracks", tmp_path / "t.zarr", "--overwrite")
    )
    assert not (tmp_path / "e.h5ad").exists()


def test_estimator_takes_a_person_and_writes_tracks(world, reference, tmp_path):
    embedder = DnaEmbedder(world / "model")
    person = PersonSettings(world / "people.vcf", "bob")
    found = embedder.embed(
        world / "genome.fa",
        world / "genes.gtf",
        tmp_path / "bob.h5ad",
        output_tracks=tmp_path / "bob.zarr",
        tracks=["CAGE:"],
        person=person,
        build="planted",
        threads=1,
    )
    moved = np.abs(np.asarray(found.X) - np.asarray(reference.X)).max(axis=1)
    assert 0 < (moved > 0).sum() < 6
    assert open_tracks(tmp_path / "bob.zarr").values.shape == (12, 1, 4, 1)
    (tmp_path / "r.bed").write_text("chr2\t20000\t20001\n")
    store = embedder.predict(
        world / "genome.fa", tmp_path / "r.bed", tmp_path / "p.zarr", build="planted", person=person
    )
    assert store.values.shape[0] == 1
    shutil.rmtree(tmp_path / "p.zarr")
