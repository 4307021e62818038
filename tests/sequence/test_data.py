"""``cistron sequence data``: signal files and TFRecords to a store, against independent readers; killed runs; what is left out."""

import importlib.util
import itertools
import os
import signal as signals
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pybigtools
import pytest

from cistron.errors import InputError
from cistron.formats.store import check_store
from cistron.formats.tracks import check_tracks
from cistron.runtime import sha256_of
from cistron.sequence.inputs_records import _Unpacking, natural_key, read_raw_records
from cistron.sequence.training_store import MARGIN, open_training_store

_SPEC = importlib.util.spec_from_file_location("record_writer", Path(__file__).with_name("record_writer.py"))
_writer = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(_writer)
records, write_data_set = _writer.records, _writer.write_data_set

LENGTHS = {"chr1": 60_000, "chr2": 30_000}
WIDTH, CROP, BIN = 4096, 512, 128
TABLE = (
    "\tidentifier\tfile\tclip\tclip_soft\tscale\tsum_stat\tstrand_pair\tdescription\n"
    "0\tC+\tplus.bw\t384\t4\t0.5\tsum_sqrt\t1\tCAGE:one\n"
    "1\tC-\tminus.bw\t384\t4\t0.5\tsum_sqrt\t0\tCAGE:one\n"
    "2\tD\tdense.bw\t32\t3\t2\tmean\t2\tDNASE:two\n"
    "3\tH\tbasenji.w5\t32\t3\t2\tmean\t3\tDNASE:three\n"
)


def write_bigwig(path, values):
    """Runs of base pairs of each chromosome; NaN is not covered."""
    rows = []
    for name, signal in sorted(values.items()):
        edges = np.flatnonzero(
            np.r_[True, (signal[1:] != signal[:-1]) & ~(np.isnan(signal[1:]) & np.isnan(signal[:-1])), True]
        )
        rows += [
            (name, int(a), int(b), float(signal[a]))
            for a, b in itertools.pairwise(edges)
            if signal[a] == signal[a]
        ]
    pybigtools.open(str(path), "w").write(dict(sorted((n, len(v)) for n, v in values.items())), iter(rows))


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A genome, folds, signal files and their values by base pair."""
    folder = tmp_path_factory.mktemp("data")
    random = np.random.default_rng(3)
    dna = {name: random.choice(list("ACGT"), size) for name, size in LENGTHS.items()}
    dna["chr1"][:40] = "N"
    (folder / "genome.fa").write_text(
        "".join(f">{name}\n{''.join(letters)}\n" for name, letters in dna.items())
    )
    truth = {}
    for name, sparse in (("plus", True), ("minus", True), ("dense", False)):
        truth[name] = {}
        for chromosome, size in LENGTHS.items():
            steps = np.repeat(random.gamma(0.5, 6, size // 10), 10).astype(np.float32)
            if sparse:
                steps[np.repeat(random.random(size // 10) < 0.9, 10)] = np.nan
            truth[name][chromosome] = steps
        write_bigwig(folder / f"{name}.bw", truth[name])
    truth["basenji"] = {
        name: random.gamma(0.5, 6, size).astype(np.float16).astype(np.float32)
        for name, size in LENGTHS.items()
    }
    with h5py.File(folder / "basenji.w5", "w") as file:
        for name, signal in truth["basenji"].items():
            file.create_dataset(name, data=signal.astype(np.float16))
    bed = [("chr1", start, start + WIDTH, "train") for start in range(0, 40_000, 3000)]
    bed += [("chr2", 1000, 1000 + WIDTH, "valid"), ("chr2", 30_000 - WIDTH, 30_000, "test")]
    (folder / "folds.bed").write_text("".join("\t".join(map(str, row)) + "\n" for row in bed))
    (folder / "targets.txt").write_text(TABLE)
    (folder / "black.bed").write_text("chr1\t5000\t5600\n")
    (folder / "unmappable.bed").write_text("chr2\t2000\t2600\n")
    return folder, truth, bed, {name: "".join(letters) for name, letters in dna.items()}


def arguments(folder, output, *more):
    return [
        "sequence", "data", "--genome", folder / "genome.fa", "--build", "planted", "--folds", folder / "folds.bed", "--targets",
        folder / "targets.txt", "--settings", "baskerville", "--bin-size", BIN, "--crop", CROP, "--input-length", 6144, "--output",
        output, *more,
    ]  # fmt: skip


def expected_targets(truth, bed, black=None, unmappable=None):
    """Values of the four tracks of TABLE, in plain NumPy."""
    out = np.zeros((len(bed), 4, (WIDTH - 2 * CROP) // BIN))
    for number, (chromosome, start, end, _) in enumerate(bed):
        for track, (name, scale, root) in enumerate(
            (("plus", 0.5, True), ("minus", 0.5, True), ("dense", 2, False), ("basenji", 2, False))
        ):
            x = truth[name][chromosome][start:end].astype(float)
            missing = np.isnan(x)
            x[missing] = 0
            base = np.float32(np.median(x))
            if black and chromosome == black[0]:
                low, high = max(black[1] - 20 - start, 0), max(black[2] + 20 - start, 0)
                x[low:high] = np.clip(x[low:high], -base, base)
            x[missing] = base
            x = (x[CROP:-CROP] * scale).reshape(-1, BIN)
            x = np.sqrt(1 + x.sum(1)) - 1 if root else x.mean(1)
            soft, clip = (4, 384) if root else (3, 32)
            x = np.where(x > soft, soft - 1 + np.sqrt(np.maximum(x - soft, 0) + 1), x).clip(-clip, clip)
            if unmappable and chromosome == unmappable[0]:
                bins = start + CROP + np.arange(len(x)) * BIN
                shared = np.minimum(bins + BIN, unmappable[2]) - np.maximum(bins, unmappable[1])
                hidden = shared >= 0.1 * BIN
                x[hidden] = np.minimum(x, np.percentile(x.astype(np.float32), 25))[hidden]
            out[number, track] = x
    return out


def test_values_dna_and_tables(world, run, tmp_path):
    folder, truth, bed, dna = world
    code, printed, errors = run(*arguments(folder, tmp_path / "a.zarr", "--shard-size", 4))
    assert code == 0, errors
    assert "16 sequences x 4 tracks x 24 bins of 128 bp" in printed
    store = open_training_store(tmp_path / "a.zarr")
    assert check_tracks(tmp_path / "a.zarr") == []
    check_store(tmp_path / "a.zarr", verify=True)
    found = store.tracks.values[:][:, 0]
    np.testing.assert_allclose(found, expected_targets(truth, bed), rtol=3e-6, atol=1e-6)
    assert (found > 0).mean() > 0.5
    assert store.tracks.tracks["strand_pair"].tolist() == [1, 0, 2, 3]
    assert store.tracks.sequences["fold"].tolist() == [row[3] for row in bed]
    assert store.tracks.sequences["start"].tolist() == [row[1] + CROP for row in bed]
    codes = store.dna[:]
    for number, (chromosome, start, end, _) in enumerate(bed):
        low = (start + end) // 2 - 3072 - MARGIN
        letters = "".join(
            dna[chromosome][place] if 0 <= place < LENGTHS[chromosome] else "N"
            for place in range(low, low + 6144 + 2 * MARGIN)
        )
        assert "".join("ACGTN"[code] for code in codes[number]) == letters
    assert store.rows("valid").tolist() == [14]
    with pytest.raises(InputError, match="no fold 'fold9'; it has train, valid, test"):
        store.rows("fold9")


def test_masks(world, run, tmp_path):
    folder, truth, bed, _ = world
    masks = ("--blacklist", folder / "black.bed", "--unmappable", folder / "unmappable.bed")
    assert run(*arguments(folder, tmp_path / "a.zarr", *masks))[0] == 0
    found = open_training_store(tmp_path / "a.zarr").tracks.values[:][:, 0]
    expected = expected_targets(truth, bed, ("chr1", 5000, 5600), ("chr2", 2000, 2600))
    np.testing.assert_allclose(found, expected, rtol=3e-6, atol=1e-6)
    assert (expected != expected_targets(truth, bed)).any()


def test_shards_and_processes_change_nothing(world, run, tmp_path):
    folder = world[0]
    assert run(*arguments(folder, tmp_path / "a.zarr", "--shard-size", 4))[0] == 0
    assert run(*arguments(folder, tmp_path / "b.zarr", "--shard-size", 5))[0] == 0
    first, second = (open_training_store(tmp_path / name) for name in ("a.zarr", "b.zarr"))
    assert (first.tracks.values[:] == second.tracks.values[:]).all()
    code, printed, _ = run(*arguments(folder, tmp_path / "a.zarr", "--shard-size", 4, "--workers", 2))
    assert code == 0
    assert "is finished: the same run wrote it before" in printed


def test_a_scheduler(world, run, tmp_path):
    from distributed import LocalCluster

    folder = world[0]
    with LocalCluster(n_workers=1, threads_per_worker=1, processes=False, dashboard_address=":0") as cluster:
        code, _, errors = run(
            *arguments(folder, tmp_path / "a.zarr", "--scheduler", cluster.scheduler_address)
        )
    assert code == 0, errors
    assert run(*arguments(folder, tmp_path / "b.zarr"))[0] == 0
    assert sha256_of(tmp_path / "a.zarr" / "values") == sha256_of(tmp_path / "b.zarr" / "values")


def test_a_killed_run_goes_on_with_the_same_bytes(world, run, tmp_path):
    """Killed behind each shard and in between; what is finished is not made again."""
    folder = world[0]
    line = list(map(str, arguments(folder, tmp_path / "a.zarr", "--shard-size", 2)))
    code = (
        "import sys, os, signal, cistron.sequence.data as data\n"
        "from cistron.runtime.files import os as files_os\n"
        "before, left = data.write_shard, [int(sys.argv[1])]\n"
        "def write_shard(marker, **arguments):\n"
        "    if not left[0]: os.kill(os.getpid(), signal.SIGKILL)\n"
        "    left[0] -= 1\n"
        "    before(marker, **arguments)\n"
        "    if left[0] == 0 and sys.argv[2] == 'behind': os.kill(os.getpid(), signal.SIGKILL)\n"
        "data.write_shard = write_shard\n"
        "from cistron.cli import main\n"
        "sys.exit(main(sys.argv[3:]))\n"
    )
    for shards, where in ((3, "before"), (2, "behind")):
        done = subprocess.run(
            [sys.executable, "-c", code, str(shards), where, *line], check=False, capture_output=True
        )
        assert done.returncode == -signals.SIGKILL, done.stderr
    marks = [path for path in tmp_path.glob(".a.zarr.shards-*/*.done") if path.name[0] != "."]
    assert len(marks) == 4  # the last one was written and not yet marked
    (store,) = (path for path in tmp_path.glob(".a.zarr.shards-*/store.zarr"))
    times = {
        path.relative_to(store): path.stat().st_mtime_ns
        for path in store.rglob("c/**/*")
        if path.is_file() and "measured" not in path.parts
    }
    assert len(times) == 5
    code, _, errors = run(*line)
    assert code == 0, errors
    assert not list(tmp_path.glob(".a.zarr*"))
    same = [path for path, time in times.items() if (tmp_path / "a.zarr" / path).stat().st_mtime_ns == time]
    assert len(same) == 4
    assert run(*arguments(folder, tmp_path / "b.zarr", "--shard-size", 2))[0] == 0
    for part in ("values", "dna"):
        assert sha256_of(tmp_path / "a.zarr" / part) == sha256_of(tmp_path / "b.zarr" / part)


def test_a_store_whose_run_was_killed_at_its_end_is_taken_as_it_is(world, tmp_path, monkeypatch):
    """It has its name and no record beside it; of other settings it is made again."""
    from cistron.genome import Genome
    from cistron.sequence.data import build_training_data
    from cistron.sequence.settings_data import DataSettings

    folder = world[0]

    def build(crop):
        settings = DataSettings("baskerville", BIN, crop, 6144)
        given = {
            name: folder / f"{name}{suffix}" for name, suffix in (("folds", ".bed"), ("targets", ".txt"))
        }
        genome = Genome(folder / "genome.fa", "planted")
        return build_training_data(tmp_path / "a.zarr", genome=genome, settings=settings, **given)

    first = build(CROP)

    def begun(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("cistron.sequence.data.run_shards", begun)
    assert (build(CROP).tracks.values[:] == first.tracks.values[:]).all()
    with pytest.raises(KeyboardInterrupt):
        build(CROP + BIN)


def test_what_is_left_out_is_named(world, aloud, tmp_path):
    folder = world[0]
    (tmp_path / "targets.txt").write_text(
        TABLE.replace("minus.bw", "absent.bw")
        .replace("plus.bw", str(folder / "plus.bw"))
        .replace("dense.bw", str(folder / "dense.bw"))
    )
    (tmp_path / "basenji.w5").write_text("no HDF5")
    (tmp_path / "folds.bed").write_text(
        (folder / "folds.bed").read_text() + f"chrUn\t5\t{5 + WIDTH}\ttrain\n"
    )
    line = arguments(folder, tmp_path / "a.zarr", "--shard-size", 4)
    line[line.index("--targets") + 1] = tmp_path / "targets.txt"
    line[line.index("--folds") + 1] = tmp_path / "folds.bed"
    code, printed, errors = aloud(*line)
    assert code == 0, errors
    assert "track C- is left out: absent.bw does not exist" in errors
    assert "track C+ is left out: its strand partner C- is left out" in errors
    assert "track H is left out: basenji.w5 cannot be read as HDF5" in errors
    assert "1 of 17 sequences are left out because genome.fa lacks their chromosome: chrUn:5-4101" in errors
    assert "16 sequences x 1 tracks" in printed


def test_errors(world, run, tmp_path):
    folder = world[0]

    def refused(words, *changes, table=TABLE):
        line = arguments(folder, tmp_path / "out.zarr")
        for name, value in changes:
            line[line.index(name) + 1] = value
        code, _, errors = run(*line)
        assert code == 2
        assert words in errors
        assert errors.count("\n") == 1
        assert not (tmp_path / "out.zarr").exists()

    refused("are no whole number of bins", ("--bin-size", 100))
    refused("--input-length must be at least the 3,072 bp", ("--input-length", 1024))
    (tmp_path / "bad.bed").write_text("chr1\t0\t4096\ttrain\nchr1\t0\t4000\ttrain\n")
    refused("all must be of one width", ("--folds", tmp_path / "bad.bed"))
    (tmp_path / "bad.bed").write_text("chr2\t28000\t32096\ttrain\n")
    refused("ends behind its chromosome (30,000 bp", ("--folds", tmp_path / "bad.bed"))
    (tmp_path / "bad.bed").write_text("chrZ\t0\t4096\ttrain\n")
    refused("no sequence lies on a chromosome", ("--folds", tmp_path / "bad.bed"))
    (tmp_path / "targets.txt").write_text(TABLE)
    refused("no track can be read", ("--targets", tmp_path / "targets.txt"))
    other = {name: np.zeros(size + 10, np.float32) for name, size in LENGTHS.items()}
    write_bigwig(tmp_path / "plus.bw", other)
    refused("is of another genome build", ("--targets", tmp_path / "targets.txt"))
    line = arguments(folder, tmp_path / "out.zarr")
    place = line.index("--settings")
    code, _, errors = run(*line[:place], *line[place + 2 :])
    assert code == 2
    assert "name the version with --settings" in errors
    code, _, errors = run("sequence", "data", "--output", tmp_path / "out.zarr")
    assert code == 2
    assert "--genome is needed" in errors


# TFRecords


def record_set(folder, world, **changes):
    """A data set of rows of the world: targets of random numbers, DNA of the genome."""
    _, _, bed, dna = world
    random = np.random.default_rng(1)
    bed = changes.pop("bed", bed)
    codes = np.array(
        [["ACGTN".index(letter) for letter in dna[name][start:end]] for name, start, end, _ in bed], np.uint8
    )
    targets = random.gamma(0.3, 2, (len(bed), 24, 4)).astype(np.float16)
    options = {
        "codes": codes,
        "targets": targets,
        "bed": bed,
        "table": TABLE,
        "bin_size": 128,
        "per_file": 2,
    } | changes
    write_data_set(folder, **options)
    return targets


@pytest.mark.parametrize("packing", ["ZLIB", "GZIP", "none"])
def test_records(packing, world, run, tmp_path):
    folder, _, _bed, _ = world
    targets = record_set(
        tmp_path / "set",
        world,
        packing=packing,
        one_hot=packing == "GZIP",
        target_name="target" if packing != "none" else "targets",
    )
    line = [
        "sequence",
        "data",
        "--from-tfrecords",
        tmp_path / "set",
        "--organism",
        "mouse",
        "--input-length",
        6144,
    ]
    code, _printed, errors = run(
        *line, "--genome", folder / "genome.fa", "--build", "p", "--output", tmp_path / "a.zarr"
    )
    assert code == 0, errors
    store = open_training_store(tmp_path / "a.zarr")
    assert (store.tracks.values[:][:, 0] == targets.astype(np.float32).transpose(0, 2, 1)).all()
    assert store.organism == "mouse"
    line_of_signal = arguments(folder, tmp_path / "b.zarr")
    assert run(*line_of_signal)[0] == 0
    other = open_training_store(tmp_path / "b.zarr")
    assert (store.dna[:] == other.dna[:]).all()  # extended from the genome
    assert store.tracks.sequences["start"].tolist() == other.tracks.sequences["start"].tolist()
    check_store(tmp_path / "a.zarr", verify=True)


def test_records_without_a_genome(world, aloud, tmp_path):
    _, _, bed, dna = world
    record_set(tmp_path / "set", world)
    code, _, errors = aloud(
        "sequence",
        "data",
        "--from-tfrecords",
        tmp_path / "set",
        "--output",
        tmp_path / "a.zarr",
    )
    assert code == 0, errors
    assert "no --genome was given" in errors
    store = open_training_store(tmp_path / "a.zarr")
    assert store.input_length == WIDTH
    codes = store.dna[3]
    assert (codes[:MARGIN] == 4).all()
    assert "".join("ACGTN"[code] for code in codes[MARGIN:-MARGIN]) == dna["chr1"][bed[3][1] : bed[3][2]]


def test_files_are_in_natural_order(world, run, tmp_path):
    """Of 14 training rows in files of one, train-10 stands behind train-9; by letters DNA would not fit."""
    folder = world[0]
    targets = record_set(tmp_path / "set", world, per_file=1)
    line = [
        "--genome",
        folder / "genome.fa",
        "--build",
        "p",
        "--input-length",
        4096,
        "--output",
        tmp_path / "a.zarr",
    ]
    assert run("sequence", "data", "--from-tfrecords", tmp_path / "set", *line)[0] == 0
    values = open_training_store(tmp_path / "a.zarr").tracks.values[:][:, 0]
    assert (values == targets.astype(np.float32).transpose(0, 2, 1)).all()
    assert sorted(["a-10", "a-9"], key=natural_key) == ["a-9", "a-10"]


def test_dna_that_does_not_fit_is_named(world, run, tmp_path):
    folder, _, _bed, _ = world
    record_set(tmp_path / "set", world)
    lines = (tmp_path / "set" / "sequences.bed").read_text().splitlines(keepends=True)
    (tmp_path / "set" / "sequences.bed").write_text("".join([lines[0], lines[2], lines[1], *lines[3:]]))
    line = [
        "sequence",
        "data",
        "--from-tfrecords",
        tmp_path / "set",
        "--genome",
        folder / "genome.fa",
        "--build",
        "p",
    ]
    code, _, errors = run(*line, "--input-length", 4096, "--output", tmp_path / "a.zarr")
    assert code == 2
    assert (
        "train-0.tfr record 1 (number 1 of its fold): its DNA is not that of chr1:6,000-10,096 in genome.fa"
        in errors
    )
    assert errors.count("\n") == 1


@pytest.mark.parametrize("damage", ["length", "content", "cut", "cut packing", "empty", "text"])
def test_damaged_records_are_named(damage, world, run, tmp_path):
    record_set(tmp_path / "set", world, packing="ZLIB" if damage == "cut packing" else "none")
    path = tmp_path / "set" / "tfrecords" / "train-1.tfr"
    content = bytearray(path.read_bytes())
    if damage == "length":
        content[0] ^= 1
    elif damage == "content":
        content[500] ^= 1
    elif damage.startswith("cut"):
        content = content[: len(content) * 3 // 5]
    elif damage == "empty":
        content = bytearray()
    else:
        content = bytearray(b"<html>not found</html>")
    path.write_bytes(content)
    code, _, errors = run(
        "sequence", "data", "--from-tfrecords", tmp_path / "set", "--output", tmp_path / "a.zarr"
    )
    assert code == 2
    assert errors.count("\n") == 1
    assert not (tmp_path / "a.zarr").exists()
    if damage == "empty":
        assert "12 records of fold train in 7 files, but 14 rows in the BED" in errors
    else:
        assert "train-1.tfr" in errors
        words = {
            "length": "checksum of the length of record 0",
            "content": "checksum of record 0",
            "text": "length of record 0",
        }
        assert words.get(damage, "at record 1") in errors


def test_data_sets_that_contradict_themselves(world, run, tmp_path):
    def refused(words, change):
        folder = tmp_path / words[:10].replace(" ", "_").replace("/", "_")
        record_set(folder, world)
        change(folder)
        code, _, errors = run("sequence", "data", "--from-tfrecords", folder, "--output", tmp_path / "a.zarr")
        assert code == 2
        assert words in errors

    refused("has no statistics.json", lambda f: (f / "statistics.json").unlink())
    refused("seq_length is", lambda f: (f / "statistics.json").write_text('{"num_targets": 4}'))
    rows = [f"{n}\tx{n}\tf\t1\t1\t1\tsum\t{n}\td\n" for n in range(3)]
    refused(
        "targets table has 3 rows",
        lambda f: (f / "targets.txt").write_text(TABLE.splitlines(keepends=True)[0] + "".join(rows)),
    )
    refused("fold valid is in the BED and has no files", lambda f: (f / "tfrecords" / "valid-0.tfr").unlink())
    refused("no files tfrecords", lambda f: [path.unlink() for path in (f / "tfrecords").iterdir()])
    facts = '{"num_targets": 4, "seq_length": 4096, "pool_width": 128, "target_length": 23}'
    refused("bytes of targets; expected", lambda f: (f / "statistics.json").write_text(facts))
    facts = '{"num_targets": 4, "seq_length": 4095, "pool_width": 128, "target_length": 24}'
    refused("bytes of DNA; expected", lambda f: (f / "statistics.json").write_text(facts))

    def rename(folder):
        path = folder / "tfrecords" / "test-0.tfr"
        (message,) = read_raw_records(path)
        path.write_bytes(records([message.replace(b"target", b"tarGet")]))

    refused("expected sequence and target", rename)
    (tmp_path / "empty").mkdir()
    line = ["sequence", "data", "--from-tfrecords", tmp_path / "empty", "--output", tmp_path / "a.zarr"]
    code, _, errors = run(*line, "--crop", 5)
    assert code == 2
    assert "--crop does nothing with --from-tfrecords" in errors


def test_real_records(test_data, run, tmp_path):
    """The published tiny data set, written as records again: 54 mouse sequences, whose values are those of the source."""
    with np.load(test_data / "sequence/baskerville_tiny/mm10_tiny_seq_targets.npz") as arrays:
        codes, targets = arrays["sequence_idx_ACGT0123_N4"][:6], arrays["targets"][:6]
    table = (test_data / "sequence/baskerville_tiny/mm10_targets.txt").read_text()
    rows = (test_data / "sequence/baskerville_tiny/mm10_sequences.bed").read_text().splitlines()[:6]
    bed = [(name, int(low), int(high), fold) for name, low, high, fold in (row.split("\t") for row in rows)]
    write_data_set(
        tmp_path / "set", codes=codes, targets=targets, bed=bed, table=table, bin_size=32, per_file=4
    )
    code, _, errors = run(
        "sequence",
        "data",
        "--from-tfrecords",
        tmp_path / "set",
        "--organism",
        "mouse",
        "--output",
        tmp_path / "a.zarr",
    )
    assert code == 0, errors
    store = open_training_store(tmp_path / "a.zarr")
    assert (store.tracks.values[:][:, 0].transpose(0, 2, 1) == targets).all()
    assert (store.dna[:, MARGIN:-MARGIN] == codes).all()
    assert store.tracks.sequences["end"].tolist() == [row[2] for row in bed]
    assert os.environ.get("TF_CPP_MIN_LOG_LEVEL") is None
    assert "tensorflow" not in sys.modules


def test_records_whose_file_did_not_open_can_be_closed():
    _Unpacking.__new__(_Unpacking).close()
