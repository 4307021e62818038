"""The report of a study and the page of a gene in a browser: search, map, charts, what is saved, paper, small screens, no scripts."""

import json
import sys
import time
from pathlib import Path

import pytest

from cistron.report.gene_facts import EVIDENCE, TITLES
from cistron.report.gene_single import build_gene_page
from cistron.study.gene_layout import stored_layout
from cistron.study.genes import read_gene_book

sys.path.insert(0, str(Path(__file__).parent))
try:
    from planted_study import HOSTILE
    from test_browser import CONTRAST, browser  # noqa: F401  # the fixture
finally:
    sys.path.remove(str(Path(__file__).parent))


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
