"""The search for a gene at full size: 20,000 genes x 10 embeddings x 30 traits in one page, opened from disk by Chromium.

Made-up values; what is measured is the size of the page, the time until it is loaded, the time until a gene that is named in the
address is shown (all blocks unpacked), and the time until the map of all genes is drawn. Every gene has five variants, five elements, and
as many tracks as the page takes. Before that, the time of the layout of 20,000 genes x 64 dimensions. Needs chromium and chromedriver.
"""

import importlib.util
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from cistron.report.gene_map import map_section
from cistron.report.gene_page import search_section_of
from cistron.report.page import Chapter, build_page
from cistron.study.gene_layout import gene_layout
from cistron.study.genes import GeneBook
from cistron.study.plan import StudyPlan

GENES, EMBEDDINGS, TRAITS = 20_000, 10, 30


def book(seed: int = 0) -> GeneBook:
    """A book of made-up genes."""
    generator = np.random.default_rng(seed)
    ids = np.array([f"ENSG{number:011d}" for number in range(GENES)])
    genes = pd.DataFrame(
        {
            "gene": ids, "symbol": [f"SYM{number}" for number in range(GENES)], "entrez": [str(number) for number in range(GENES)],
            "chromosome": [str(number % 22 + 1) for number in range(GENES)], "start": np.arange(GENES) * 1000, "end": np.arange(GENES) * 1000 + 900,
            "strand": "+", "biotype": "protein_coding", "names": [f"{number} OLD{number} ALIAS{number}" for number in range(GENES)],
        }
    )  # fmt: skip
    names = [f"embedding {number}" for number in range(EMBEDDINGS)]
    rank = np.tile(np.arange(1, 11), GENES)
    near = [
        pd.DataFrame(
            {
                "embedding": name, "gene": np.repeat(ids, 10), "rank": rank, "neighbour": ids[generator.integers(0, GENES, 10 * GENES)],
                "similarity": np.sort(generator.random((GENES, 10)))[:, ::-1].ravel(),
            }
        )
        for name in names
    ]  # fmt: skip
    values = {
        "z": generator.normal(size=GENES * TRAITS),
        "null | ridge": generator.normal(size=GENES * TRAITS) * 0.2,
    }
    values |= {f"{name} | ridge": generator.normal(size=GENES * TRAITS) * 0.2 for name in names}
    predictions = pd.DataFrame(
        {
            "gene": np.tile(ids, TRAITS),
            "trait": np.repeat([f"trait {n}" for n in range(TRAITS)], GENES),
            **values,
        }
    )
    sets = {gene: sorted(generator.choice(3000, 20, replace=False).tolist()) for gene in ids}
    edges = pd.DataFrame(
        {"source": ids[generator.integers(0, 1500, 60_000)], "target": ids[generator.integers(0, GENES, 60_000)], "weight": generator.random(60_000), "network": "known"}
    )  # fmt: skip
    plan = StudyPlan("made up", 0, (), ())
    return GeneBook(
        plan,
        Path(),
        genes,
        pd.concat(near),
        predictions,
        [f"set {n}" for n in range(3000)],
        sets,
        edges,
        pd.DataFrame(),
        names,
        evidence_of(ids, generator),
    )


def evidence_of(ids: np.ndarray, generator: np.random.Generator) -> dict[str, pd.DataFrame]:
    """Made-up files of other commands that tell of every gene."""
    five = np.repeat(ids, 5)
    tracks = pd.DataFrame(
        {
            "gene": np.repeat(ids, 4), "file": "tracks.zarr", "build": "GRCh38", "track": np.tile([f"CAGE:cell {n}" for n in range(4)], len(ids)),
            "start": -4096, "bin_size": 128, "values": list(generator.gamma(1.0, 1.0, (4 * len(ids), 64)).astype(np.float32)),
        }
    )  # fmt: skip
    variants = pd.DataFrame(
        {
            "gene": five, "file": "variants.parquet", "chromosome": "1", "position": generator.integers(1, 10**8, len(five)), "ref": "A", "alt": "C",
            "id": [f"rs{n}" for n in range(len(five))], "distance": generator.integers(-10**5, 10**5, len(five)), "track": "CAGE:liver",
            "change": generator.normal(size=len(five)), "scale": "log2 ratio",
        }
    )  # fmt: skip
    elements = pd.DataFrame(
        {
            "gene": five, "file": "contributions.tsv", "element": [f"element{n}" for n in range(len(five))], "chromosome": "1", "start": 1000, "end": 1500,
            "distance": generator.integers(0, 10**5, len(five)), "method": "gradient", "score": generator.random(len(five)),
        }
    )  # fmt: skip
    return {"tracks": tracks, "variants": variants, "enhancers": elements}


def layout_of(ids: np.ndarray, seed: int = 0) -> pd.DataFrame:
    """Lay out sixty groups of genes, and say what that takes and keeps."""
    generator = np.random.default_rng(seed)
    centres = generator.normal(size=(60, 64))
    values = centres[generator.integers(0, 60, len(ids))] + 0.6 * generator.normal(size=(len(ids), 64))
    started = time.process_time()
    places = gene_layout(values.astype(np.float32))
    print(f"layout of {len(ids):,} genes x 64 dimensions: {time.process_time() - started:.1f} CPU s")
    return pd.DataFrame({"gene": ids, "x": places[:, 0], "y": places[:, 1]})


def main() -> None:
    """Print size and times."""
    place = Path(__file__).parents[1] / "tests/report/test_browser.py"
    spec = importlib.util.spec_from_file_location("test_browser", place)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    made = book()
    layout = layout_of(made.genes["gene"].to_numpy())
    started = time.process_time()
    sections = (
        search_section_of(made, layout),
        map_section(made, layout, made.embeddings[0], "study_"),
    )
    page = build_page("Gene page", [Chapter("Gene page", "study_", {"warnings": []}, sections)], study=True)
    print(
        f"{GENES:,} genes x {EMBEDDINGS} embeddings x {TRAITS} traits: {len(page) / 1e6:.1f} MB, made in {time.process_time() - started:.0f} CPU s"
    )
    with tempfile.TemporaryDirectory() as folder, socket.socket() as probe:
        path = Path(folder) / "page.html"
        path.write_text(page)
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        driver = subprocess.Popen(
            [module.DRIVER, f"--port={port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(3)
        try:
            browser = module.Browser(port, Path(folder) / "profile")

            def cpu() -> float:
                found = browser.call(
                    "POST",
                    browser.session + "/goog/cdp/execute",
                    {"cmd": "Performance.getMetrics", "params": {}},
                )
                return next(one["value"] for one in found["metrics"] if one["name"] == "TaskDuration")

            ticks = {"cmd": "Performance.enable", "params": {"timeDomain": "threadTicks"}}
            browser.call("POST", browser.session + "/goog/cdp/execute", ticks)
            for _ in range(3):
                browser.open(path.as_uri())
                opened = cpu()  # the counter begins anew with a page
                loaded = browser.run("return performance.getEntriesByType('navigation')[0].loadEventEnd")
                before = time.monotonic()
                browser.run("location.hash = '#gene=ALIAS777'")
                browser.wait("return !document.querySelector('.gene-result').hidden", 60)
                shown, first = time.monotonic() - before, cpu()
                print(
                    f"loaded after {loaded / 1000:.2f} s ({opened:.2f} s of work), first gene {shown:.2f} s after it is asked for "
                    f"({first - opened:.2f} s of work of the page)"
                )
                browser.open(path.as_uri())
                opened, before = cpu(), time.monotonic()
                browser.run("document.querySelector('#study_map').scrollIntoView({ behavior: 'instant' })")
                browser.wait("return document.querySelector('.gene-map').dataset.ready === '1'", 60)
                print(
                    f"  map {time.monotonic() - before:.2f} s after it is asked for ({cpu() - opened:.2f} s of work)"
                )
            browser.quit()
        finally:
            driver.terminate()
