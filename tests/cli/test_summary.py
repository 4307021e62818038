"""``--json``, ``--log-file``, ``--verbose`` and ``completion``: what a run leaves for other programs."""

import json

import pandas as pd
import pytest

from cistron.cli import main


@pytest.fixture
def matrix(tmp_path):
    path = tmp_path / "matrix.tsv"
    frame = pd.DataFrame(
        {f"s{number}": [float((gene * 7 + number * 3) % 11) for gene in range(12)] for number in range(6)},
        [f"ENSG{gene:011d}" for gene in range(12)],
    )
    frame.to_csv(path, sep="\t")
    return path


def test_json_names_what_was_written(matrix, tmp_path, capsys):
    words = ["omics", "embed", str(matrix), "--dimensions", "2", "-o", str(tmp_path / "e.h5ad"), "--json"]
    assert main(words) == 0
    out = capsys.readouterr().out.splitlines()
    assert len(out) == 1  # what is for people stands on standard error
    found = json.loads(out[0])
    assert found["command"] == "omics embed"
    assert found["outputs"] == [str(tmp_path / "e.h5ad")]
    assert (found["exit_code"], found["error"], found["already_finished"]) == (0, None, False)
    assert any("x 2 dimensions" in line for line in found["results"])
    assert main(words) == 0
    assert json.loads(capsys.readouterr().out)["already_finished"] is True


@pytest.mark.parametrize(
    "words", [["nope"], ["omics", "embed", "absent.tsv", "-o", "e.h5ad"], ["omics", "embed"]]
)
def test_json_holds_the_error(words, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["--json", *words]) == 2
    printed = capsys.readouterr()
    found = json.loads(printed.out)
    assert found["exit_code"] == 2
    assert found["outputs"] == []
    assert printed.err == f"cistron: error: {found['error']}\n"


def test_a_log_keeps_every_line_with_its_time(matrix, tmp_path, capsys):
    log = tmp_path / "run.log"
    words = ["omics", "embed", str(matrix), "--log-file", str(log), "-o", str(tmp_path / "e.h5ad")]
    assert main([*words, "--dimensions", "2"]) == 0
    assert main([*words, "--dimensions", "-1"]) == 2
    lines = [line.split("\t") for line in log.read_text().splitlines()]
    assert all(pd.Timestamp(time).tzinfo is not None for time, _, _ in lines)
    assert [kind for _, kind, _ in lines if kind in ("end", "error")] == ["end", "error"]
    assert any(kind == "result" and "x 2 dimensions" in text for _, kind, text in lines)
    assert sum(kind == "start" and text.startswith("cistron omics embed") for _, kind, text in lines) == 2
    assert main([*words[:3], "--log-file", str(tmp_path), "-o", str(tmp_path / "f.h5ad")]) == 2
    assert "log file" in capsys.readouterr().err


def test_verbose_says_versions_and_memory(matrix, tmp_path, capsys):
    words = ["omics", "embed", str(matrix), "--dimensions", "2", "-o", str(tmp_path / "e.h5ad"), "--verbose"]
    from cistron.runtime import progress_enabled, set_progress

    before = progress_enabled()
    try:
        assert main(words) == 0
    finally:
        set_progress(before)
    errors = capsys.readouterr().err
    assert "numpy" in errors.splitlines()[0]
    assert "peak memory" in errors.splitlines()[-1]


@pytest.mark.parametrize(
    ("word", "near"), [("embed", "'omics embed'"), ("omcis", "'omics'"), ("geneset", "'evaluate genesets'")]
)
def test_an_unknown_command_is_told_all_that_are_near(word, near, capsys):
    assert main([word]) == 2
    assert near in capsys.readouterr().err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_knows_commands_and_options(shell, capsys):
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert "genesets" in script
    assert "test-chromosome" in script
