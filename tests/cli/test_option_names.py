"""One name for one thing on every command line; spellings of before still work."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest

from cistron.cli.main import _parsed, app
from cistron.cli.running import _commands

# Option names of 0.1, command by command; they work until 0.3.
OLD_NAMES = dict(
    line.split(": ", 1)
    for line in (Path(__file__).parent / "option_names.txt").read_text().splitlines()
    if not line.endswith(":") and ": " in line
)

# command line of before, the same with the names of now
RENAMED = (
    ("cells train c --control permuted-embedding -o m", "cells train c --negative-control permuted-embedding -o m"),
    ("cells train c --gene-table g.tsv -o m", "cells train c --annotation g.tsv -o m"),
    ("cells predict m c --gene-table g.tsv -o p", "cells predict m c --annotation g.tsv -o p"),
    ("cells predict m c --genes held-out -o p", "cells predict m c --part held-out -o p"),
    ("networks infer c --embedding g.h5ad -o e.tsv", "networks infer c --output-embedding g.h5ad -o e.tsv"),
    ("genes map s --to symbol --table a --table b -o d", "genes map s --to symbol --gene-map a --gene-map b -o d"),
    ("embedding convert s d", "embedding convert s --output d"),
    ("embedding convert s --destination d", "embedding convert s -o d"),
    ("embedding combine a b --no-scale -o d", "embedding combine a b --no-equal-variance -o d"),
    ("sequence initialise d", "sequence initialise --output d"),
    ("sequence weights s d --length 4", "sequence weights s --output d --length 4"),
    (
        "evaluate genesets e --sets s --genes g --identifiers i --background all -o d",
        "evaluate genesets e --sets s --annotation g --gene-map i --negatives all -o d",
    ),
    ("evaluate gwas e --traits t --genes g --model linear -o d",
     "evaluate gwas e --traits t --annotation g --regressor linear -o d"),
    ("evaluate edges n --level 0.1 -o d", "evaluate edges n --test-level 0.1 -o d"),
    ("chromatin build --tracks t.tsv -o m", "chromatin build --track-table t.tsv -o m"),
    (
        "chromatin epigenesis m d --genes 5 --cell-type K562 -o e",
        "chromatin epigenesis m d --maximum-genes 5 --peak-cell-type K562 -o e",
    ),
    (
        "omics prepare tabula-sapiens f --universe u --group type --genes-in ensembl -o d",
        "omics prepare tabula-sapiens f --genes u --cell-type type --gene-column ensembl -o d",
    ),
    ("demo --genes 220", "demo --gene-count 220"),
)  # fmt: skip

# What each option means that several commands have, and the kind of its value: flag, number or text (paths among them).
MEANINGS = {
    "--tolerance": ("number", "share of the wanted change at which a target counts as reached"),
    "--track-table": ("text", "table of tracks: bigWigs to bin, or which track of a model is which mark"),
    "--steps": ("number", "steps of a search at most"),
    "--protocol": ("text", "a published protocol, exactly"),
    "--gene-count": ("number", "number of planted genes"),
    "--allow-loss": ("flag", "go on when more than 5% of the genes are lost in mapping"),
    "--ambiguous": ("text", "what to do with IUPAC letters for several bases"),
    "--annotation": ("text", "gene places"),
    "--augment": ("flag", "average over strands and shifts"),
    "--batch": ("text", "column of obs with the batches"),
    "--batch-size": ("number", "windows at a time"),
    "--build": ("text", "genome build"),
    "--calls": ("text", "table of what was perturbed in each cell"),
    "--cell-split": ("text", "how cells are held out"),
    "--cell-type": ("text", "column of obs with the cell types"),
    "--bin-size": ("number", "base pairs of a bin"),
    "--blacklist": ("text", "BED of regions with artefacts"),
    "--cells": ("text", "single cells"),
    "--centre-genes": ("flag", "subtract the mean of each gene"),
    "--centre-samples": ("flag", "subtract the mean of each sample"),
    "--control": ("text", "label of the control cells"),
    "--controls": ("number", "draws of each negative control"),
    "--device": ("text", "processor or GPU"),
    "--devices": ("number", "devices of each machine"),
    "--dimensions": ("number", "dimensions of the embedding"),
    "--duplicates": ("text", "what becomes of genes that occur more than once"),
    "--crop": ("number", "cut from either side"),
    "--donor": ("text", "column of obs with the donors"),
    "--draws": ("number", "samples that an interval or a p-value rests on"),
    "--edges": ("number", "number of strongest edges"),
    "--embedding": ("text", "gene embeddings that are read"),
    "--epochs": ("number", "epochs, at most"),
    "--evidence": ("text", "kinds of evidence"),
    "--excluded": ("text", "labels whose cells are not used"),
    "--folds": ("number", "groups that are left out in turn"),
    "--fold": ("number", "factor by which expression is to change"),
    "--fractions": ("number", "shares of the parts of a split"),
    "--gene": ("text", "names of genes"),
    "--gene-column": ("text", "column of var with the gene ids"),
    "--gene-map": ("text", "table between gene ids"),
    "--gene-split": ("text", "how genes are held out"),
    "--genes": ("text", "file with a list of genes"),
    "--genes-in": ("text", "axis that holds the genes"),
    "--genome": ("text", "FASTA of the genome"),
    "--guide": ("text", "column of obs with the guides"),
    "--guide-table": ("text", "table of guides and their genes"),
    "--haplotype": ("text", "which haplotypes of a person"),
    "--input-length": ("number", "base pairs that a model reads around a sequence"),
    "--learning-rate": ("number", "step size of the optimiser"),
    "--keep-mhc": ("flag", "keep what lies in the MHC"),
    "--layer": ("text", "layer of the values"),
    "--length": ("number", "base pairs of input"),
    "--licence": ("text", "licence of the data"),
    "--log": ("text", "whether to take the logarithm"),
    "--method": ("text", "method"),
    "--minimum-cells": ("number", "fewest cells of a group of cells"),
    "--minimum-counts": ("number", "fewest counts of a cell"),
    "--minimum-coverage": ("number", "smallest share of genes covered"),
    "--minimum-measured": ("number", "share of samples in which a gene must be measured"),
    "--minimum": ("number", "fewest members of a set or term"),
    "--modality": ("text", "modality or feature type"),
    "--negatives": ("text", "where negatives come from"),
    "--rivals": ("text", "table of trivial columns"),
    "--name": ("text", "name of the result"),
    "--nodes": ("number", "machines of a training"),
    "--observational": ("flag", "take every cell as unperturbed"),
    "--only": ("text", "pattern of file names"),
    "--organism": ("text", "organism"),
    "--orthologs": ("text", "pairs of orthologous genes"),
    "--output": ("text", "file or folder to write"),
    "--pairs": ("text", "table of pairs that are scored"),
    "--part": ("text", "part of the split whose genes are used"),
    "--perturbation": ("text", "column of obs with the perturbed genes"),
    "--precision": ("text", "arithmetic"),
    "--repeats": ("number", "times that folds are drawn anew"),
    "--regions": ("text", "BED of regions"),
    "--report": ("flag", "write figures and the report"),
    "--report-folder": ("text", "folder of a summary and its report, beside the main output"),
    "--sample": ("text", "sample of the VCF"),
    "--scale": ("text", "what the values are"),
    "--scale-genes": ("flag", "divide each gene by its deviation"),
    "--scale-samples": ("flag", "divide each sample by its deviation"),
    "--scheduler": ("text", "address of a Dask scheduler"),
    "--seed": ("number", "seed of the run"),
    "--settings": ("text", "named settings"),
    "--shard-size": ("number", "genes or sequences of a shard"),
    "--shifts": ("number", "shifts of the window"),
    "--split": ("text", "file that says which part each gene belongs to"),
    "--stride": ("number", "step between neighbouring windows"),
    "--strategy": ("text", "strategy for several devices"),
    "--test-chromosome": ("text", "chromosomes held out for the test"),
    "--threads": ("number", "threads of numerical libraries"),
    "--tracks": ("text", "which tracks"),
    "--traits": ("text", "GWAS traits"),
    "--unit": ("text", "cells or cell types"),
    "--unphased": ("text", "what to do with genotypes without a phase"),
    "--validation-chromosome": ("text", "chromosomes held out for choosing"),
    "--variants": ("text", "VCF of a person"),
    "--verify": ("flag", "read all of what is stored and compare"),
    "--weights": ("text", "folder of the weights of a network"),
    "--window": ("number", "length of the stretch of sequence that is looked at"),
    "--workers": ("number", "local processes"),
}
# One option, two kinds of value: numbers of tracks are a way of naming tracks; folds are a number to make, and a file once made.
OTHER_KIND = {("sequence bigwig", "--tracks"), ("sequence data", "--folds"), ("sequence evaluate", "--fold")}
# These stand for the same on all commands and share one annotation, so that also their help is one text.
ONE_HELP = (
    "--allow-loss", "--batch", "--calls", "--control", "--donor", "--excluded", "--guide", "--guide-table", "--observational", "--perturbation", "--scale", "--scheduler", "--seed",
    "--threads", "--genes-in",
)  # fmt: skip


def arguments_of(words):
    found = app
    for word in words.split():
        found = found[word]
    return [one for one in found.assemble_argument_collection(parse_docstring=True) if one.parse]


@pytest.fixture(scope="module")
def commands():
    return {" ".join(words): arguments_of(" ".join(words)) for words, _ in _commands(app, ())}


def kind_of(argument):
    text = str(argument.hint)
    if "bool" in text:
        return "flag"
    return "number" if any(word in text for word in ("int", "float")) and "Literal" not in text else "text"


@pytest.mark.parametrize(("old", "new"), RENAMED)
def test_an_old_spelling_gives_the_same_arguments(old, new):
    assert old != new
    first, second = _parsed(old.split()), _parsed(new.split())
    assert first[0] is second[0]
    assert first[1].arguments == second[1].arguments


def test_every_option_of_before_is_still_there(commands):
    assert len(OLD_NAMES) > 30
    for command, names in OLD_NAMES.items():
        now = {name for one in commands[command] for name in (*one.names, *one.negatives)}
        assert set(names.split()) <= now, command


def test_one_name_has_one_meaning(commands):
    """Names that options go by now; old spellings may have meant other things, and arguments have their place."""
    uses = {}
    for command, arguments in commands.items():
        for one in arguments:
            if one.index is None and one.name.startswith("--") and "." not in one.name:
                uses.setdefault(one.name, {})[command] = one
    shared = {name: found for name, found in uses.items() if len(found) > 1}
    assert set(shared) - MEANINGS.keys() == set(), (
        "say in MEANINGS what these options of several commands mean"
    )
    for name, found in uses.items():
        kinds = {kind_of(one) for command, one in found.items() if (command, name) not in OTHER_KIND}
        if name in MEANINGS:
            assert kinds == {MEANINGS[name][0]}, name
    # evaluate gwas adds what it does when the option is absent
    workers = uses["--workers"].values()
    assert (
        len({one.parameter.help.removesuffix(" A process a core for trees when absent.") for one in workers})
        == 1
    )
    for name in ONE_HELP:
        assert len({one.parameter.help for one in uses[name].values()}) == 1, name


def test_commands_that_read_cells_or_matrices_take_the_same_options(commands):
    reading = [
        "cells train", "cells predict", "networks infer", "networks quality", "networks regimes", "evaluate edges", "omics embed", "omics tune",
        "omics join", "omics prepare",
    ]  # fmt: skip
    for command in reading:
        names = {one.name for one in commands[command]}
        assert {"--layer", "--gene-column", "--modality"} <= names, command


@pytest.mark.parametrize(
    ("several", "repeated"),
    [
        ("chromatin design m d --gene A B C -o o", "chromatin design m d --gene A --gene B --gene C -o o"),
        (
            "chromatin design m d --gene A B --marks H3K27ac H3K4me3 --fold 3 -o o",
            "chromatin design m d --gene A --gene B --marks H3K27ac --marks H3K4me3 --fold 3 -o o",
        ),
        ("cells train c --embedding a b -o m", "cells train c --embedding a --embedding b -o m"),
        (
            "cells train c --test-chromosome 1 8 --bilinear.factors 3 -o m",
            "cells train c --test-chromosome 1 --test-chromosome 8 --bilinear.factors 3 -o m",
        ),
        (
            "genes map s --to symbol --gene-map a b -o d",
            "genes map s --to symbol --gene-map a --gene-map b -o d",
        ),
        ("networks infer c --excluded x y -o e", "networks infer c --excluded x --excluded y -o e"),
        (
            "chromatin train d --network.dilations 1 2 4 -o m",
            "chromatin train d --network.dilations 1 --network.dilations 2 --network.dilations 4 -o m",
        ),
    ],
)
def test_an_option_takes_several_values_at_once(several, repeated):
    first, second = _parsed(several.split()), _parsed(repeated.split())
    assert first[1].arguments == second[1].arguments
    given = list(first[1].arguments.values())
    given += [part for value in given if dataclasses.is_dataclass(value) for part in vars(value).values()]
    assert any(isinstance(value, list | tuple) and len(value) > 1 for value in given)


def test_words_after_an_option_stay_arguments_where_they_always_were():
    _, bound = _parsed(["cells", "train", "--embedding", "a", "cells.h5ad", "-o", "m"])
    assert bound.arguments["cells"] == Path("cells.h5ad")
    assert bound.arguments["embedding"] == ("a",)


def test_an_error_names_the_option_as_it_was_typed(fails, tmp_path):
    (tmp_path / "n.tsv").write_text("")
    for option in ("--level", "--test-level"):
        message = fails("evaluate", "edges", tmp_path / "n.tsv", option, 7, "-o", tmp_path / "o")
        assert message.endswith(f"{option} must lie between 0 and 1, without 0 and 1. Given: 7.0")


def test_a_file_of_options_may_use_either_name(fails, tmp_path):
    (tmp_path / "n.tsv").write_text("")
    for key in ("level", "test-level"):
        (tmp_path / "c.toml").write_text(f"[evaluate.edges]\n{key} = 7\n")
        message = fails(
            "evaluate", "edges", tmp_path / "n.tsv", "-o", tmp_path / "o", "--config", tmp_path / "c.toml"
        )
        assert "must lie between 0 and 1" in message


@pytest.mark.parametrize(
    "arguments",
    [
        "cells embed {} -o e.h5ad",
        "cells train {here} --embedding {} -o m",
        "cells predict {} {here} -o p.h5ad",
        "chromatin predict {here} {} -o p.h5ad",
        "omics prepare matrix {here} --genes {} -o m.h5ad",
        "embedding check {here} {}",
        "networks quality {}",
        "sequence embed --genome {here} --annotation {here} --weights {here} --variants {} -o e.h5ad",
        "evaluate gwas {here} --traits {} -o o",
    ],
)
def test_absent_inputs_are_named_whatever_they_are_called(fails, tmp_path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    words = arguments.format("nowhere", here=tmp_path).split()
    assert fails(*words) == "cistron: error: nowhere does not exist"


def test_absent_inputs_are_told_before_anything_heavy_is_imported(tmp_path):
    script = (
        "import sys; from cistron.cli import main\n"
        "assert main(['cells', 'train', 'nowhere', '--output', 'm']) == 2\n"
        "assert main(['sequence', 'embed-protein', 'nowhere', '--weights', '.', '--output', 'm.h5ad']) == 2\n"
        "heavy = {'torch', 'lightning', 'lightgbm', 'xgboost', 'sklearn', 'scanpy'} & sys.modules.keys()\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("nowhere does not exist") == 2
