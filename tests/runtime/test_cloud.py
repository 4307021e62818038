"""Inputs in an object store: a server on this machine that speaks S3, and the results of local files."""

import asyncio
import gc
import os
import warnings
from pathlib import Path

import aiohttp
import anndata
import h5py
import numpy as np
import pytest
import zarr

from cistron.errors import InputError
from cistron.formats.gene_tracks import open_gene_tracks
from cistron.genome.bigwig import open_bigwig
from cistron.runtime.cloud import cloud_url, exists, fingerprint, is_folder, open_file
from cistron.world.sample_data import write_sample_data

_KEYS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
}


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("sample") / "files"
    write_sample_data(folder)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what anndata says of its own future
        anndata.read_h5ad(folder / "screen.h5ad").write_zarr(folder / "screen.zarr")
    return folder


def _close_sessions() -> None:
    """Close what zarr and s3fs keep open as long as the process lives; a later test would be told of it otherwise."""
    for found in gc.get_objects():
        if type(found) is aiohttp.ClientSession and not found.closed:
            asyncio.run_coroutine_threadsafe(found.close(), found._loop).result(30)


@pytest.fixture(scope="module")
def bucket(files):
    """URL of a bucket with the sample files."""
    import fsspec
    from moto.server import ThreadedMotoServer

    before = dict(os.environ)
    server = ThreadedMotoServer("127.0.0.1", 0)
    server.start()
    host, port = server.get_host_and_port()
    os.environ |= {**_KEYS, "AWS_ENDPOINT_URL": f"http://{host}:{port}"}
    store = fsspec.filesystem("s3")
    store.mkdir("lab")
    for name in ("screen.h5ad", "screen.zarr", "tissues.h5ad", "TPM.tsv", "marks"):
        store.put(str(files / name), f"lab/{name}", recursive=True)
    yield "s3://lab"
    _close_sessions()
    server.stop()
    os.environ.clear()
    os.environ.update(before)
    store.clear_instance_cache()


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("s3:/lab/cells.h5ad", "s3://lab/cells.h5ad"),
        ("s3://lab/cells.h5ad", "s3://lab/cells.h5ad"),
        ("https:/lab.org/a/b.bw", "https://lab.org/a/b.bw"),
        ("./s3:/lab/cells.h5ad", "s3://lab/cells.h5ad"),  # a path drops the leading dot
        ("s3/lab/cells.h5ad", None),
        ("C:/lab/cells.h5ad", None),
        ("/s3:/lab", None),
    ],
)
def test_url_of_a_path(text, url):
    assert cloud_url(Path(text)) == url


def test_what_is_there(bucket):
    assert exists(f"{bucket}/screen.h5ad")
    assert not exists(f"{bucket}/absent.h5ad")
    assert is_folder(Path(f"{bucket}/screen.zarr"))
    assert not is_folder(f"{bucket}/screen.h5ad")


@pytest.mark.parametrize("name", ["screen.h5ad", "screen.zarr"])
def test_networks_from_a_store_equal_those_of_a_file(bucket, files, run, tmp_path, name):
    for place, output in ((bucket, "cloud"), (files, "here")):
        code, _, errors = run(
            "networks",
            "quality",
            f"{place}/{name}",
            "--perturbation",
            "gene",
            "--output",
            tmp_path / f"{output}.tsv",
        )
        assert code == 0, errors
    assert (tmp_path / "cloud.tsv").read_bytes() == (tmp_path / "here.tsv").read_bytes()


def test_a_finished_run_is_known_again_and_a_changed_file_is_told(bucket, files, run, tmp_path):
    import fsspec

    words = (
        "omics",
        "embed",
        f"{bucket}/tissues.h5ad",
        "--dimensions",
        "4",
        "--output",
        tmp_path / "pca.h5ad",
    )
    assert run(*words)[0] == 0
    code, shown, _ = run(*words)
    assert code == 0
    assert "is finished" in shown
    changed = anndata.read_h5ad(files / "tissues.h5ad")
    changed.X = changed.X * np.linspace(1, 2, changed.n_vars)
    changed.write_h5ad(tmp_path / "tissues.h5ad")
    fsspec.filesystem("s3").put(str(tmp_path / "tissues.h5ad"), "lab/tissues.h5ad")
    code, _, errors = run(*words)
    assert code == 2
    assert "its inputs are others" in errors


def test_tracks_of_a_store(bucket, files, run, tmp_path):
    table = (files / "TRACKS.tsv").read_text()
    (tmp_path / "cloud.tsv").write_text(table.replace("marks/", f"{bucket}/marks/"))
    genes = (
        "--annotation",
        files / "gencode.gtf.gz",
        "--expression",
        files / "TPM.tsv",
    )
    for tracks, output in ((tmp_path / "cloud.tsv", "cloud.zarr"), (files / "TRACKS.tsv", "here.zarr")):
        code, _, errors = run("chromatin", "build", "--tracks", tracks, *genes, "--output", tmp_path / output)
        assert code == 0, errors
    one, other = (open_gene_tracks(tmp_path / name).tracks.values[:] for name in ("cloud.zarr", "here.zarr"))
    np.testing.assert_array_equal(one, other)


def test_only_ranges_are_fetched(bucket, tmp_path):
    import fsspec

    with h5py.File(tmp_path / "large.h5", "w") as file:
        file["values"] = np.random.default_rng(0).random((60, 1 << 17))
    store = fsspec.filesystem("s3")
    store.put(str(tmp_path / "large.h5"), "lab/large.h5")
    with open_file(f"{bucket}/large.h5") as remote, h5py.File(remote, "r") as file:
        assert file["values"][3, 5] > 0
        assert remote.cache.total_requested_bytes < (tmp_path / "large.h5").stat().st_size / 2


def test_fingerprints_follow_the_content(bucket, files):
    import fsspec

    store = fsspec.filesystem("s3")
    store.put(str(files / "TPM.tsv"), "lab/copy.tsv")
    before = fingerprint(f"{bucket}/copy.tsv")
    assert before == fingerprint(f"{bucket}/copy.tsv")
    store.pipe("lab/copy.tsv", store.cat("lab/copy.tsv")[::-1])  # of the same size
    assert fingerprint(f"{bucket}/copy.tsv") != before
    root = zarr.open_group(f"{bucket}/screen.zarr", mode="r")
    assert "X" in root
    assert fingerprint(f"{bucket}/screen.zarr") != fingerprint(f"{bucket}/screen.h5ad")


def test_outputs_stay_on_this_machine(files, run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ("omics", "embed", files / "tissues.h5ad", "--dimensions", "4", "--output")
    code, _, errors = run(*words, "s3://lab/pca.h5ad")
    assert (code, "outputs are written on this machine" in errors) == (2, True)
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_read_is_said(bucket, run, tmp_path):
    output = tmp_path / "out.h5ad"
    code, _, errors = run("omics", "embed", f"{bucket}/absent.h5ad", "--output", output)
    assert (code, "s3://lab/absent.h5ad does not exist" in errors) == (2, True)
    code, _, errors = run("omics", "embed", f"{bucket}/TPM.tsv", "--output", output)
    assert (code, "aws s3 cp s3://lab/TPM.tsv ." in errors) == (2, True)
    code, _, errors = run("embedding", "check", f"{bucket}/tissues.h5ad")
    assert (code, "is read from this machine" in errors) == (2, True)
    with pytest.raises(InputError, match="is text"):
        open_bigwig(f"{bucket}/TPM.tsv")
    code, _, errors = run("omics", "embed", "https://127.0.0.1:9/a.h5ad", "--output", output)
    assert (code, "https://127.0.0.1:9/a.h5ad" in errors) == (2, True)
    assert not output.exists()
