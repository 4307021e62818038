"""The page of a gene: what it finds, where its tracks and variants lie, which files it takes."""

import dataclasses
import json
import re
import shutil
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from cistron.cli.main import app
from cistron.errors import InputError
from cistron.formats.variant_scores import read_variant_scores
from cistron.report import gene_page
from cistron.report.gene_facts import EVIDENCE, TITLES
from cistron.report.gene_page import search_section_of
from cistron.report.gene_single import build_gene_page
from cistron.study import stored_plan
from cistron.study.gene_dna import read_tracks
from cistron.study.gene_files import GENE_FILES, gene_files_of, kind_of_file
from cistron.study.genes import COMMANDS, read_gene_book
from cistron.study.plan_file import plan_as_tables

sys.path.insert(0, str(Path(__file__).parent))
try:
    from planted_study import HOSTILE
finally:
    sys.path.remove(str(Path(__file__).parent))


def test_a_gene_is_found_by_id_symbol_alias_and_entrez(study):
    book = read_gene_book(study)
    gene = book.genes.set_index("symbol").loc["LDLR"]
    for name in ("LDLR", "ldlr", gene["gene"], "FHC", "LDLCQ2", gene["entrez"]):
        assert book.find(name)["gene"] == gene["gene"]
    with pytest.raises(InputError, match="no gene 'LDRL' among its 160; near are LDLR"):
        book.find("LDRL")
    near = book.neighbours.query("embedding == 'first' and gene == @gene.gene").sort_values("rank")
    assert len(near) == 10
    assert near["similarity"].is_monotonic_decreasing


def test_the_page_of_a_gene_needs_no_script_and_names_what_would_fill_it(study, run, tmp_path):
    book = read_gene_book(study)
    page = build_gene_page(study, "FHC", tmp_path / "gene.html").read_text()
    plain = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    for word in (
        "LDLR",
        "Nearest genes",
        "Expression",
        "Regulators",
        "FHC",
        *(TITLES[key] for key in EVIDENCE),
    ):
        assert word in plain
    # LDLR is the second gene of the table: four tracks, a map, a design, five elements, variants within 6 kb
    assert plain.count('data-tip="') >= 4 * 64 + 3 * 20
    assert plain.count("<svg") == 2
    assert "CAGE:brain" in plain
    assert "cistron sequence predict" not in plain
    far = build_gene_page(study, book.genes["gene"].iloc[-1], tmp_path / "far.html").read_text()
    for key in EVIDENCE:
        assert f"not this gene; {COMMANDS[key]}" in re.sub("&gt;", ">", far)
    source = book.edges.query("network == 'guess'")["source"].iloc[0]
    assert "guess" in build_gene_page(study, source, tmp_path / "g.html").read_text()
    first = build_gene_page(study, HOSTILE, tmp_path / "h.html").read_text()
    assert HOSTILE not in first
    assert first.count("&lt;script&gt;document.title=") >= 6
    code, printed, errors = run("gene", "show", "LDLR", "--study", study, "--output", tmp_path / "shown.html")
    assert code == 0, errors
    assert printed.startswith("LDLR (ENSG")
    assert "Traits: nothing here; [tasks.NAME] kind" in printed
    assert "design design.zarr, " in printed
    assert (tmp_path / "shown.html").exists()


@pytest.mark.parametrize("key", [*EVIDENCE, "networks"])
def test_the_command_that_fills_a_section_is_one_that_would_be_run(key):
    """Every command that is named stands in the command line, takes the options that are named, and writes what a study takes."""
    words = GENE_FILES[key].command.split()
    command = app
    for word in words[1:3]:
        command = command[word]
    options = {name for one in command.assemble_argument_collection() for name in one.parameter.name}
    assert {word for word in words if word.startswith("--")} <= options
    assert f"study add STUDY {words[-1]}" in GENE_FILES[key].advice()


def test_tracks_of_a_gene_are_those_of_its_start_site_in_the_direction_of_transcription(study):
    """On either strand the peak, which was planted at the start site, lies in the bin of the start site."""
    book = read_gene_book(study)
    tracks, strand = book.evidence["tracks"], book.genes.set_index("gene")["strand"]
    assert set(strand[tracks["gene"]]) == {"+", "-"}
    for row in tracks[tracks["track"].str.startswith("CAGE")].itertuples():
        highest = int(np.nanargmax(row.values))
        left = row.start + highest * row.bin_size
        assert left <= 0 < left + row.bin_size, (row.gene, strand[row.gene], left)


def test_without_start_sites_a_track_is_found_by_the_name_of_its_region(study):
    """A study without annotation: the window lies around the middle of the region that has the name of the gene."""
    book = read_gene_book(study)
    genes = book.genes.assign(site=-1, chromosome="")
    known = {symbol.lower(): gene for symbol, gene in zip(genes["symbol"], genes["gene"])}
    found = read_tracks(study.parent / "tracks.zarr", genes, known)
    assert 30 < found["gene"].nunique() < 40  # LDLR and the hostile one have other names in the store
    row = found[found["track"] == "CAGE:brain"].iloc[0]
    assert row["start"] <= 0 < row["start"] + 64 * row["bin_size"]
    assert int(np.nanargmax(row["values"])) in (31, 32)


@pytest.mark.parametrize(
    ("name", "damage", "message"),
    [
        ("contributions.tsv", lambda path: path.write_text(path.read_text().replace("distance", "away")), "no column 'distance'"),
        ("variants.parquet", lambda path: path.write_bytes(path.read_bytes()[:-900]), "may be truncated"),
        ("tracks.zarr", lambda path: shutil.rmtree(path / "values" / "c" / "3"), "not whole"),
        ("design.zarr", lambda path: shutil.rmtree(path / "original"), "not whole"),
        ("map.zarr", lambda path: shutil.rmtree(path / "effect"), "not whole"),
    ],
)  # fmt: skip
def test_a_damaged_file_for_the_page_of_a_gene_is_one_line(study, tmp_path, name, damage, message):
    source, path = study.parent / name, tmp_path / name
    (shutil.copytree if source.is_dir() else shutil.copy)(source, path)
    key = kind_of_file(path)
    damage(path)
    book = read_gene_book(study)
    module, _, function = GENE_FILES[key].read.partition(":")
    with pytest.raises(InputError, match=message):
        getattr(import_module(module), function)(path, book.genes, {})


def test_a_page_that_would_be_large_holds_fewer_tracks_and_says_so(study, monkeypatch):
    monkeypatch.setattr(gene_page, "_TRACKS", 100)
    body = str(search_section_of(read_gene_book(study)).body)
    assert "2 of the predicted tracks of each gene are in it" in body


def test_variants_of_a_gene_are_those_whose_window_holds_its_start_site(study):
    book = read_gene_book(study)
    found = book.evidence["variants"]
    scores = read_variant_scores(study.parent / "variants.parquet", ("log_ratio:",))
    half = scores.header["length"] // 2
    genes = book.genes.set_index("gene")
    some = 0
    for gene in found["gene"].unique():
        one = genes.loc[gene]
        away = scores.frame["position"] - 1 - one["site"]
        inside = scores.frame[(scores.frame["chromosome"] == one["chromosome"]) & (away.abs() <= half)]
        own = found[found["gene"] == gene]
        assert set(own["position"]) == set(inside["position"]) or len(own) == 15
        some += len(own)
        toward = (1 if one["strand"] == "+" else -1) * away[inside.index]
        assert set(zip(own["position"], own["distance"])) <= set(zip(inside["position"], toward))
        changes = inside.filter(like="log_ratio:").abs().max(axis=1).nlargest(15)
        np.testing.assert_allclose(own["change"].abs(), changes, rtol=1e-5)
    assert some > 100


def test_a_file_for_the_page_of_a_gene_is_added_by_its_content(study, tmp_path, run, fails):
    plan = stored_plan(study)
    assert set(plan.gene_files) == set(GENE_FILES)
    folder = tmp_path / "study"
    shutil.copytree(study, folder)
    tables = plan_as_tables(dataclasses.replace(plan, gene_files={}), folder)
    (folder / "plan.json").write_text(json.dumps(tables))
    assert read_gene_book(folder).evidence == {}
    world = study.parent
    for key, name in (
        ("designs", "design.zarr"),
        ("enhancers", "contributions.tsv"),
        ("networks", "edges.tsv"),
    ):
        code, printed, errors = run("study", "add", folder, world / name, "--no-report")
        assert code == 0, errors
        assert "0 cells computed" in printed
        assert [path.name for path in stored_plan(folder).gene_files[key]] == [name]
    assert set(read_gene_book(folder).evidence) == {"designs", "enhancers"}
    assert "--name and --evidence are of embeddings" in fails(
        "study", "add", folder, world / "map.zarr", "--name", "x"
    )
    assert "a folder, but none that a study takes" in fails("study", "add", folder, tmp_path)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"track": "tracks.zarr"}, "there is no key 'track'; did you mean 'tracks'"),
        ({"tracks": "nothing.zarr"}, "nothing.zarr does not exist"),
        ({"tracks": "design.zarr"}, "design.zarr is of the kind designs; tracks is what 'cistron sequence predict' writes"),
        ({"variants": "labels.tsv"}, "labels.tsv is no such file; variants is what 'cistron sequence variants' writes"),
        ("tracks.zarr", "must be a table of files"),
    ],
)  # fmt: skip
def test_a_wrong_file_for_the_page_of_a_gene_is_said_before_any_work(study, table, message):
    with pytest.raises(InputError, match=re.escape(message)):
        gene_files_of(table, study.parent, "study.toml [genes]")


def test_the_search_packs_what_it_shows(study):
    section = search_section_of(read_gene_book(study))
    assert section.anchor == "genes"
    assert all(
        f'data-name="{name}"' in section.body
        for name in ("head", "genes", "sets", "facts", "neighbours 0", "similarity 2")
    )
