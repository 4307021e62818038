"""Write TFRecords, for tests only: plain, ZLIB or GZIP, by the published layout."""

import gzip
import json
import zlib
from pathlib import Path

import google_crc32c
import numpy as np


def checksum(data: bytes) -> bytes:
    value = google_crc32c.value(data)
    return ((((value >> 15) | (value << 17)) + 0xA282EAD8) & 0xFFFFFFFF).to_bytes(4, "little")


def varint(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def field(number: int, content: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(content)) + content


def example(**features: np.ndarray) -> bytes:
    entries = b"".join(
        field(
            1, field(1, name.encode()) + field(2, field(1, field(1, np.ascontiguousarray(value).tobytes())))
        )
        for name, value in features.items()
    )
    return field(1, entries)


def records(messages: list[bytes]) -> bytes:
    out = b""
    for message in messages:
        size = len(message).to_bytes(8, "little")
        out += size + checksum(size) + message + checksum(message)
    return out


def pack(content: bytes, packing: str) -> bytes:
    return {"ZLIB": zlib.compress, "GZIP": gzip.compress}.get(packing, bytes)(content)


def write_data_set(
    folder: Path,
    *,
    codes: np.ndarray,
    targets: np.ndarray,
    bed: list[tuple[str, int, int, str]],
    table: str,
    bin_size: int,
    per_file: int,
    packing: str = "ZLIB",
    one_hot: bool = False,
    target_name: str = "target",
) -> None:
    """Write a data set as Basenji does.

    ``codes`` uint8 [row, length], ``targets`` [row, bin, track], a BED row each; records of a fold in the order of the BED.
    """
    (folder / "tfrecords").mkdir(parents=True)
    (folder / "targets.txt").write_text(table)
    (folder / "sequences.bed").write_text("".join("\t".join(map(str, row)) + "\n" for row in bed))
    facts = {
        "num_targets": targets.shape[2],
        "seq_length": codes.shape[1],
        "pool_width": bin_size,
        "crop_bp": 0,
        "target_length": targets.shape[1],
    }
    (folder / "statistics.json").write_text(json.dumps(facts))
    for fold in dict.fromkeys(row[3] for row in bed):
        rows = [number for number, row in enumerate(bed) if row[3] == fold]
        for file, start in enumerate(range(0, len(rows), per_file)):
            messages = []
            for row in rows[start : start + per_file]:
                dna = codes[row]
                sequence = np.vstack([np.eye(4, dtype=bool), np.zeros((1, 4), bool)])[dna] if one_hot else dna
                messages.append(
                    example(**{"sequence": sequence, target_name: targets[row].astype(np.float16)})
                )
            (folder / "tfrecords" / f"{fold}-{file}.tfr").write_bytes(pack(records(messages), packing))
