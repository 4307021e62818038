"""Weights: three layouts read, ours written; what does not fit is named."""

import json
import shutil
import struct
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from cistron.errors import InputError
from cistron.sequence import Enformer, load_weights, save_weights
from cistron.sequence.tensor_bundle import (
    TensorBundle,
    decompress_snappy,
    masked_checksum,
    read_varint,
)
from cistron.sequence.weight_layouts import bare_path, deepmind_entries, enformer_pytorch_entries, is_weight
from cistron.sequence.weight_sources import entries_of


def _varint(number: int) -> bytes:
    out = b""
    while number >= 0x80:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])


def _snappy(data: bytes) -> bytes:
    """Compress naively: literals of at most 60 bytes, and a back reference where the last 4 bytes repeat."""
    out, position = _varint(len(data)), 0
    while position < len(data):
        if position >= 8 and data[position : position + 8] == data[position - 8 : position]:
            out += bytes([(8 - 1) << 2 | 2]) + struct.pack("<H", 8)
            position += 8
            continue
        piece = data[position : position + 60]
        out += bytes([(len(piece) - 1) << 2]) + piece
        position += len(piece)
    return out


def _block(entries: list[tuple[bytes, bytes]], compress: bool) -> bytes:
    """A block of a sorted string table, keys prefix-compressed with a restart every fourth."""
    data, restarts, last = b"", [], b""
    for number, (key, value) in enumerate(entries):
        shared = 0
        if number % 4 == 0:
            restarts.append(len(data))
        else:
            while shared < min(len(key), len(last)) and key[shared] == last[shared]:
                shared += 1
        data += _varint(shared) + _varint(len(key) - shared) + _varint(len(value)) + key[shared:] + value
        last = key
    data += b"".join(struct.pack("<I", place) for place in restarts or [0])
    data += struct.pack("<I", len(restarts or [0]))
    packed = (_snappy(data) if compress else data) + bytes([int(compress)])
    return packed + struct.pack("<I", masked_checksum(packed))


def write_bundle(prefix, tensors: dict[str, np.ndarray], compress: bool = False) -> None:
    """Write a TensorFlow checkpoint by the book, as the independent side of the reader's test."""
    kinds = {"float32": 1, "int64": 9, "float16": 19}
    data, items = b"", [(b"", b"\x08\x01\x1a\x02\x08\x01")]  # header: one shard, version 1
    for name in sorted(tensors):
        values = np.ascontiguousarray(tensors[name])
        shape = b"".join(b"\x12" + _varint(len(d)) + d for d in (b"\x08" + _varint(n) for n in values.shape))
        raw = values.tobytes()
        entry = b"\x08" + _varint(kinds[values.dtype.name]) + b"\x12" + _varint(len(shape)) + shape
        entry += (b"\x20" + _varint(len(data)) if data else b"") + b"\x28" + _varint(len(raw))
        entry += b"\x35" + struct.pack("<I", masked_checksum(raw))
        items.append((name.encode(), entry))
        data += raw
    out, index = b"", []
    for start in range(0, len(items), 16):
        block = _block(items[start : start + 16], compress)
        index.append((items[min(start + 15, len(items) - 1)][0], _varint(len(out)) + _varint(len(block) - 5)))
        out += block
    meta = _block([], False)
    handles = _varint(len(out)) + _varint(len(meta) - 5)
    out += meta
    block = _block(index, False)
    handles += _varint(len(out)) + _varint(len(block) - 5)
    out += block + handles.ljust(40, b"\0") + struct.pack("<Q", 0xDB4775248B80FB57)
    prefix.with_name(prefix.name + ".index").write_bytes(out)
    prefix.with_name(prefix.name + ".data-00000-of-00001").write_bytes(data)


def official_tensors(model: Enformer) -> dict[str, np.ndarray]:
    """The weights of a model under the object paths of the official checkpoint, with what else stands in it."""
    state = model.state_dict()
    suffix = "/.ATTRIBUTES/VARIABLE_VALUE"
    tensors = {
        f"module/{entry.theirs}{suffix}": entry.to_theirs(state[entry.ours]).contiguous().numpy()
        for entry in deepmind_entries(model.settings)
    }
    for name in [name for name in tensors if "/average/" in name]:
        counter, hidden = name.replace("average", "_counter"), name.replace("average", "_hidden")
        tensors |= {counter: np.array(7, np.int64), hidden: np.zeros_like(tensors[name])}
    return tensors


@pytest.mark.parametrize("compress", [False, True], ids=["plain", "snappy"])
def test_official_checkpoint_is_read_without_tensorflow(model, tmp_path, dna, compress):
    prefix = tmp_path / "sonnet_weights"
    write_bundle(prefix, official_tensors(model), compress)
    for path in (prefix, tmp_path, tmp_path / "sonnet_weights.index"):
        loaded = load_weights(path, length=4096, crop=4)
        assert replace(loaded.settings) == model.settings
    with torch.no_grad():
        one_hot = dna(4096)
        torch.testing.assert_close(loaded(one_hot)["mouse"], model(one_hot)["mouse"], rtol=0, atol=0)


def test_names_are_those_of_the_official_checkpoint(test_data):
    """Every weight of the published model, by the list of its checkpoint, and no other."""
    from cistron.sequence import EnformerSettings

    listed = {}
    for line in (test_data / "sequence/goldens/official_checkpoint_keys.txt").read_text().splitlines():
        if not line.startswith("#") and is_weight(
            line.split("\t")[0].replace("/.ATTRIBUTES/VARIABLE_VALUE", "")
        ):
            name, shape = line.split("\t")[:2]
            listed[bare_path(name)] = tuple(int(n) for n in shape.strip("()").split(",") if n.strip())
    with torch.device("meta"):
        state = Enformer(EnformerSettings()).state_dict()
    ours = {
        entry.theirs: tuple(entry.to_theirs(state[entry.ours]).shape)
        for entry in deepmind_entries(EnformerSettings())
    }
    assert ours == {name: shape for name, shape in listed.items() if is_weight(name)}
    lines = (test_data / "sequence/goldens/enformer_pytorch_state_dict_keys.txt").read_text().splitlines()
    keys = {line.split("\t")[0] for line in lines if not line.startswith("#")}
    assert len(keys) == 570
    found = {entry.theirs for entry in enformer_pytorch_entries(EnformerSettings())}
    assert found == {key for key in keys if is_weight(key)}


def test_every_parameter_has_a_name_in_both_layouts(model):
    wanted = {name for name in model.state_dict() if not name.endswith("num_batches_tracked")}
    for layout in ("deepmind", "enformer-pytorch"):
        assert {entry.ours for entry in entries_of(layout, model.settings)} == wanted


def test_our_folder_round_trips(model, tmp_path, dna):
    save_weights(model, tmp_path / "model")
    loaded = load_weights(tmp_path / "model")
    assert not loaded.training
    assert loaded.settings == model.settings
    one_hot = dna(4096)
    with torch.no_grad():
        assert torch.equal(loaded(one_hot)["human"], model(one_hot)["human"])
    card = (tmp_path / "model/README.md").read_text()
    assert f"{sum(parameter.numel() for parameter in model.parameters()):,}" in card
    again = load_weights(tmp_path / "model", precision="bf16")
    assert again.heads["human"].weight.dtype == torch.bfloat16


@pytest.mark.parametrize("precision", ["mixed", "bf16"])
def test_float32_is_used_where_bfloat16_is_slow(model, tmp_path, monkeypatch, remarks, precision):
    save_weights(model, tmp_path / "model")
    monkeypatch.setattr("cistron.runtime.bfloat16.fast_bfloat16", lambda device="cpu": False)
    loaded = load_weights(tmp_path / "model", precision=precision)
    assert {parameter.dtype for parameter in loaded.parameters()} == {torch.float32}
    assert f"fp32 is used in place of {precision}" in remarks()


def _peer_state(model: Enformer) -> dict[str, torch.Tensor]:
    state = model.state_dict()
    entries = enformer_pytorch_entries(model.settings)
    found = {entry.theirs: entry.to_theirs(state[entry.ours]).clone().contiguous() for entry in entries}
    return found | {"_trunk.1.0.weight": found["stem.0.weight"].clone()}


@pytest.fixture
def peer_file(model, tmp_path):
    path = tmp_path / "peer.safetensors"
    save_file(_peer_state(model), path)
    return path


def test_conversion_on_the_command_line(run, model, peer_file, tmp_path, dna):
    state = load_file(peer_file)
    state["extra.weight"] = torch.zeros(2)
    save_file(state, peer_file)
    table = tmp_path / "human.txt"
    rows = "".join(f"{n}\tCN{n}\t{'CAGE' if n > 2 else 'DNASE'}:cell {n}\n" for n in range(5))
    table.write_text("index\tidentifier\tdescription\n" + rows)
    mouse = tmp_path / "mouse.txt"
    names = [f"{n}\tMM{n}\tDNASE:mouse cell {n}\n" for n in range(model.settings.tracks["mouse"])]
    mouse.write_text("index\tidentifier\tdescription\n" + "".join(names))
    arguments = ["--length", 4096, "--crop", 4, "--human-tracks", table, "--mouse-tracks", mouse]
    code, output, errors = run("sequence", "weights", peer_file, tmp_path / "model", *arguments)
    assert code == 0, errors
    assert "not used: extra.weight" in output
    assert "1 names of the source without a place" in output
    description = json.loads((tmp_path / "model/model.json").read_text())
    assert description["origin"]["weights"] == "converted from enformer-pytorch"
    stored = (tmp_path / "model" / "tracks.tsv").read_text()
    assert stored.count("MM") == len(names)
    assert "mouse cell 0" in stored
    loaded = load_weights(tmp_path / "model")
    with torch.no_grad():
        assert torch.equal(loaded(dna(4096))["human"], model(dna(4096))["human"])


def test_notes_in_the_file_tell_what_weights_do_not(model, peer_file):
    """Length and cut stand in the metadata; what the command says wins, and other notes mean nothing."""
    save_file(load_file(peer_file), peer_file, metadata={"settings": '{"length": 8192, "crop": 3}'})
    found = load_weights(peer_file).settings
    assert (found.length, found.crop) == (8192, 3)
    found = load_weights(peer_file, length=4096).settings
    assert (found.length, found.crop) == (4096, 3)
    for other in ("long", "[1]", '{"length": "long"}'):
        save_file(load_file(peer_file), peer_file, metadata={"format": "pt", "settings": other})
        assert load_weights(peer_file).settings.length == 196_608


def test_torch_file_is_read_with_weights_only(model, tmp_path):
    path = tmp_path / "pytorch_model.bin"
    torch.save(_peer_state(model), path)
    assert load_weights(path, length=4096, crop=4).settings == model.settings
    assert load_weights(tmp_path, length=4096, crop=4).settings == model.settings


class _Evil:
    def __reduce__(self):
        return (print, ("unpickled!",))


def test_nothing_is_unpickled(fails, tmp_path, capsys):
    torch.save({"stem.0.weight": _Evil()}, tmp_path / "evil.bin")
    message = fails("sequence", "weights", tmp_path / "evil.bin", tmp_path / "out")
    assert "not unpickled" in message
    assert "unpickled!" not in capsys.readouterr().out
    assert not (tmp_path / "out").exists()


def test_missing_and_misshapen_weights_are_all_named(fails, peer_file, tmp_path):
    state = load_file(peer_file)
    del state["transformer.0.0.fn.1.to_q.weight"], state["stem.1.fn.0.running_var"]
    state["conv_tower.2.0.2.weight"] = torch.zeros(3, 4, 5)
    save_file(state, peer_file)
    message = fails("sequence", "weights", peer_file, tmp_path / "out", "--length", 4096, "--crop", 4)
    for name in (
        "to_q.weight is missing",
        "stem.1.fn.0.running_var is missing",
        "conv_tower.2.0.2.weight is [3, 4, 5]",
    ):
        assert name in message
    assert "3 weights do not fit" in message


@pytest.mark.parametrize("name", ["peer.safetensors", "peer.bin"])
def test_truncated_weights(fails, model, tmp_path, name):
    path = tmp_path / name
    save_file(_peer_state(model), path) if name.endswith("safetensors") else torch.save(
        _peer_state(model), path
    )
    path.write_bytes(path.read_bytes()[:-1000])
    assert "truncated" in fails("sequence", "weights", path, tmp_path / "out")


def test_truncated_and_foreign_checkpoints(fails, model, tmp_path):
    prefix = tmp_path / "a" / "weights"
    prefix.parent.mkdir()
    write_bundle(prefix, official_tensors(model))
    data = prefix.with_name("weights.data-00000-of-00001")
    whole = data.read_bytes()
    data.write_bytes(whole[:-10])
    assert "truncated" in fails("sequence", "weights", prefix, tmp_path / "out")
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 4  # one bit of one weight
    data.write_bytes(bytes(flipped))
    message = fails("sequence", "weights", prefix, tmp_path / "out")
    assert "is damaged: the checksum of module/" in message
    assert "fetch weights.data-00000-of-00001 again" in message
    data.unlink()
    assert "data-00000-of-00001 is absent" in fails("sequence", "weights", prefix, tmp_path / "out")
    data.write_bytes(whole)
    index = prefix.with_name("weights.index")
    broken = bytearray(index.read_bytes())
    broken[30] ^= 1
    index.write_bytes(bytes(broken))
    assert "checksum" in fails("sequence", "weights", prefix, tmp_path / "out")
    index.write_bytes(b"not a table" * 9)
    assert "not a whole TensorFlow checkpoint" in fails("sequence", "weights", prefix, tmp_path / "out")
    foreign = tmp_path / "b" / "resnet"
    foreign.parent.mkdir()
    write_bundle(foreign, {"dense/kernel": np.zeros((2, 3), np.float32)})
    assert "not Enformer's" in fails("sequence", "weights", foreign, tmp_path / "out")
    save_file({"linear.weight": torch.zeros(2)}, tmp_path / "foreign.safetensors")
    assert "linear.weight" in fails("sequence", "weights", tmp_path / "foreign.safetensors", tmp_path / "out")
    assert "does not exist" in fails("sequence", "weights", tmp_path / "nothing", tmp_path / "out")


def test_broken_model_folders(model, tmp_path):
    save_weights(model, tmp_path / "model")
    description = tmp_path / "model/model.json"
    whole = description.read_text()
    for text, words in [
        (whole.replace('"depth": 2', '"depth": 3'), "is missing"),
        (whole.replace('"depth": 2', '"deepness": 2'), "no setting 'deepness'"),
        (whole.replace('"schema_version": 1', '"schema_version": 9'), "version 9"),
        ("{", "not the description"),
    ]:
        description.write_text(text)
        with pytest.raises(InputError, match=words):
            load_weights(tmp_path / "model")
    shutil.rmtree(tmp_path / "model")
    with pytest.raises(InputError, match="do not exist"):
        load_weights(tmp_path / "model")


def test_checksum_and_varint_by_known_values():
    assert read_varint(_varint(300), 0) == (300, 2)
    # CRC-32C of "123456789" is e3069283; masked by the rule of the format
    value = 0xE3069283
    assert masked_checksum(b"123456789") == ((value >> 15 | value << 17) + 0xA282EAD8) & 0xFFFFFFFF


def test_snappy_back_references_may_overlap():
    # literal "ab", then 6 bytes from 2 back
    assert decompress_snappy(b"\x08" + b"\x04ab" + bytes([(6 - 4) << 2 | 1, 2])) == b"abababab"
    with pytest.raises(ValueError, match="before the block"):
        decompress_snappy(b"\x08" + bytes([(6 - 4) << 2 | 1, 2]))


def test_bundle_reads_scalars_and_halves(tmp_path):
    tensors = {"a": np.array(3, np.int64), "b": np.arange(6, dtype=np.float16).reshape(2, 3)}
    write_bundle(tmp_path / "x", tensors)
    bundle = TensorBundle(tmp_path / "x")
    assert bundle.read("a") == 3
    assert (bundle.read("b") == tensors["b"]).all()


def test_checksums_of_tensors_are_verified_where_they_are_stored(tmp_path):
    write_bundle(tmp_path / "x", {"a": np.arange(4, dtype=np.float32)})
    bundle = TensorBundle(tmp_path / "x")
    entry = bundle.entries["a"]
    assert entry.checksum == masked_checksum(np.arange(4, dtype="<f4").tobytes())
    bundle.entries["a"] = replace(entry, checksum=entry.checksum ^ 1)
    with pytest.raises(InputError, match="checksum of a is wrong"):
        bundle.read("a")
    bundle.entries["a"] = replace(entry, checksum=None)  # written by something that keeps none
    assert bundle.read("a").tolist() == [0, 1, 2, 3]
