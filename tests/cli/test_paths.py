"""Paths that a command must refuse before it works: an input as output, two outputs that are one, pipes and devices."""

import os

import numpy as np
import pytest

from cistron.cli.main import main


@pytest.fixture
def table(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = [
        f"ENSG{number:011d}\t{value:.4f}\t{-value:.4f}"
        for number, value in enumerate(np.linspace(0.5, 2, 5), 1)
    ]
    path = tmp_path / "e.tsv"
    path.write_text("\n".join(["gene\ta\tb", *rows]) + "\n")
    return path


def refused(capsys, *arguments):
    assert main([str(argument) for argument in arguments]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    return lines[0]


@pytest.mark.parametrize("way", ["the same", "a longer way", "a link", "a hard link"])
def test_no_output_is_an_input(table, tmp_path, capsys, way):
    output = {
        "the same": table,
        "a longer way": tmp_path / ".." / tmp_path.name / "e.tsv",
        "a link": tmp_path / "link.tsv",
        "a hard link": tmp_path / "hard.tsv",
    }[way]
    if way == "a link":
        output.symlink_to("e.tsv")
    if way == "a hard link":
        os.link(table, output)
    before = table.read_bytes()
    line = refused(capsys, "embedding", "convert", table, output, "--overwrite")
    assert line.endswith("is an input of this command; give another --output")
    assert table.read_bytes() == before


def test_no_output_inside_an_input_folder(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "settings.json").write_text("{}")
    line = refused(capsys, "cells", "embed", "model", "--output", "model/again.h5ad")
    assert "lies inside model, an input of this command" in line
    assert [path.name for path in (tmp_path / "model").iterdir()] == ["settings.json"]


def test_no_input_inside_the_output_folder(table, tmp_path, capsys, monkeypatch):
    line = refused(capsys, "evaluate", "gwas", table, "--traits", table, "--output", ".")
    assert "the folder you are in" in line
    monkeypatch.chdir("/")
    line = refused(capsys, "evaluate", "gwas", table, "--traits", table, "--output", tmp_path)
    assert "an input of this command, lies inside" in line


@pytest.mark.parametrize("second", ["o.tsv", "./o.tsv", "o.tsv/x.h5ad"])
def test_two_outputs_are_not_one(table, capsys, second):
    line = refused(capsys, "networks", "infer", table, "--output", "o.tsv", "--output-embedding", second)
    assert "two outputs are one or lie in each other" in line


def test_pipes_and_devices_are_refused(table, tmp_path, capsys):
    pipe = tmp_path / "pipe.tsv"
    os.mkfifo(pipe)
    assert "pipe.tsv is a pipe or a device" in refused(capsys, "embedding", "convert", pipe, "o.h5ad")
    assert "pipe.tsv is a pipe or a device" in refused(
        capsys, "embedding", "convert", table, pipe, "--overwrite"
    )
    assert pipe.is_fifo()
    assert "/dev/null is a pipe or a device" in refused(capsys, "embedding", "convert", table, "/dev/null")


def test_a_file_in_place_of_a_folder(table, capsys):
    (table.parent / "notes").write_text("a file")
    line = refused(capsys, "embedding", "convert", table, "notes/o.h5ad")
    assert "a part of this path is a file and no folder" in line


def test_a_group_without_a_command_prints_its_help(capsys):
    for group in ([], ["omics"], ["evaluate"]):
        assert main(group) == 0
        assert "Commands" in capsys.readouterr().out
    assert "unknown command 'studio'" in refused(capsys, "studio", "--help")
