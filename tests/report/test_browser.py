"""The report in a real browser: no error, no request, and its tables and gene view do what they say."""

import itertools
import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cistron.report import build_report

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--no-first-run", "--window-size=1280,900",
]  # fmt: skip


class Browser:
    """A Chromium driven through chromedriver's HTTP interface."""

    def __init__(self, port: int, profile: Path) -> None:
        self.address = f"http://127.0.0.1:{port}"
        capabilities = {
            "browserName": "chrome",
            "goog:chromeOptions": {"binary": CHROMIUM, "args": [*ARGUMENTS, f"--user-data-dir={profile}"]},
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
        }
        session = self.call("POST", "/session", {"capabilities": {"alwaysMatch": capabilities}})
        self.session = f"/session/{session['sessionId']}"

    def call(self, method: str, path: str, body: dict | None = None):
        """Send one command and return its value."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.address + path, data, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)["value"]

    def open(self, address: str) -> None:
        """Load a page afresh: a change of the hash alone would not."""
        self.call("POST", self.session + "/url", {"url": "about:blank"})
        self.call("POST", self.session + "/url", {"url": address})

    def run(self, script: str, *arguments: object):
        """Run a script in the page and return its value."""
        return self.call("POST", self.session + "/execute/sync", {"script": script, "args": list(arguments)})

    def wait(self, script: str, seconds: float = 20.0):
        """Run a script until it returns something true."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            value = self.run(script)
            if value:
                return value
            time.sleep(0.05)
        raise AssertionError(f"never came true: {script}")

    def type(self, selector: str, keys: str) -> None:
        """Type into an element, as a user does."""
        element = self.call("POST", self.session + "/element", {"using": "css selector", "value": selector})
        self.call("POST", f"{self.session}/element/{next(iter(element.values()))}/value", {"text": keys})

    def log(self, kind: str) -> list[dict]:
        """Take the browser's messages since the last call."""
        return self.call("POST", self.session + "/se/log", {"type": kind})

    def quit(self) -> None:
        """Close the browser."""
        self.call("DELETE", self.session)


@pytest.fixture(scope="module")
def browser(tmp_path_factory) -> Iterator[Browser]:
    """One browser for all tests of this file."""
    if CHROMIUM is None or DRIVER is None:
        pytest.skip("chromium and chromedriver are not installed: the report is not tried in a browser")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = tmp_path_factory.mktemp("browser")
    with (folder / "driver.log").open("w") as log:
        driver = subprocess.Popen([DRIVER, f"--port={port}"], stdout=log, stderr=log)
        try:
            for _ in range(100):
                try:
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/status", timeout=5).close()
                    break
                except urllib.error.URLError:
                    time.sleep(0.1)
            browser = Browser(port, folder / "profile")
            yield browser
            browser.quit()
        finally:
            driver.terminate()
            driver.wait(timeout=20)


@pytest.fixture(scope="module")
def folder(make_result, tmp_path_factory) -> Path:
    """Result folder with a hostile trait name and its report."""
    folder = make_result(
        tmp_path_factory.mktemp("run"),
        traits=["SHBG", "HDL", "<script>document.title='broken'</script>", "Urate", "MCH"],
        embeddings=["pca", "tiny"],
        strengths=[0.6, 0.0],
        genes=200,
        warnings=["not whitened"],
    )
    build_report([folder], folder / "report.html")
    return folder


@pytest.fixture
def page(browser, folder) -> Iterator[Browser]:
    """The report, freshly loaded; after the test it must have had no error and sent no request."""
    browser.log("browser")
    browser.log("performance")
    browser.open((folder / "report.html").as_uri())
    yield browser
    assert browser.run("return document.documentElement.dataset.scriptErrors") is None
    messages = [entry["message"] for entry in browser.log("browser")]
    assert messages == []
    requests = [json.loads(entry["message"])["message"] for entry in browser.log("performance")]
    addresses = [
        entry["params"]["request"]["url"]
        for entry in requests
        if entry["method"] == "Network.requestWillBeSent"
    ]
    assert all(address.startswith(("file:", "about:", "blob:")) for address in addresses), addresses


VISIBLE = """
return [...document.querySelectorAll('table.sortable tbody tr')].filter(row => !row.hidden)
  .map(row => [row.cells[0].firstChild.data.trim(), row.cells[1].textContent, Number(row.cells[2].dataset.value)]);
"""


def test_the_page_shows_its_parts_and_the_hostile_name_as_text(page):
    assert page.run("return document.title") == "GWAS gene scores: planted traits · cistron"
    assert page.run("return document.querySelectorAll('main section.card').length") == 9
    assert page.run("return document.querySelectorAll('figure svg').length") == 5
    assert "not whitened" in page.run("return document.querySelector('.warnings').innerText")
    words = page.run("return document.body.innerText")
    assert "<script>document.title='broken'</script>" in words
    assert "pca (the best of 2) knows something" in words


def test_sorting_by_a_heading_up_and_down(page):
    click = "document.querySelectorAll('table.sortable thead button')[arguments[0]].click()"
    before = page.run(VISIBLE)
    page.run(click, 2)
    values = [row[2] for row in page.run(VISIBLE)]
    assert values == sorted(values, reverse=True)
    assert values != [row[2] for row in before]
    page.run(click, 2)
    assert [row[2] for row in page.run(VISIBLE)] == values[::-1]
    assert page.run("return document.querySelectorAll('th[aria-sort]').length") == 1
    page.run(click, 0)
    names = [row[0] for row in page.run(VISIBLE)]
    assert names[-4:] == ["SHBG", "SHBG", "Urate", "Urate"]


def test_filters_by_text_embedding_and_interval(page):
    page.type(".text-filter", "shb")
    assert {row[0] for row in page.run(VISIBLE)} == {"SHBG"}
    assert page.run("return document.querySelector('.table-tool .status').textContent") == "2 of 10 rows"
    page.run("""const box = document.querySelector('.column-filter'); box.value = 'tiny';
                box.dispatchEvent(new Event('input'));""")
    assert [row[:2] for row in page.run(VISIBLE)] == [["SHBG", "tiny"]]
    page.run("""document.querySelector('.text-filter').value = ''; document.querySelector('.column-filter').value = '';
                document.querySelector('.above-filter').click();""")
    shown = page.run(VISIBLE)
    assert {row[1] for row in shown} == {"pca"}
    assert all(row[2] > 0.006 for row in shown)


def test_the_table_is_saved_as_it_is_shown(page):
    page.run("""window.saved = []; URL.createObjectURL = (blob) => { blob.text().then((t) => saved.push(t)); return 'blob:x'; };
                HTMLAnchorElement.prototype.click = () => {};""")
    page.type(".text-filter", "document.title tiny")
    page.run("document.querySelector('.download').click()")
    page.wait("return window.saved.length")
    lines = page.run("return window.saved[0]").splitlines()
    assert lines[0].startswith("Trait,Embedding,ΔR²,from,to")
    assert len(lines) == 2
    assert lines[1].startswith("<script>document.title='broken'</script>,tiny,")


def _expected(folder: Path, gene: str) -> pd.DataFrame:
    table = pd.read_parquet(folder / "predictions.parquet")
    table = table[table["gene"] == gene]
    return table.reindex(table["z"].abs().sort_values(ascending=False).index)


def _shown(page: Browser) -> list[list[str]]:
    return page.run("""return [...document.querySelectorAll('.gene-result tbody tr')]
        .map(row => [...row.cells].map(cell => cell.firstChild && cell.firstChild.data || ''))""")


def test_the_gene_view_finds_a_symbol_and_shows_z_and_predictions(page, folder):
    page.type(".combobox input", "gene3")
    options = page.wait(
        """return [...document.querySelectorAll('[role=option]')].map(o => o.innerText.split('\\n')[0])"""
    )
    assert options[0] == "GENE3"
    assert "GENE30" in options
    page.type(".combobox input", "\ue007")
    page.wait("return document.querySelector('.gene-result').dataset.gene === 'ENSG00000000003'")
    expected = _expected(folder, "ENSG00000000003")
    shown = _shown(page)
    assert [row[0] for row in shown] == list(expected["trait"])
    numbers = np.array([[float(cell.replace("\N{MINUS SIGN}", "-")) for cell in row[2:]] for row in shown])
    assert (
        np.abs(numbers - expected[["z", "null | ridge", "pca | ridge", "tiny | ridge"]].to_numpy()).max()
        < 0.0081
    )
    assert page.run("return location.hash") == "#gene=ENSG00000000003"


def test_neighbours_are_those_of_the_run_and_lead_on(page, folder):
    page.run("location.hash = '#gene=ENSG00000000014'")
    page.wait("return document.querySelector('.gene-result').dataset.gene === 'ENSG00000000014'")
    near = pd.read_parquet(folder / "neighbours.parquet")
    near = near[(near["gene"] == "ENSG00000000014") & (near["embedding"] == "tiny")].sort_values("rank")
    shown = page.run("""return [...document.querySelectorAll('.neighbours > div')[1].querySelectorAll('li')]
        .map(item => [item.firstChild.dataset.gene, Number(item.lastChild.textContent)])""")
    assert [row[0] for row in shown] == list(near["neighbour"])
    assert [row[1] for row in shown] == pytest.approx(list(near["similarity"]), abs=0.0051)
    page.run("document.querySelector('.neighbours li button').click()")
    page.wait("return document.querySelector('.gene-result').dataset.gene !== 'ENSG00000000014'")


def test_the_keyboard_chooses_among_the_suggestions(page):
    page.type(".combobox input", "GENE1")
    page.wait("return document.querySelectorAll('[role=option]').length > 2")
    page.type(".combobox input", "\ue015\ue015")  # arrow down twice
    second = page.run("return document.querySelectorAll('[role=option]')[1].dataset.gene")
    active = page.run(
        "return document.querySelector('.combobox input').getAttribute('aria-activedescendant')"
    )
    assert active.endswith("-1")
    page.type(".combobox input", "\ue007")
    page.wait(f"return document.querySelector('.gene-result').dataset.gene === '{second}'")
    assert page.run("return document.querySelector('[role=listbox]').hidden") is True


def test_a_gene_that_is_not_there_is_said(page):
    page.type(".combobox input", "NOSUCHGENE")
    page.wait("return document.querySelector('.gene-view .status').textContent.includes('NOSUCHGENE')")
    assert page.run("return document.querySelector('.gene-result').hidden") is True


def test_pointing_at_a_cell_shows_its_remark(page):
    page.run("""const cell = document.querySelector('#gwas_heat_map-cells [data-tip]') ||
                  [...document.querySelectorAll('[id$=cells] [data-tip]')][0];
                cell.dispatchEvent(new PointerEvent('pointerover', {bubbles: true, clientX: 50, clientY: 50}));""")
    tip = page.run("const tip = document.getElementById('tip'); return tip.hidden ? '' : tip.textContent")
    assert "ΔR²" in tip
    assert page.run("return document.querySelectorAll('#gwas_heat_map-cells [data-tip]').length") == 10


def test_everything_can_be_reached_and_is_named(page):
    unnamed = page.run("""return [...document.querySelectorAll('input, select, button, meter, svg[role=img]')]
        .filter(e => !(e.labels && e.labels.length) && !e.getAttribute('aria-label') && !e.textContent.trim())
        .map(e => e.outerHTML.slice(0, 90))""")
    assert unnamed == []
    assert page.run("return document.documentElement.lang") == "en"
    levels = page.run("return [...document.querySelectorAll('h1, h2, h3')].map(h => Number(h.tagName[1]))")
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))


CONTRAST = """
const channel = (v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
const luminance = (c) => 0.2126 * channel(c[0]) + 0.7152 * channel(c[1]) + 0.0722 * channel(c[2]);
const parse = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
const behind = (e) => { for (; e; e = e.parentElement) {
  const c = parse(getComputedStyle(e).backgroundColor); if (c.length === 3 || c[3] === 1) return c; } return [255, 255, 255]; };
return [...document.querySelectorAll('p, td, th, dt, dd, li, a, h1, h2, h3, label, figcaption')]
  .filter(e => e.innerText && e.innerText.trim() && !e.closest('[hidden]')).map(e => {
    const [a, b] = [luminance(parse(getComputedStyle(e).color)), luminance(behind(e))];
    return [(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), e.outerHTML.slice(0, 80)];
  }).filter(([ratio]) => ratio < 4.5);
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
def test_nothing_leaves_a_narrow_or_wide_page_and_text_has_contrast(page, scheme, width):
    def emulate(command: str, **parameters: object) -> None:
        page.call(
            "POST", page.session + "/goog/cdp/execute", {"cmd": f"Emulation.{command}", "params": parameters}
        )

    emulate("setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
    emulate("setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    try:
        page.run("location.hash = '#gene=ENSG00000000003'")
        page.wait("return !document.querySelector('.gene-result').hidden")
        assert page.run("return document.documentElement.scrollWidth") <= width
        assert page.run(CONTRAST) == []
    finally:
        emulate("clearDeviceMetricsOverride")
        emulate("setEmulatedMedia", features=[])


def test_the_page_renders_with_chromium_alone(folder, tmp_path):
    if CHROMIUM is None:
        pytest.skip("chromium is not installed: the report is not tried in a browser")
    address = (folder / "report.html").as_uri() + "#gene=GENE5"
    command = [
        CHROMIUM,
        *ARGUMENTS,
        f"--user-data-dir={tmp_path}",
        "--virtual-time-budget=8000",
        "--dump-dom",
        address,
    ]
    dom = subprocess.run(command, capture_output=True, timeout=120, check=True).stdout.decode()
    assert "data-script-errors" not in dom
    assert '<div class="gene-result" data-gene="ENSG00000000005">' in dom
