"""The program itself: errors, configuration files, light imports."""

import subprocess
import sys

import pytest

import cistron
from cistron.cli.evaluate import TASKS
from cistron.cli.main import COMMANDS
from cistron.world import WorldSettings, write_world


@pytest.mark.parametrize("module", ["cistron", "cistron.cli", "cistron.formats", "cistron.evaluation.gwas"])
def test_imports_load_no_torch(module):
    code = f"import sys, {module}; heavy = [m for m in ('torch', 'lightning', 'distributed') if m in sys.modules]; sys.exit(str(heavy) if heavy else 0)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_version_is_told():
    done = subprocess.run(
        [sys.executable, "-m", "cistron.cli", "--version"], capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == cistron.__version__


@pytest.mark.parametrize(
    "command", [[], *([name] for name in COMMANDS), *(["evaluate", task] for task in TASKS)]
)
def test_every_command_has_help(run, command):
    code, text, errors = run(*command, "--help")
    assert code == 0, errors
    assert "Usage: cistron" in text


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (["omics", "embbed"], "embbed"),
        (["omics", "embed", "x.tsv"], "--output"),
        (["omics", "embed", "x.tsv", "-o", "e.h5ad", "--dimensions", "many"], "many"),
        (["evaluate", "gwas", "e.h5ad", "-o", "out"], "--traits"),
        (["evaluate", "gwas", "e.h5ad", "-o", "out", "--traits", "t", "--model", "forest"], "forest"),
        (["--config", "absent.toml", "demo"], "absent.toml does not exist"),
    ],
)
def test_wrong_options_are_one_line(fails, command, expected):
    assert expected in fails(*command)


def test_configuration_file_gives_options_and_the_command_line_wins(tmp_path, run, fails):
    paths = write_world(tmp_path, WorldSettings(genes=300), 0)
    config = tmp_path / "run.toml"
    config.write_text('[omics.embed]\ndimensions = 3\nname = "from the file"\ncentre-genes = true\n')
    matrix = paths["matrix:tissues"]
    code, text, _ = run("omics", "embed", matrix, "-o", tmp_path / "a.h5ad", "--config", config)
    assert code == 0
    assert "x 3 dimensions" in text
    assert "genes centred" in text
    code, text, _ = run(
        "omics", "embed", matrix, "-o", tmp_path / "b.h5ad", "--config", config, "--dimensions", 5
    )
    assert "x 5 dimensions" in text
    config.write_text("[omics.embed]\ndimension = 3\n")
    assert "dimension" in fails("omics", "embed", matrix, "-o", tmp_path / "c.h5ad", "--config", config)
    for text in ("dimensions = 3", "[omics.embde]\ndimensions = 3", "[omic.embed]\ndimensions = 3"):
        config.write_text(text)
        assert "is no command" in fails(
            "omics", "embed", matrix, "-o", tmp_path / "c.h5ad", "--config", config
        )
    config.write_text("[omics.embed\n")
    assert "run.toml" in fails("omics", "embed", matrix, "-o", tmp_path / "c.h5ad", "--config", config)


def test_an_interruption_says_how_to_go_on(monkeypatch, capsys):
    from cistron.cli import main

    def _interrupt(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("cistron.formats.read_gene_embedding", _interrupt)
    assert main(["embedding", "check", __file__]) == 130
    assert "run the same command again" in capsys.readouterr().err


def test_demo_recovers_the_planted_truth(tmp_path, run):
    code, text, errors = run("demo", "--output", tmp_path, "--genes", 1500)
    assert code == 0, errors
    assert text.strip().splitlines()[-1] == f"report: {tmp_path / 'report.html'}"
    assert (tmp_path / "report.html").stat().st_size > 100_000
    assert "12 of 12 above 0.7" in text
