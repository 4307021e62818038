"""The report of a study and the page of a gene: what they say, in what order, and how they behave in a browser."""

import dataclasses
import json
import re
import shutil
import sys
import time
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cistron.cli.main import app
from cistron.errors import InputError
from cistron.formats.edges import read_edges, write_edges
from cistron.formats.store import seal_store
from cistron.formats.variant_scores import read_variant_scores
from cistron.report import gene_page
from cistron.report.gene_facts import EVIDENCE, TITLES
from cistron.report.gene_page import search_section_of
from cistron.report.gene_single import build_gene_page
from cistron.report.study import build_study_report, read_study
from cistron.report.study_finding import findings, order_of_rows
from cistron.study import run_study, stored_plan
from cistron.study.gene_dna import read_tracks
from cistron.study.gene_files import GENE_FILES, gene_files_of, kind_of_file
from cistron.study.gene_layout import gene_layout, stored_layout
from cistron.study.genes import COMMANDS, read_gene_book
from cistron.study.plan_file import plan_as_tables
from cistron.world.study import StudyWorldSettings, write_study_world

sys.path.insert(0, str(Path(__file__).parent))
try:
    from test_browser import CONTRAST, browser  # noqa: F401  # the fixture
finally:
    sys.path.remove(str(Path(__file__).parent))

HOSTILE = "<script>document.title='broken'</script>"
PLAN = """
[study]
name = "Planted <i>study</i>"
annotation = "genes.tsv"
gene_map = ["hgnc.tsv"]
added = ["gaussian"]
complementarity = ["terms"]
[embeddings.first]
file = "first_half.h5ad"
[embeddings.second]
file = "second_half.h5ad"
[embeddings.noise]
file = "noise.h5ad"
[tasks.terms]
kind = "gene_labels"
labels = "labels.tsv"
learner = "ridge"
draws = 60
[tasks.network]
kind = "edges"
truth = "network.tsv"
networks = ["guess.tsv"]
folds = 2
repeats = 1
draws = 40
evidence = ["expression"]
[tasks.cells]
kind = "expression"
cells = "cells.h5ad"
gene_split = "random"
draws = 20
[genes]
tracks = "tracks.zarr"
enhancers = "contributions.tsv"
variants = "variants.parquet"
epigenesis = "map.zarr"
designs = "design.zarr"
networks = "edges.tsv"
"""


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A finished study with hostile names of a term and of a symbol, and its report."""
    world = tmp_path_factory.mktemp("world")
    settings = StudyWorldSettings(
        genes=160, chromosomes=4, functions=4, sets=8, pairs=60, edges=200, cells=40
    )
    write_study_world(world, settings, seed=3)
    genes = pd.read_csv(world / "genes.tsv", sep="\t")
    genes.loc[0, "symbol"] = HOSTILE
    genes.loc[1, "symbol"] = "LDLR"
    genes.to_csv(world / "genes.tsv", sep="\t", index=False)
    names = pd.DataFrame(
        {"ensembl_gene_id": genes["gene"], "symbol": genes["symbol"], "entrez_id": genes["entrez"]}
    )
    names["alias_symbol"] = ["FHC|LDLCQ2" if symbol == "LDLR" else "" for symbol in names["symbol"]]
    names.to_csv(world / "hgnc.tsv", sep="\t", index=False)
    labels = pd.read_csv(world / "labels.tsv", sep="\t").replace({"term": {"term 0": HOSTILE}})
    labels.to_csv(world / "labels.tsv", sep="\t", index=False)
    network = pd.read_csv(world / "network.tsv", sep="\t")
    network.loc[0, "target"] = genes["gene"][1]
    network.drop_duplicates(["source", "target"]).query("source != target").to_csv(
        world / "network.tsv", sep="\t", index=False
    )
    guess = network.head(20).assign(sign=1, probability=0.9).drop_duplicates(["source", "target"])
    guess.query("source != target").to_csv(world / "guess.tsv", sep="\t", index=False)
    _make_hostile(world, genes["gene"].iloc[0])
    (world / "study.toml").write_text(PLAN)
    result = run_study(world / "study.toml", world / "study")
    build_study_report(result.folder, result.folder / "report.html")
    return result.folder


def _make_hostile(world, gene):
    """Put a hostile name of a track, a mark, a cell type, an element, a variant and a network into the files for the page of a gene."""
    for store, part, old in (
        ("tracks.zarr", "tracks", "CAGE:liver"), ("map.zarr", "marks", "H3K27ac"), ("design.zarr", "outcome", "liver"),
    ):  # fmt: skip
        path = world / store / "zarr.json"
        meta = json.loads(path.read_text())
        meta["attributes"][part] = json.loads(
            json.dumps(meta["attributes"][part]).replace(json.dumps(old), json.dumps(HOSTILE))
        )
        path.write_text(json.dumps(meta))
        seal_store(world / store)
    elements = pd.read_csv(world / "contributions.tsv", sep="\t")
    elements.loc[:2, "name"] = HOSTILE
    elements.to_csv(world / "contributions.tsv", sep="\t", index=False)
    edges = read_edges(world / "edges.tsv")
    write_edges(dataclasses.replace(edges, name=HOSTILE), world / "edges.tsv")
    table = pq.read_table(world / "variants.parquet")
    names = [HOSTILE] * len(table)
    table = table.set_column(table.schema.get_field_index("id"), table.schema.field("id"), pa.array(names))
    pq.write_table(table, world / "variants.parquet")


def test_the_page_opens_on_the_picture_and_ends_with_what_was_run(study):
    text = (study / "report.html").read_text()
    body = text[text.index("<main") :]
    order = [
        "What to use for what",
        "<svg",
        "Which embedding for which question",
        "Look up a gene",
        "Map of all genes",
        "Labels of genes: terms",
    ]
    order += [
        "Gene networks: network",
        "Expression of unseen genes: cells",
        "worth together",
        "beyond chance",
        "Coverage and evidence",
        "What was run",
    ]
    places = [
        body.rindex(word) if ": " in word else body.index(word) for word in order
    ]  # remarks name chapters, too
    assert places == sorted(places)
    assert text.index('<dl class="facts wide">') > text.index("Coverage and evidence")
    assert "<i>study</i>" not in text
    assert HOSTILE not in text


def test_the_picture_holds_every_cell(study):
    _, tables = read_study(study)
    common = tables["table"].query("part == 'common genes' and row != 'together'")
    text = (study / "report.html").read_text()
    tips = re.findall(r'data-tip="([^"]*)"', text[: text.index("Which embedding for which question")])
    assert len(tips) == len(common) == 12
    assert all(f"{row.embedding}, {row.task}" in " ".join(tips) for row in common.itertuples())
    assert sum("indistinguishable from the best" in tip for tip in tips) == int(common["best"].sum())
    assert sum("not above its control" in tip for tip in tips) == int((~common["beats_control"]).sum())


def test_the_finding_says_who_wins_who_ties_and_where_nothing_is_known(study):
    table = pd.DataFrame(
        {
            "task": list("aaabbb"), "row": ["embedding"] * 6, "embedding": ["x", "y", "z"] * 2, "value": [0.9, 0.89, 0.7, 0.52, 0.51, 0.5],
            "low": [0.85, 0.84, 0.6, 0.4, 0.4, 0.4], "high": [0.95, 0.94, 0.8, 0.6, 0.6, 0.6], "null_value": [0.5] * 6,
            "beyond": [0.2, 0.1, np.nan] * 2, "beyond_low": [0.1, -0.1, np.nan] * 2, "beyond_high": [0.3, 0.3, np.nan] * 2,
            "knows": [True, False, False] * 2, "kind": ["gene_labels"] * 6,
            "best": [True, True, False, True, True, True], "beats_control": [True, True, True, False, False, False], "shares_evidence": [True] + [False] * 5,
        }
    )  # fmt: skip
    differences = pd.DataFrame(
        {"task": ["a", "a"], "first": ["x", "x"], "second": ["y", "z"], "low": [-0.1, 0.1]}
    )
    said = findings(table, differences, ["a", "b"])
    assert (
        said["headline"]
        == "x is the highest on 1 of 2 tasks; on b no embedding does better than its control."
    )
    assert "it knows something that trivial columns of genes do not tell (gain beyond them +0.200 [+0.100, +0.300])" in said["tasks"][0]["sentence"]  # fmt: skip
    table.loc[0, "knows"] = False
    assert "no reliable gain beyond trivial columns" in findings(table, differences, ["a", "b"])["tasks"][0]["sentence"]  # fmt: skip
    table.loc[0, "beyond"] = np.nan
    assert "nothing is said about what it knows" in findings(table, differences, ["a", "b"])["tasks"][0]["sentence"]  # fmt: skip
    assert "y is indistinguishable from it" in said["tasks"][0]["sentence"]
    assert "it saw the kind of evidence" in said["tasks"][0]["sentence"]
    assert said["tasks"][1]["kind"] == "unfounded"
    assert said["chance"] == "1 of 2 differences between two embeddings are within chance."
    assert said["ties"] == [{"task": "a", "pairs": "x and y"}]
    assert said["unknown"].startswith("On b no embedding does reliably better than its control")
    assert said["idle"] == []
    table.loc[:, ["best", "beats_control"]] = [[True, True], [False, False], [False, False]] * 2
    differences = differences.assign(value=[0.01, 0.2], high=[0.12, 0.3])
    said = findings(table, differences, ["a", "b"])
    assert "next is y, lower by 0.010 [-0.100, 0.120]" in said["tasks"][0]["sentence"]
    assert (
        said["unknown"]
        == "On each of the 2 tasks at least one embedding does reliably better than its control."
    )
    assert said["idle"] == ["y", "z"]
    assert order_of_rows(table) == ["x", "y", "z"]


def test_the_map_keeps_near_genes_near_and_is_the_same_twice():
    """Four groups of genes stay together, the landmarks and the others alike; the same values give the same bytes."""
    generator = np.random.default_rng(0)
    group = np.arange(240) % 4
    values = generator.normal(size=(4, 6))[group] * 3 + 0.3 * generator.normal(size=(240, 6))
    places = gene_layout(values, landmarks=120)
    assert np.array_equal(places, gene_layout(values, landmarks=120))
    assert np.abs(places).max() == pytest.approx(1, abs=1e-6)
    away = np.linalg.norm(places[:, None] - places[None], axis=-1)
    np.fill_diagonal(away, np.inf)
    assert (group[np.argsort(away, axis=1)[:, :5]] == group[:, None]).mean() > 0.98
    assert gene_layout(values[:3]).shape == (3, 2)
    assert gene_layout(values[:, :1]).shape == (240, 2)


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


def test_an_unfinished_folder_is_said(tmp_path):
    with pytest.raises(InputError, match="not a finished study"):
        build_study_report(tmp_path, tmp_path / "r.html")


@pytest.fixture
def page(browser, study):
    """The report, freshly loaded; no error and no request."""
    browser.log("browser")
    browser.log("performance")
    browser.open((study / "report.html").as_uri())
    yield browser
    assert browser.run("return document.documentElement.dataset.scriptErrors") is None
    said = [entry["message"] for entry in browser.log("browser")]
    assert [
        text for text in said if not text.startswith("chrome://")
    ] == []  # of the tab that a browser starts with
    sent = [json.loads(entry["message"])["message"] for entry in browser.log("performance")]
    addresses = [
        one["params"]["request"]["url"]
        for one in sent
        if one["method"] == "Network.requestWillBeSent"
        and one["params"]["documentURL"].startswith("file:")  # not of the tab that a browser starts with
    ]
    assert addresses
    assert all(address.startswith(("file:", "blob:")) for address in addresses), addresses


def emulate(page, command, **parameters):
    """Set a property of the emulated device."""
    page.call(
        "POST", page.session + "/goog/cdp/execute", {"cmd": f"Emulation.{command}", "params": parameters}
    )


def test_a_gene_is_looked_up_by_its_alias_in_the_browser(page):
    page.type(".combobox input", "LDLCQ2")
    page.wait("return document.querySelectorAll('[role=option]').length === 1")
    page.type(".combobox input", "\ue007")
    page.wait("return document.querySelector('.gene-result h3') !== null")
    shown = page.run("return document.querySelector('.gene-result').innerText")
    assert shown.startswith("LDLR")
    for word in (
        "Nearest in first",
        "Expression, measured and predicted",
        *(TITLES[key] for key in EVIDENCE),
    ):
        assert word in shown


MAP = "document.querySelector('.gene-map').map"


def shown_map(page):
    """Wait until the map is drawn; its values as they are."""
    page.run("document.querySelector('#study_map').scrollIntoView({ behavior: 'instant' })")
    page.wait("return document.querySelector('.gene-map').dataset.ready === '1'")


def test_the_map_is_coloured_by_what_is_chosen(page, study):
    shown_map(page)
    book = read_gene_book(study)
    assert page.run("return [...document.querySelectorAll('.map-kind option')].map((one) => one.value)") == [
        "set",
        "expression",
    ]
    page.run(
        """const which = document.querySelector('.map-which'); which.value = '2'; which.dispatchEvent(new Event('input'));"""
    )
    page.wait(f"return {MAP}.status.textContent.includes('term 2')")
    members = sum(2 in sets for sets in book.sets.values())
    assert f"the {members} genes of term 2" in page.run(f"return {MAP}.status.textContent")
    values = page.run(f"return [...{MAP}.values]")
    genes = page.run(f"return {MAP}.genes.gene")
    assert {gene for gene, value in zip(genes, values) if value} == {
        gene for gene, sets in book.sets.items() if 2 in sets
    }
    page.run(
        """const kind = document.querySelector('.map-kind'); kind.value = 'expression'; kind.dispatchEvent(new Event('input'));"""
    )
    page.wait(f"return {MAP}.mode === 'expression'")
    rows = book.expression[
        (book.expression["embedding"] == "first") & (book.expression["cell_type"] == "type 0")
    ]
    measured = dict(zip(rows["gene"], rows["measured"]))
    values = dict(zip(genes, page.run(f"return [...{MAP}.values]")))
    assert len(measured) == 160
    for gene, value in measured.items():
        assert values[gene] == pytest.approx(value, abs=6e-4)
    # what is drawn: a pixel at the place of the gene that is expressed most is dark
    pixel = page.run(f"""const map = {MAP}; const row = map.order[map.order.length - 1];
        const [x, y] = map.scale(map.width, map.height).at(row); const ratio = window.devicePixelRatio;
        return [...map.canvas.getContext('2d').getImageData(Math.round(x * ratio), Math.round(y * ratio), 1, 1).data]""")
    assert pixel[:3] == [8, 48, 107]


@pytest.mark.parametrize("width", [1280, 390])
def test_a_gene_of_the_map_is_opened_by_a_click_and_by_the_keyboard(page, width):
    emulate(page, "setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
    try:
        shown_map(page)
        place = f"""const map = {MAP}; const row = 5; const box = map.canvas.getBoundingClientRect();
            const [x, y] = map.scale(map.width, map.height).at(row);
            const event = {{ bubbles: true, clientX: box.left + x, clientY: box.top + y }};"""
        gene = page.run(
            f"{place} map.canvas.dispatchEvent(new PointerEvent('pointermove', event)); return map.genes.gene[map.nearest(event)]"
        )
        tip = page.run("const tip = document.getElementById('tip'); return tip.hidden ? '' : tip.textContent")
        assert gene in tip
        assert ": in " in tip or ": not in " in tip
        page.run(f"{place} map.canvas.dispatchEvent(new MouseEvent('click', event))")
        page.wait(f"return document.querySelector('.gene-result').dataset.gene === {json.dumps(gene)}")
        page.run("document.querySelector('.gene-map canvas').focus()")
        page.type(".gene-map canvas", "\ue014")  # arrow to the right: the next gene on that side
        other = page.run(f"return {MAP}.genes.gene[{MAP}.current]")
        assert other != gene
        assert page.run(
            f"const map = {MAP}; return map.x[map.current] > map.x[map.genes.gene.indexOf({json.dumps(gene)})]"
        )
        page.type(".gene-map canvas", "\ue007")
        page.wait(f"return document.querySelector('.gene-result').dataset.gene === {json.dumps(other)}")
        assert page.run("return document.documentElement.scrollWidth") <= width
    finally:
        emulate(page, "clearDeviceMetricsOverride")


SAVED = """window.saved = []; const made = URL.createObjectURL; window.blobs = new Map();
    URL.createObjectURL = (blob) => { const address = made.call(URL, blob); blobs.set(address, blob); return address; };
    HTMLAnchorElement.prototype.click = function () { const [name, blob] = [this.download, blobs.get(this.href)];
      blob.text().then((text) => saved.push([name, text])); };"""


def test_what_is_shown_of_a_gene_and_the_map_can_be_saved(page, study):
    page.run(SAVED)
    page.run("location.hash = '#gene=LDLR'")
    page.wait("return !document.querySelector('.gene-result').hidden")
    result = "document.querySelector('.gene-result')"
    tables = page.run(f"return {result}.querySelectorAll('table').length")
    charts = page.run(f"return {result}.querySelectorAll('svg[role=img]').length")
    assert (tables, charts) == (4, 2)  # expression, variants, design and edits; tracks and marks
    page.run(f"{result}.querySelectorAll('.save').forEach((one) => one.click())")
    page.wait(f"return window.saved.length === {tables + 2 * charts}")
    saved = dict(page.run("return window.saved"))
    assert sorted(name.rsplit(".", 1)[1] for name in saved) == ["png"] * 2 + ["svg"] * 2 + ["tsv"] * 4
    assert all("LDLR" in name for name in saved)
    svg = next(text for name, text in saved.items() if name.endswith("svg"))
    assert "var(--" not in svg
    variants = next(text for text in saved.values() if text.startswith("Variant\t"))
    assert len(variants.splitlines()) == 5
    shown_map(page)
    page.run("window.saved = []; document.querySelectorAll('#study_map .save').forEach((one) => one.click())")
    page.wait("return window.saved.length === 3")
    saved = {name.rsplit(".", 1)[1]: text for name, text in page.run("return window.saved")}
    assert saved["svg"].count("<circle") == 160
    assert HOSTILE not in saved["svg"]
    lines = saved["tsv"].splitlines()
    assert len(lines) == 161
    places = stored_layout(
        read_gene_book(study).files[
            page.run("return document.querySelector('#study_map p').textContent.match(/in (\\w+), the/)[1]")
        ]
    )
    found = {line.split("\t")[0]: line.split("\t")[2:4] for line in lines[1:]}
    for row in places.itertuples():
        assert [float(one) for one in found[row.gene]] == pytest.approx([row.x, row.y], abs=1e-4)
    assert all((study / "figures" / f"study_gene_map.{end}").exists() for end in ("png", "pdf"))


def test_charts_of_a_gene_give_their_values_to_the_pointer_and_the_keyboard(page):
    page.run("location.hash = '#gene=LDLR'")
    page.wait("return !document.querySelector('.gene-result').hidden")
    chart = "document.querySelectorAll('.gene-result svg[role=img]')"
    counts = page.run(f"return [...{chart}].map((one) => one.querySelectorAll('[data-tip]').length)")
    assert counts == [4 * 64, 3 * 20]
    page.run(
        f"""{chart}[1].querySelectorAll('[data-tip]')[9].dispatchEvent(new PointerEvent('pointerover', {{ bubbles: true, clientX: 5, clientY: 5 }}))"""
    )
    assert page.run("return document.getElementById('tip').textContent").startswith(
        "H3K4me3, \N{MINUS SIGN}1000 to 0 bp: +0."
    )
    page.run(f"{chart}[0].scrollIntoView({{ behavior: 'instant', block: 'center' }}); {chart}[0].focus()")
    time.sleep(0.2)  # scrolling hides what was shown
    page.type(".gene-result svg[role=img]", "\ue014\ue014")
    assert "bp: " in page.run(
        "return document.getElementById('tip').hidden ? '' : document.getElementById('tip').textContent"
    )


def test_figures_and_tables_are_saved(page):
    page.run(
        """window.saved = []; HTMLAnchorElement.prototype.click = function () { saved.push(this.download); };"""
    )
    page.run("""document.querySelectorAll('figure .save').forEach((one, number) => { if (number < 2) one.click(); });
                [...document.querySelectorAll('.save')].find((one) => one.textContent === 'TSV').click();""")
    page.wait("return window.saved.length === 3")
    assert {name.rsplit(".", 1)[1] for name in page.run("return window.saved")} == {"svg", "png", "tsv"}
    links = page.run("return [...document.querySelectorAll('.files a')].map((one) => one.href)")
    assert links
    assert all(Path(link.removeprefix("file://")).exists() for link in links)


def test_arrow_keys_read_out_the_picture(page):
    page.run("document.querySelector('#study_finding svg').focus()")
    page.type("#study_finding svg", "\ue014\ue014")
    tip = page.run(
        "return document.getElementById('tip').hidden ? '' : document.getElementById('tip').textContent"
    )
    assert "standard errors above the null" in tip
    assert page.run("return document.querySelectorAll('svg .current').length") == 1


@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_leaves_the_page(page, width):
    emulate(page, "setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
    try:
        page.run("location.hash = '#gene=LDLR'")
        page.wait("return !document.querySelector('.gene-result').hidden")
        page.run("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        assert page.run("return document.documentElement.scrollWidth") <= width
        assert page.run(CONTRAST) == []
        assert page.run("return document.title").startswith("Planted <i>study</i>")
        emulate(page, "setEmulatedMedia", media="print")
        assert page.run("return getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert page.run("return getComputedStyle(document.querySelector('.saving')).display") == "none"
        # the gene that was looked up is on the paper, what it was looked up with is not
        assert page.run("return getComputedStyle(document.querySelector('.gene-result')).display") != "none"
        assert (
            page.run("return getComputedStyle(document.querySelector('.gene-view .controls')).display")
            == "none"
        )
    finally:
        emulate(page, "setEmulatedMedia", media="")
        emulate(page, "clearDeviceMetricsOverride")


def test_without_scripts_text_figures_and_tables_remain(browser, study, tmp_path):
    """In a browser that runs no scripts: nothing of the report and of the page of a gene is hidden but what the page says needs them."""
    single = build_gene_page(study, "LDLR", tmp_path / "gene.html")
    emulate(browser, "setScriptExecutionDisabled", value=True)
    try:
        browser.open((study / "report.html").as_uri())
        text = browser.run("return document.body.innerText")
        assert "is the highest on" in text
        assert "The search needs JavaScript" in text
        assert "the way to a gene need JavaScript" in text
        assert browser.run("return document.querySelectorAll('main table').length") >= 6
        assert browser.run("return document.querySelectorAll('main svg[role=img]').length") >= 2
        assert browser.run("return document.querySelectorAll('.save').length") == 0
        links = browser.run(
            "return [...document.querySelectorAll('#study_map .files a')].map((one) => one.href)"
        )
        assert len(links) == 2
        browser.open(single.as_uri())
        text = browser.run("return document.body.innerText")
        assert all(TITLES[key] in text for key in EVIDENCE)
        assert browser.run("return document.querySelectorAll('main svg[role=img]').length") == 2
        assert browser.run("return document.querySelectorAll('main table').length") == 5
    finally:
        emulate(browser, "setScriptExecutionDisabled", value=False)


@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_of_a_gene_fits_prints_on_white_and_has_contrast(browser, study, tmp_path, width):
    single = build_gene_page(study, HOSTILE, tmp_path / "gene.html")
    browser.log("browser")
    emulate(browser, "setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
    try:
        browser.open(single.as_uri())
        assert HOSTILE in browser.run("return document.querySelector('main').innerText")
        assert browser.run("return document.title").startswith(HOSTILE)
        assert browser.run("return document.documentElement.dataset.scriptErrors") is None
        assert browser.run("return document.documentElement.scrollWidth") <= width
        assert browser.run(CONTRAST) == []
        emulate(
            browser,
            "setEmulatedMedia",
            media="print",
            features=[{"name": "prefers-color-scheme", "value": "dark"}],
        )
        assert browser.run("return getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert browser.run("return getComputedStyle(document.querySelector('.saving')).display") == "none"
        assert (
            browser.run("return getComputedStyle(document.querySelector('svg text')).fill") == "rgb(0, 0, 0)"
        )
    finally:
        emulate(browser, "setEmulatedMedia", media="", features=[])
        emulate(browser, "clearDeviceMetricsOverride")
    assert [one["message"] for one in browser.log("browser")] == []


def test_the_search_packs_what_it_shows(study):
    section = search_section_of(read_gene_book(study))
    assert section.anchor == "genes"
    assert all(
        f'data-name="{name}"' in section.body
        for name in ("head", "genes", "sets", "facts", "neighbours 0", "similarity 2")
    )
