"""Fetch data sets: from the cache, a mirror, or their publisher."""

import contextlib
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from cistron.datasets.cache import Place, cache_root, keep, one_writer, problem_with_cached
from cistron.datasets.catalogue import find_data_set
from cistron.datasets.connection import NotThereError
from cistron.datasets.records import DataSet, RemoteFile
from cistron.datasets.transfer import TransferSettings, download
from cistron.errors import DownloadError, InputError
from cistron.runtime import say


@dataclass(frozen=True)
class FetchSettings:
    """Where files may come from and where they go.

    Parameters
    ----------
    output
        Folder used instead of the cache; same layout, ``DATA_SET/FILE``.
    mirror
        Folder or http(s) url with the layout ``DATA_SET/FILE`` (or all files side by side); the network is then
        not used. ``CISTRON_MIRROR`` when absent.
    fall_back
        Ask the publisher when the mirror lacks a file.
    offline
        Use no network. ``CISTRON_OFFLINE=1`` when not given.
    verify
        Hash cached files again, even if nothing about them changed.
    accept_change
        Accept a file that differs from an earlier fetch (files without a published checksum only).
    transfer
        Patience of downloads.
    """

    output: str | Path | None = None
    mirror: str | None = None
    fall_back: bool = False
    offline: bool = False
    verify: bool = False
    accept_change: bool = False
    transfer: TransferSettings = field(default_factory=TransferSettings)

    @property
    def mirror_in_force(self) -> str | None:
        """Address of the mirror: the one given, else that of ``CISTRON_MIRROR``."""
        return self.mirror or os.environ.get("CISTRON_MIRROR") or None

    @property
    def offline_in_force(self) -> bool:
        """Whether the network is forbidden."""
        return self.offline or os.environ.get("CISTRON_OFFLINE", "0") not in ("", "0")


def fetch(name: str, *, only: str | None = None, settings: FetchSettings | None = None) -> list[Path]:
    """Fetch a data set of the catalogue, or find it in the cache.

    Parameters
    ----------
    name
        Name of the data set, see :func:`cistron.datasets.catalogue`.
    only
        Fetch only the files whose name matches (``*`` and ``?`` allowed).
    settings
        Sources and destination; the defaults when absent.

    Returns
    -------
    list of Path
        The files, in the order of the catalogue. Every one was checked.

    Raises
    ------
    InputError
        If there is no such data set or file, or the cache cannot be written.
    DownloadError
        If a file could not be fetched whole and unchanged.

    Examples
    --------
    >>> from cistron.datasets import fetch
    >>> fetch("hgnc_complete_set")  # doctest: +SKIP
    [PosixPath('/home/me/.cache/cistron/hgnc_complete_set/hgnc_complete_set.txt')]
    """
    data_set = find_data_set(name)
    paths = fetch_data_set(data_set, only=only, settings=settings)
    if data_set.licence.commercial is False:
        say(licence_warning(data_set))
    return paths


def licence_warning(data_set: DataSet) -> str:
    """Sentence to show to whoever fetches data that must not be used commercially."""
    return f"{data_set.name}: its licence, {data_set.licence.name}, forbids commercial use ({data_set.licence.url})"


def fetch_data_set(
    data_set: DataSet, *, only: str | None = None, settings: FetchSettings | None = None
) -> list[Path]:
    """Like :func:`fetch` for a record that need not be in the catalogue.

    Parameters
    ----------
    data_set
        The record.
    only
        Pattern of the names of files to fetch; all files when absent.
    settings
        Where to and how; defaults when absent.
    """
    settings = settings or FetchSettings()
    files = data_set.select(only)
    if not files:
        if data_set.access:
            raise DownloadError(f"data set {data_set.name} has no plain download: it {data_set.access}")
        raise InputError(
            f"data set {data_set.name} has one file a request; name it with --only. {data_set.note}"
        )
    root = cache_root(settings.output)
    return [_fetch_file(data_set, file, root, settings) for file in files]


def cached_paths(
    data_set: DataSet, *, only: str | None = None, output: str | Path | None = None
) -> list[Path]:
    """Paths of a data set's files that are in the cache; nothing is fetched or hashed.

    Parameters
    ----------
    data_set
        The record.
    only
        Pattern of the names of files; all files when absent.
    output
        Folder of the cache; the usual one when absent.

    Raises
    ------
    InputError
        If one is missing.
    """
    paths = [Place.of(cache_root(output), data_set, file).path for file in data_set.select(only)]
    missing = [path.name for path in paths if not path.exists()]
    if missing or not paths:
        raise InputError(
            f"data set {data_set.name} is not in {cache_root(output)} "
            f"(missing: {', '.join(missing[:3]) or 'all'}); run 'cistron data fetch {data_set.name}'"
        )
    return paths


def _fetch_file(data_set: DataSet, file: RemoteFile, root: Path, settings: FetchSettings) -> Path:
    place = Place.of(root, data_set, file)
    if place.path.exists() and problem_with_cached(place, file, verify=settings.verify) is None:
        return place.path
    with one_writer(place):
        if place.path.exists():  # another process may have finished it while this one waited
            problem = problem_with_cached(place, file, verify=settings.verify)
            if problem is None:
                return place.path
            say(f"the cached file is damaged ({problem}); fetching it again")
        pieces = _bring_and_keep(data_set, file, place, settings)
        if pieces > 1:
            say(f"{file.name} was put together from {pieces} pieces and did not fit; fetching it in one")
            _bring_and_keep(data_set, file, place, settings, last=True)
    return place.path


def _bring_and_keep(
    data_set: DataSet, file: RemoteFile, place: Place, settings: FetchSettings, *, last: bool = False
) -> int:
    """Fetch one file. Returns 0 when it is kept, else the number of pieces that did not fit together."""
    source, pieces = _bring(data_set, file, place, settings)
    try:
        keep(place, file, source, place.part, accept_change=settings.accept_change)
    except DownloadError:
        place.discard_part()
        if pieces < 2 or last:
            raise
        return pieces
    place.discard_part()
    return 0


def _bring(data_set: DataSet, file: RemoteFile, place: Place, settings: FetchSettings) -> tuple[str, int]:
    """Bring a file into the part of ``place``; tell where it came from and in how many pieces."""
    mirror = settings.mirror_in_force
    if mirror is not None:
        found = _from_mirror(mirror, data_set, file, place, settings)
        if found is not None:
            return found
        if not settings.fall_back:
            raise DownloadError(
                f"mirror {mirror} has neither {data_set.name}/{file.name} nor {file.name}; "
                "add it there, or add --fall-back to ask the publisher"
            )
        say(f"{file.name} is not on the mirror; asking the publisher")
    if settings.offline_in_force:
        raise DownloadError(
            f"{file.name} is not in the cache {place.path.parent}, or damaged there, and the network is off; "
            "go without --offline once, or give --mirror with a folder"
        )
    return file.url, download(file, file.url, place, settings.transfer)


def _from_mirror(
    mirror: str, data_set: DataSet, file: RemoteFile, place: Place, settings: FetchSettings
) -> tuple[str, int] | None:
    candidates = (f"{data_set.name}/{file.name}", file.name)
    if mirror.startswith(("http://", "https://")):
        if settings.offline_in_force:
            raise DownloadError(
                f"mirror {mirror} needs the network, which is off; give a folder or leave out --offline"
            )
        for candidate in candidates:
            url = f"{mirror.rstrip('/')}/{quote(candidate)}"
            with contextlib.suppress(NotThereError):
                return url, download(file, url, place, settings.transfer)
        return None
    folder = Path(mirror).expanduser()
    if not folder.is_dir():
        raise InputError(f"mirror {mirror} is neither an http url nor an existing folder; give one of them")
    for candidate in candidates:
        path = folder / candidate
        if path.is_file():
            place.discard_part()
            shutil.copyfile(path, place.part)
            return str(path), 1
    return None
