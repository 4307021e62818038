"""Open bigWig files: what is no bigWig, damaged, or of another assembly than the others is said in one line."""

import os
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from cistron.errors import InputError
from cistron.genes.chromosomes import normalise_chromosome
from cistron.genome.sequence import CHROMOSOME_1, build_name
from cistron.runtime.cloud import cloud_url, open_file

_MAGIC = (0x888FFC26).to_bytes(4, "little"), (0x888FFC26).to_bytes(4, "big")
_BIGBED = (0x8789F2EB).to_bytes(4, "little"), (0x8789F2EB).to_bytes(4, "big")


def open_bigwig(path: str | Path) -> Any:
    """Open a bigWig with pybigtools.

    Raises
    ------
    InputError
        If the file is absent, is no bigWig, is damaged, or holds NaN or infinities.
    """
    import pybigtools

    path = Path(path)
    _require_bigwig(path)
    with reading_bigwig(path):
        handle = pybigtools.open(str(path) if cloud_url(path) is None else open_file(path))
        summary = handle.info()["summary"]
        handle.chroms()
    if np.isnan(summary["sum"]):
        raise InputError(
            f"bigWig {path.name} holds NaN; leave uncovered what was not measured and write it again"
        )
    if not np.isfinite([summary["sum"], summary["min"], summary["max"]]).all() and summary["basesCovered"]:
        raise InputError(
            f"bigWig {path.name} holds infinite signal; leave uncovered what was not measured and write it again"
        )
    return handle


def _require_bigwig(path: Path) -> None:
    """Raise where the first bytes are not those of a bigWig, and say what they are."""
    try:
        with open_file(path) as handle:
            head = handle.read(64)
    except FileNotFoundError as error:
        raise InputError(f"bigWig {path} does not exist") from error
    except OSError as error:
        raise InputError(f"bigWig {path.name} cannot be read ({error.strerror})") from error
    if head[:4] in _MAGIC:
        return
    if head[:4] in _BIGBED:
        raise InputError(f"{path.name} is a bigBed; expected a bigWig with signal")
    if not head:
        raise InputError(f"bigWig {path.name} is empty; it may have been cut while it was copied")
    if head[:2] == b"\x1f\x8b":
        raise InputError(f"bigWig {path.name} is packed with gzip; unpack it (gunzip)")
    if all(byte in b"\t\n\r" or 32 <= byte < 127 for byte in head):
        raise InputError(
            f"{path.name} is text (bedGraph or wig?), not a bigWig; convert it with UCSC's bedGraphToBigWig or wigToBigWig"
        )
    raise InputError(f"{path.name} is not a bigWig (it begins with {head[:4].hex(' ')})")


@contextmanager
def reading_bigwig(path: Path) -> Iterator[None]:
    """Turn what a damaged bigWig makes pybigtools do into one :class:`InputError`.

    It raises kinds of its own, or panics: that is no Exception, and Rust prints a report on the process's standard error
    first. What is printed meanwhile is held back, and given out unless it was such a report.

    Parameters
    ----------
    path
        bigWig that is read.

    Raises
    ------
    InputError
        If the file is damaged.
    """
    if sys.stderr is not None:  # a process without a terminal has none
        sys.stderr.flush()
    with tempfile.TemporaryFile() as held:
        kept = os.dup(2)
        os.dup2(held.fileno(), 2)
        failed = False
        try:
            yield
        except InputError:
            raise
        except BaseException as error:
            if isinstance(error, (KeyboardInterrupt, SystemExit, GeneratorExit, MemoryError)):
                raise
            failed = True
            raise InputError(
                f"bigWig {path.name} is damaged or truncated ({_reason(error)}); copy or fetch it again"
            ) from error
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            if not failed and held.tell():
                held.seek(0)
                os.write(2, held.read())


def _reason(error: BaseException) -> str:
    text = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return text.removeprefix("Error occurred: ").removeprefix(
        "called `Result::unwrap()` on an `Err` value: "
    )[:100]


def assembly_lengths(paths: Iterable[str | Path], build: str = "") -> dict[str, int]:
    """Lengths of the chromosomes of bigWigs that must be of one assembly.

    A chromosome without records is in no bigWig's list, so that each file may lack some. The mitochondrion is not
    compared: GRCh37 goes with two.

    Parameters
    ----------
    paths
        bigWigs.
    build
        Name of the genome build that they are said to be of; may be empty.

    Returns
    -------
    dict
        Chromosome, as the first file that has it spells it, to base pairs.

    Raises
    ------
    InputError
        If two files give a chromosome different lengths, share no chromosome, or chromosome 1 has the length of another
        build than the one that is named.
    """
    found: dict[str, tuple[str, int, str]] = {}
    for path in map(Path, paths):
        lengths: Mapping[str, int] = open_bigwig(path).chroms()
        own = {normalise_chromosome(name): (name, int(size), path.name) for name, size in lengths.items()}
        for key, (name, size, _) in own.items():
            if key in found and found[key][1] != size and key != "M":
                raise InputError(
                    f"bigWigs are of different assemblies: {name} has {found[key][1]:,} bp in {found[key][2]} and {size:,} bp in {path.name}; "
                    "use files of one genome build"
                )
        if found and own and not own.keys() & found.keys():
            raise InputError(
                f"bigWig {path.name} shares no chromosome with the others (it has {', '.join(list(lengths)[:3])}, they have "
                f"{', '.join(name for name, _, _ in list(found.values())[:3])}); is it of another genome?"
            )
        found = own | found
    told = CHROMOSOME_1.get(found["1"][1], "") if "1" in found else ""
    if build and told and build_name(build) in CHROMOSOME_1.values() and build_name(build) != told:
        raise InputError(
            f"bigWig {found['1'][2]} is of {told} by the length of chromosome 1, not of {build}; give the right --genome-build"
        )
    return {name: size for name, size, _ in found.values()}
