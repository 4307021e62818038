"""What the catalogue knows about a public data set. Records are frozen and cannot be built wrong."""

import fnmatch
import re
from dataclasses import dataclass
from typing import Literal

from cistron.errors import InputError

_CHECKSUM = re.compile(r"(sha256:[0-9a-f]{64}|md5:[0-9a-f]{32})\Z")
_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*\Z")
BUILDS = ("GRCh37", "GRCh38", "GRCm38", "GRCm39")

UrlStatus = Literal["tried", "quoted", "unconfirmed"]
"""``tried``: a maintainer fetched it. ``quoted``: the publisher or published code gives this very url, nobody
tried it for this catalogue. ``unconfirmed``: built from the publisher's naming scheme, not seen anywhere."""


@dataclass(frozen=True)
class Licence:
    """Terms of use of a data set, as its publisher states them.

    Parameters
    ----------
    name
        Short name, for example ``"CC BY 4.0"``.
    url
        Page where the publisher states it.
    commercial
        Whether commercial use is allowed; ``None`` where the publisher does not say.
    """

    name: str
    url: str
    commercial: bool | None


CC0 = Licence("CC0 1.0", "https://creativecommons.org/publicdomain/zero/1.0/", True)
CC_BY = Licence("CC BY 4.0", "https://creativecommons.org/licenses/by/4.0/", True)
CC_BY_SA = Licence("CC BY-SA 4.0", "https://creativecommons.org/licenses/by-sa/4.0/", True)
CC_BY_NC = Licence("CC BY-NC 4.0", "https://creativecommons.org/licenses/by-nc/4.0/", False)
APACHE = Licence("Apache-2.0", "https://www.apache.org/licenses/LICENSE-2.0", True)
MIT = Licence("MIT", "https://opensource.org/license/mit", True)


@dataclass(frozen=True)
class RemoteFile:
    """One file of a data set.

    Parameters
    ----------
    name
        Name of the file in the cache; no folders.
    url
        Where it is (http or https).
    size
        Exact size in bytes, checked; ``None`` when it is not known for certain.
    checksum
        ``"sha256:..."`` or ``"md5:..."`` in hexadecimal, checked; ``None`` when it is not known for certain.
    about
        Approximate size in bytes; much less than it is refused.
    """

    name: str
    url: str
    size: int | None = None
    checksum: str | None = None
    about: int | None = None

    def __post_init__(self) -> None:
        if not _FILE_NAME.match(self.name):
            raise InputError(
                f"file name {self.name!r} is not a plain name; use letters, digits, dot, dash, plus, underscore"
            )
        if not self.url.startswith(("https://", "http://")):
            raise InputError(f"file {self.name}: url {self.url!r} is not http or https; give such a url")
        if self.checksum is not None and not _CHECKSUM.match(self.checksum):
            raise InputError(
                f"file {self.name}: checksum {self.checksum!r} is not 'sha256:' or 'md5:' and lower-case hexadecimal"
            )
        if self.size is not None and self.size <= 0:
            raise InputError(
                f"file {self.name}: size {self.size} is not positive; leave it out when it is not known"
            )

    @property
    def checked_by(self) -> str:
        """How a download is checked: by the publisher's checksum, by size, or only against its own first fetch."""
        if self.checksum is not None:
            return self.checksum.split(":")[0]
        return "size" if self.size is not None else "first fetch"

    @property
    def bytes_expected(self) -> int | None:
        """Exact size, or the approximate one, or ``None``."""
        return self.size if self.size is not None else self.about


@dataclass(frozen=True)
class DataSet:
    """One entry of the catalogue.

    Parameters
    ----------
    name
        Name on the command line: lower-case letters, digits, underscores.
    title
        What it is, one line.
    licence
        Terms of use.
    citation
        What to cite, with its DOI where there is one.
    homepage
        Page of the publisher.
    used_by
        Commands or wings that read it.
    files
        Files with a fixed name.
    pattern
        Url with ``{file}`` where the publisher has many files with a naming scheme: a file that is not in
        ``files`` can then be asked for by name.
    genome_build
        Build of its coordinates, ``None`` where it has none.
    access
        How to get it where no plain download exists (log-in, requester pays, a package).
    note
        What a user must know before using it.
    url_status
        How far the urls were confirmed.
    """

    name: str
    title: str
    licence: Licence
    citation: str
    homepage: str
    used_by: tuple[str, ...]
    files: tuple[RemoteFile, ...] = ()
    pattern: str | None = None
    genome_build: str | None = None
    access: str | None = None
    note: str = ""
    url_status: UrlStatus = "quoted"

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9_]*", self.name):
            raise InputError(f"data set name {self.name!r} is not lower-case letters, digits and underscores")
        if not (self.files or self.pattern or self.access):
            raise InputError(
                f"data set {self.name} has no files, no pattern and no access note; give one of them"
            )
        names = [file.name for file in self.files]
        if len(set(names)) < len(names):
            raise InputError(f"data set {self.name} names a file twice; give every file its own name")
        if self.pattern is not None and "{file}" not in self.pattern:
            raise InputError(f"data set {self.name}: pattern {self.pattern!r} has no {{file}}")
        if self.genome_build is not None and self.genome_build not in BUILDS:
            raise InputError(
                f"data set {self.name}: build {self.genome_build!r} is not one of {', '.join(BUILDS)}"
            )
        if not self.used_by or not self.citation or not self.homepage:
            raise InputError(f"data set {self.name} lacks used_by, citation or homepage")

    @property
    def bytes_expected(self) -> int | None:
        """Size of all files where every one is known, at least approximately."""
        sizes = [file.bytes_expected for file in self.files]
        return None if not sizes or None in sizes else sum(size for size in sizes if size is not None)

    def select(self, only: str | None = None) -> tuple[RemoteFile, ...]:
        """Files of the data set that match ``only`` (a name, or a pattern with ``*`` and ``?``).

        Raises
        ------
        InputError
            If nothing matches, with the names that exist.
        """
        if only is None:
            return self.files
        chosen = tuple(file for file in self.files if fnmatch.fnmatchcase(file.name, only))
        if chosen:
            return chosen
        if self.pattern is not None and not set("*?[") & set(only):
            return (RemoteFile(only, self.pattern.format(file=only)),)
        known = ", ".join(file.name for file in self.files[:5]) + (", ..." if len(self.files) > 5 else "")
        scheme = f"; any file of {self.pattern} can be asked for by its full name" if self.pattern else ""
        raise InputError(
            f"data set {self.name} has no file {only!r}; it has: {known or 'no fixed files'}{scheme}"
        )
