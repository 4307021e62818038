"""Proteins to gene embeddings: ESM-2 against a stored golden, headers, windows, resume, bad input. Random weights only."""

import gzip
import importlib.util
import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cistron.errors import IdentifierError, InputError
from cistron.formats import read_gene_embedding
from cistron.sequence import protein_embed
from cistron.sequence.esm2 import Esm2
from cistron.sequence.inputs_proteins import parse_header, read_proteins
from cistron.sequence.protein_embed import embed_proteins, window_starts
from cistron.sequence.saving_esm2 import load_esm2
from cistron.sequence.settings import Esm2Settings, ProteinEmbeddingSettings

_SPECIFICATION = importlib.util.spec_from_file_location(
    "esm2_weights", Path(__file__).with_name("esm2_weights.py")
)
made = importlib.util.module_from_spec(_SPECIFICATION)
_SPECIFICATION.loader.exec_module(made)
GOLDEN = json.loads(made.GOLDEN.read_text())
LETTERS = "LAGVSERTIDPKQNFYMHWCXBUZO"


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return made.write_model(tmp_path_factory.mktemp("esm2"))


@pytest.fixture(scope="module")
def model(weights):
    return load_esm2(weights)


def _random_protein(seed, length):
    return "".join(np.random.default_rng(seed).choice(list(LETTERS), length))


def test_it_equals_transformers(model):
    means = embed_proteins(model, list(GOLDEN))
    np.testing.assert_allclose(means, [entry["mean"] for entry in GOLDEN.values()], atol=5e-6)
    protein = next(iter(GOLDEN))
    tokens = torch.tensor([[0, *(protein_embed._NUMBER[letter] for letter in protein), 2]])
    with torch.inference_mode():
        hidden = model(tokens)[0]
    np.testing.assert_allclose(hidden[1], GOLDEN[protein]["first"], atol=5e-6)
    np.testing.assert_allclose(hidden[-2], GOLDEN[protein]["last"], atol=5e-6)


def test_the_constant_of_the_norms_is_read_and_used(tmp_path):
    folders = [
        made.write_model(tmp_path / str(value), config=made.CONFIG | {"layer_norm_eps": value})
        for value in (1e-5, 1.0)
    ]
    models = [load_esm2(folder) for folder in folders]
    assert [one.settings for one in models] == [
        replace(models[0].settings, norm_epsilon=value) for value in (1e-5, 1.0)
    ]
    usual, damped = (embed_proteins(one, ["MKTAYIAKQR"]) for one in models)
    assert not np.allclose(damped, usual, atol=0.01)
    for one in models:
        norms = [layer for layer in one.modules() if isinstance(layer, torch.nn.LayerNorm)]
        assert {layer.eps for layer in norms} == {one.settings.norm_epsilon}


def test_the_golden_would_notice(model, monkeypatch):
    """Without positions, or without the scaling of token dropout, the golden is missed by far."""
    wanted = np.array([entry["mean"] for entry in GOLDEN.values()])
    unscaled = Esm2(replace(model.settings, token_dropout=False)).eval()
    unscaled.load_state_dict(model.state_dict())
    assert np.abs(embed_proteins(unscaled, list(GOLDEN)) - wanted).max() > 1e-2
    monkeypatch.setattr("cistron.sequence.esm2._rotated", lambda values, cosine, sine: values)
    assert np.abs(embed_proteins(model, list(GOLDEN)) - wanted).max() > 1e-2


def test_the_published_shape():
    """The 33 layers of 650M, counted by hand: four maps of attention, two of the perceptron, two norms a block."""
    with torch.device("meta"):
        model = Esm2(Esm2Settings())
    block = 4 * (1280 * 1280 + 1280) + (1280 * 5120 + 5120) + (5120 * 1280 + 1280) + 2 * 2 * 1280
    assert sum(parameter.numel() for parameter in model.parameters()) == 33 * block + 33 * 1280 + 2 * 1280


@given(lengths=st.lists(st.integers(1, 40), min_size=1, max_size=8), tokens=st.integers(1, 200))
@settings(max_examples=15, deadline=None)
def test_batches_and_padding_change_nothing(model, lengths, tokens):
    proteins = [_random_protein(number, length) for number, length in enumerate(lengths)]
    alone = np.concatenate([embed_proteins(model, [protein]) for protein in proteins])
    together = embed_proteins(model, proteins, ProteinEmbeddingSettings(batch_tokens=tokens))
    np.testing.assert_allclose(together, alone, atol=2e-5)


@given(length=st.integers(1, 500), window=st.integers(2, 60), share=st.floats(0, 0.9))
@settings(max_examples=60, deadline=None)
def test_windows_cover_every_residue_and_overlap(length, window, share):
    overlap = int(share * (window - 1))
    starts = window_starts(length, window, overlap)
    assert starts[0] == 0
    assert starts[-1] + window >= length
    assert all(b - a <= window - overlap for a, b in pairwise(starts))
    assert length <= window or starts[-1] + window == length


def test_the_mean_over_windows_counts_every_residue_once(model):
    """By hand: each residue is the mean of its windows, then the mean over residues."""
    protein = _random_protein(1, 25)
    rules = ProteinEmbeddingSettings(window=10, overlap=4)
    starts = window_starts(25, 10, 4)
    assert starts == [0, 5, 10, 15]
    total, number = np.zeros((25, 24)), np.zeros(25)
    for start in starts:
        part = protein[start : start + 10]
        tokens = torch.tensor([[0, *(protein_embed._NUMBER[letter] for letter in part), 2]])
        with torch.inference_mode():
            total[start : start + 10] += model(tokens)[0, 1:-1].numpy()
        number[start : start + 10] += 1
    wanted = (total / number[:, None]).mean(axis=0)
    np.testing.assert_allclose(embed_proteins(model, [protein], rules)[0], wanted, atol=1e-5)


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        (
            "ENSP00000493376.2|ENST00000641515.2|ENSG00000186092.7|OTTHUMG1|OTTHUMT1|OR4F5-201|OR4F5|326",
            ("ensembl", "ENSG00000186092", "OR4F5", "ENSP00000493376.2"),
        ),
        (
            "ENSP00000269305.4 pep chromosome:GRCh38:17 gene:ENSG00000141510.18 transcript:ENST1 gene_symbol:TP53",
            ("ensembl", "ENSG00000141510", "TP53", "ENSP00000269305.4"),
        ),
        (
            "sp|P04637-2|P53_HUMAN Isoform 2 of p53 OS=Homo sapiens OX=9606 GN=TP53",
            ("uniprot", "TP53", "TP53", "P04637-2"),
        ),
        ("tr|A0A0|A0A0_HUMAN Unnamed OS=Homo sapiens", ("uniprot", "", "", "A0A0")),
        ("BRCA1 my own", ("plain", "BRCA1", "", "BRCA1")),
        ("ENSG00000141510.18", ("plain", "ENSG00000141510", "", "ENSG00000141510.18")),
    ],
)
def test_headers(header, wanted):
    assert parse_header(header) == wanted


def _gencode(gene, protein, residues):
    return f">ENSP{protein:011d}.1|T|ENSG{gene:011d}.3|-|-|S{gene}-201|S{gene}|{len(residues)}\n{residues}\n"


def test_float32_is_used_where_bfloat16_is_slow(weights, monkeypatch, remarks):
    assert {one.dtype for one in load_esm2(weights, "bf16").parameters()} == {torch.bfloat16}
    monkeypatch.setattr("cistron.runtime.bfloat16.fast_bfloat16", lambda device="cpu": False)
    assert {one.dtype for one in load_esm2(weights, "bf16").parameters()} == {torch.float32}
    assert "fp32 is used in place of bf16" in remarks()


def test_proteins_are_grouped_by_gene_and_repaired(tmp_path):
    path = tmp_path / "pc.fa.gz"
    text = (
        _gencode(1, 1, "MKTAY*") + _gencode(1, 2, "mktayiakqr") + _gencode(1, 3, "MKTAY") + _gencode(2, 4, "MK*TAJ")
        + _gencode(2, 4, "MK*TAJ")
    )  # fmt: skip
    path.write_bytes(gzip.compress(text.encode()))
    found = read_proteins(path)
    assert found.identifier_namespace == "ensembl"
    assert [protein.residues for protein in found.genes["ENSG00000000001"]] == ["MKTAYIAKQR", "MKTAY"]
    assert [protein.residues for protein in found.genes["ENSG00000000002"]] == ["MKXTAX"]
    assert found.remarks == (
        "1 proteins given twice taken once",
        "2 proteins with a stop codon inside, read as X",
        "2 proteins with a letter that is no residue, read as X",
    )


def test_the_command_gives_an_embedding_of_evidence_protein(tmp_path, weights, model, run):
    fasta = tmp_path / "pc.fa"
    fasta.write_text(
        _gencode(1, 1, "MKTAYIAKQR") + _gencode(1, 2, "MKTAYW") + _gencode(2, 3, _random_protein(2, 70))
    )
    common = (
        "sequence",
        "embed-protein",
        fasta,
        "--weights",
        weights,
        "--window",
        30,
        "--overlap",
        10,
        "--shard-size",
        1,
    )
    code, output, errors = run(*common, "--output", tmp_path / "longest.h5ad")
    assert code == 0, errors
    assert output.strip().endswith("2 genes x 24 dimensions")
    longest = read_gene_embedding(tmp_path / "longest.h5ad")
    header = longest.uns["cistron"]
    assert (header["evidence"], header["method"], header["identifier_namespace"]) == (
        "protein",
        "esm2",
        "ensembl",
    )
    assert json.loads(header["parameters"])["shape"]["layers"] == 3
    assert longest.obs["symbol"].tolist() == ["S1", "S2"]
    assert longest.obs["residues"].tolist() == [10, 70]
    np.testing.assert_allclose(longest.X[0], embed_proteins(model, ["MKTAYIAKQR"])[0], atol=1e-6)
    assert not list(tmp_path.glob(".longest.shards-*"))
    assert run(*common, "--isoform", "mean", "--output", tmp_path / "mean.h5ad")[0] == 0
    mean = read_gene_embedding(tmp_path / "mean.h5ad")
    np.testing.assert_allclose(
        mean.X[0], embed_proteins(model, ["MKTAYIAKQR", "MKTAYW"]).mean(axis=0), atol=1e-6
    )
    np.testing.assert_allclose(mean.X[1], longest.X[1], atol=1e-6)


def test_finished_shards_are_not_done_again(tmp_path, weights, monkeypatch, run):
    fasta = tmp_path / "pc.fa"
    fasta.write_text("".join(_gencode(gene, gene, _random_protein(gene, 12)) for gene in range(1, 5)))
    command = (
        "sequence",
        "embed-protein",
        fasta,
        "--weights",
        weights,
        "--shard-size",
        2,
        "--output",
        tmp_path / "p.h5ad",
    )
    original, calls = protein_embed.embed_proteins, []

    def interrupted(model, proteins, rules):
        calls.append(len(proteins))
        if len(calls) == 2:
            raise KeyboardInterrupt
        return original(model, proteins, rules)

    monkeypatch.setattr(protein_embed, "embed_proteins", interrupted)
    assert run(*command)[0] == 130
    assert not (tmp_path / "p.h5ad").exists()
    assert run(*command)[0] == 0
    assert len(calls) == 3
    assert read_gene_embedding(tmp_path / "p.h5ad").n_obs == 4


PROTEIN = ">BRCA1\nMKTAYIAKQRQISFVKSHFSRQ\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("\n", "holds no protein"),
        ("MKTAY\n", "is no FASTA"),
        (">BRCA1\n\n>TP53\nMK\n", "BRCA1 has no residues"),
        (">BRCA1\n" + "ACGT" * 20 + "\n>TP53\n" + "TTGA" * 20, "this is DNA"),
        (">BRCA1\nMK--TAY\n", "holds '-'"),
        (PROTEIN + ">BRCA1\nMKK\n", "BRCA1 occurs twice with different sequences"),
        (PROTEIN + ">sp|P1|P1_HUMAN x GN=TP53\nMKK\n", "headers are of several kinds"),
        (">tr|A0|A0_HUMAN x\nMKK\n", "none of 1 headers names a gene"),
    ],
)
def test_fasta_that_cannot_be_used(tmp_path, weights, fails, text, message):
    path = tmp_path / "p.fa"
    path.write_text(text)
    assert message in fails(
        "sequence", "embed-protein", path, "--weights", weights, "--output", tmp_path / "o.h5ad"
    )
    assert not (tmp_path / "o.h5ad").exists()


def test_weights_that_cannot_be_used(tmp_path, weights, fails):
    fasta = tmp_path / "p.fa"
    fasta.write_text(PROTEIN)

    def message(folder):
        return fails("sequence", "embed-protein", fasta, "--weights", folder, "--output", tmp_path / "o.h5ad")

    assert "does not exist" in message(tmp_path / "absent")
    pickled = tmp_path / "pickled"
    pickled.mkdir()
    (pickled / "config.json").write_text("{}")
    (pickled / "pytorch_model.bin").write_bytes(b"")
    assert "which is pickled and not read" in message(pickled)
    foreign = made.write_model(tmp_path / "foreign", model_type="bert")
    assert "config.json says model_type 'bert'" in message(foreign)
    first = made.write_model(tmp_path / "first", position_embedding_type="absolute")
    assert "position_embedding_type 'absolute'" in message(first)
    wide = made.write_model(tmp_path / "wide", intermediate_size=48)
    assert "encoder.layer.0.intermediate.dense.weight is [40, 24], expected [48, 24]" in message(wide)
    deep = made.write_model(tmp_path / "deep")
    (deep / "config.json").write_text(json.dumps({**made.CONFIG, "num_hidden_layers": 4}))
    assert (
        "16 weights do not fit config.json: encoder.layer.3.attention.LayerNorm.weight is missing"
        in message(deep)
    )
    cut = made.write_model(tmp_path / "cut")
    (cut / "model.safetensors").write_bytes((weights / "model.safetensors").read_bytes()[:300])
    assert "cannot be read" in message(cut)


def test_settings_that_make_no_sense(tmp_path):
    with pytest.raises(InputError, match="overlaps the next by less than itself"):
        ProteinEmbeddingSettings(window=10, overlap=10)
    with pytest.raises(InputError, match="batch_tokens must be 1 or more"):
        ProteinEmbeddingSettings(batch_tokens=0)
    path = tmp_path / "p.fa"
    path.write_text(">tr|A0|A0_HUMAN x\nMKK\n")
    with pytest.raises(IdentifierError):
        read_proteins(path)


def test_from_python_as_from_the_command_line(tmp_path, weights, run, fails, monkeypatch):
    said = []
    monkeypatch.setattr("cistron.sequence.estimator.say", said.append)
    from cistron.sequence import ProteinEmbedder

    fasta = tmp_path / "p.fa"
    fasta.write_text(">A\nMKV*LLA\n>B\nMGGSTRRW\n")
    arguments = ("sequence", "embed-protein", fasta, "--weights", weights, "--output")
    assert run(*arguments, tmp_path / "command.h5ad")[0] == 0
    embedder = ProteinEmbedder(weights, ProteinEmbeddingSettings(device="cpu"), seed=5)
    found = embedder.embed(fasta, tmp_path / "python.h5ad")
    assert said == ["1 proteins with a stop codon inside, read as X"]
    expected = read_gene_embedding(tmp_path / "command.h5ad")
    np.testing.assert_array_equal(np.asarray(found.X), np.asarray(expected.X))
    written = read_gene_embedding(tmp_path / "python.h5ad").uns["cistron"]
    assert (written["seed"], expected.uns["cistron"]["seed"]) == (5, 0)
    assert list(written["sources"]["file"]) == ["p.fa"]
    assert "written as .h5ad" in fails(*arguments, tmp_path / "e.tsv")
    with pytest.raises(InputError, match="not a folder of ESM-2 weights"):
        ProteinEmbedder(tmp_path)
