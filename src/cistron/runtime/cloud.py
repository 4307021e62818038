"""Inputs that lie in an object store or behind a web server: ``s3://``, ``gs://``, ``https://``, read in pieces by fsspec.

A command line turns ``s3://bucket/cells.h5ad`` into a :class:`~pathlib.Path`, which keeps one slash of two; the functions here
know such a path by its scheme. Nothing is copied to the disk: HDF5, zarr and bigWig files are read by the ranges that are needed.
"""

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cistron.errors import InputError

SCHEMES = ("s3", "gs", "gcs", "http", "https", "memory")
_URL = re.compile(rf"({'|'.join(SCHEMES)}):/+(?=[^/])")
_BLOCK, _BLOCKS = 1 << 20, 64  # bytes that are fetched at once, and how many such pieces are kept
_PACKAGES = {"s3": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "http": "aiohttp", "https": "aiohttp"}


def cloud_url(path: str | Path) -> str | None:
    """URL that a path stands for, or None for a path of this machine.

    A folder of this machine that is called ``s3:`` is reached by its absolute path only: a path drops a leading ``./``.
    """
    text = str(path)
    match = _URL.match(text)
    return None if match is None else f"{match[1]}://{text[match.end() :]}"


def _file_system(url: str) -> tuple[Any, str]:
    import fsspec

    try:
        return fsspec.core.url_to_fs(url)
    except ImportError as error:
        package = _PACKAGES.get(url.split(":")[0], "its fsspec package")
        raise InputError(
            f"{url} needs the package {package}; install it with: pip install {package}"
        ) from error


def require_here(path: str | Path) -> None:
    """Raise where a path is in the cloud, for files of which ranges cannot be read.

    Raises
    ------
    InputError
        Saying how to copy it.
    """
    url = cloud_url(path)
    if url is not None:
        tool = {"s3": "aws s3 cp", "gs": "gcloud storage cp", "gcs": "gcloud storage cp"}.get(
            url.split(":")[0]
        )
        copy = f"{tool} {url} ." if tool else f"curl -O {url}"
        raise InputError(
            f"{url}: this input is read from this machine; copy it first ({copy}). Read in the cloud are .h5ad, .h5mu, .h5, .zarr and bigWig"
        )


@contextmanager
def _reaching(url: str) -> Iterator[None]:
    """Turn what a store answers into one :class:`InputError`; the libraries behind it raise kinds of their own."""
    try:
        yield
    except (InputError, MemoryError):
        raise
    except FileNotFoundError as error:
        raise InputError(f"{url} does not exist") from error
    except PermissionError as error:
        raise InputError(
            f"{url} may not be read; give credentials as its provider describes, or open it to anybody"
        ) from error
    except Exception as error:
        text = " ".join(str(error).split())[:200]
        raise InputError(f"{url} cannot be reached ({type(error).__name__}: {text})") from error


def exists(path: str | Path) -> bool:
    """Whether a file or folder is there, on this machine or in the cloud.

    Raises
    ------
    InputError
        If a store cannot be reached, refuses, or needs a package that is absent.
    """
    url = cloud_url(path)
    if url is None:
        return Path(path).exists()
    with _reaching(url):
        system, inside = _file_system(url)
        return bool(system.exists(inside))


def is_folder(path: str | Path) -> bool:
    """Whether a path is a folder, on this machine or in the cloud (there by a common prefix of names).

    A web server has no folders: behind it a zarr store is known by its ``zarr.json`` or ``.zgroup``.
    """
    url = cloud_url(path)
    if url is None:
        return Path(path).is_dir()
    with _reaching(url):
        system, inside = _file_system(url)
        if url.startswith("http"):
            return any(system.exists(f"{inside.rstrip('/')}/{name}") for name in ("zarr.json", ".zgroup"))
        return bool(system.isdir(inside))


def open_file(path: str | Path) -> Any:
    """Open a file for reading its bytes, on this machine or in the cloud; the caller closes it.

    Raises
    ------
    InputError
        As of :func:`exists`, and if there is no such file in the cloud.
    """
    url = cloud_url(path)
    if url is None:
        return Path(path).open("rb")
    with _reaching(url):
        system, inside = _file_system(url)
        return system.open(
            inside, "rb", block_size=_BLOCK, cache_type="blockcache", cache_options={"maxblocks": _BLOCKS}
        )


def fingerprint(url: str) -> str:
    """Hexadecimal SHA-256 of what a store says of a file or of each file of a folder: name, size, ETag or time of change.

    The content itself is not read, because that would fetch all of it.

    Raises
    ------
    InputError
        As of :func:`exists`, and if there is nothing.
    """
    with _reaching(url):
        system, inside = _file_system(url)
        if url.startswith("http"):
            roots = [name for name in ("/zarr.json", "/.zgroup", "") if system.exists(f"{inside}{name}")]
            if not roots:
                raise FileNotFoundError(url)
            found = {name: system.info(f"{inside}{name}") for name in roots[:1]}
        else:
            found = system.find(inside, detail=True)
            if not found:
                raise FileNotFoundError(url)
        lines = [
            f"{name.removeprefix(inside)} {entry.get('size')} {_version(entry)}"
            for name, entry in sorted(found.items())
        ]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _version(entry: dict[str, Any]) -> str:
    kept = {key.casefold(): value for key, value in entry.items()}
    names = ("etag", "md5hash", "last-modified", "lastmodified", "updated", "mtime", "created")
    return str(next((kept[name] for name in names if kept.get(name)), ""))
