"""Fitting: it learns, it stops, a killed run goes on as if nothing had happened."""

import math
import subprocess
import sys
import textwrap

import numpy as np
import pytest
import torch

from cistron.errors import InputError, LeakageError, MissingDependencyError
from cistron.genes.splits import Split
from cistron.training import FitSettings, TrainingDivergedError, best_device, fit, in_batches
from cistron.training.optimisers import RowAdam


def _linear(seed: int = 0) -> torch.nn.Module:
    torch.manual_seed(seed)
    return torch.nn.Linear(3, 1)


def _loss(model, batch):
    x, y = batch
    return ((model(x)[:, 0] - y) ** 2).mean()


def _data(number: int = 96, seed: int = 1):
    x = torch.as_tensor(np.random.default_rng(seed).normal(size=(number, 3)), dtype=torch.float32)
    return x, 2 * x[:, 0] - x[:, 1] + 0.5


def _shuffled(x, y, size=16):
    def batches(epoch: int):
        order = np.random.default_rng(epoch).permutation(len(x))
        return [
            (x[order[start : start + size]], y[order[start : start + size]])
            for start in range(0, len(x), size)
        ]

    return batches


SETTINGS = FitSettings(epochs=60, learning_rate=0.05, patience=None, accelerator="cpu")


def test_it_finds_the_weights_of_a_line():
    x, y = _data()
    model = _linear()
    report = fit(model, _loss, _shuffled(x, y), settings=SETTINGS)
    np.testing.assert_allclose(model.weight.detach().numpy(), [[2, -1, 0]], atol=1e-2)
    np.testing.assert_allclose(model.bias.detach().numpy(), [0.5], atol=1e-2)
    assert report.epochs == 60
    assert list(report.history["epoch"]) == list(range(60))
    assert report.history["steps"].iloc[-1] == 60 * 6


def test_batches_from_a_generator_are_all_seen_in_every_epoch():
    x, y = _data()
    listed = _shuffled(x, y)

    def generated(epoch: int):
        yield from listed(epoch)

    reports, models = [], []
    for batches in (listed, generated):
        models.append(_linear())
        reports.append(fit(models[-1], _loss, batches, settings=SETTINGS))
    assert list(reports[1].history["steps"]) == list(reports[0].history["steps"])
    assert torch.equal(models[0].weight, models[1].weight)


def test_the_same_seed_gives_the_same_weights_and_leaves_the_callers_stream_alone():
    x, y = _data()
    results = []
    for _ in range(2):
        model = torch.nn.Sequential(_linear(), torch.nn.Dropout(0.5))
        torch.manual_seed(5)
        fit(model, lambda m, b: _loss(m, b), _shuffled(x, y), settings=FitSettings(epochs=3), seed=3)
        results.append(model[0].weight.detach().clone())
        expected = torch.Generator().manual_seed(5)
        assert torch.equal(torch.rand(2), torch.rand(2, generator=expected))
    assert torch.equal(results[0], results[1])


def test_a_resumed_fit_equals_an_uninterrupted_one(tmp_path):
    x, y = _data()
    whole, halved = _linear(), _linear()
    validation = [_data(32, seed=2)]
    fit(whole, _loss, _shuffled(x, y), validation=validation, settings=SETTINGS, seed=4)
    half = FitSettings(**{**SETTINGS.__dict__, "epochs": 25})
    fit(halved, _loss, _shuffled(x, y), validation=validation, settings=half, directory=tmp_path, seed=4)
    other = _linear(9)  # weights come from the checkpoint, not from the caller
    report = fit(
        other, _loss, _shuffled(x, y), validation=validation, settings=SETTINGS, directory=tmp_path, seed=4
    )
    assert report.resumed_at == 25
    assert torch.equal(whole.weight, other.weight)
    assert list(report.history["epoch"]) == list(range(60))
    assert (tmp_path / "log.csv").read_text().count("\n") == 61
    again = fit(
        _linear(7),
        _loss,
        _shuffled(x, y),
        validation=validation,
        settings=SETTINGS,
        directory=tmp_path,
        seed=4,
    )
    assert again.epochs == 60
    assert again.resumed_at == 60


def test_a_killed_process_is_taken_up(tmp_path):
    script = textwrap.dedent(
        """
        import os, sys, torch
        from cistron.training import FitSettings, fit
        torch.set_num_threads(1)
        torch.manual_seed(0)
        model = torch.nn.Linear(1, 1)
        x = torch.linspace(-1, 1, 8)[:, None]
        kill_at = int(sys.argv[2])
        def batches(epoch):
            if epoch == kill_at:
                os.kill(os.getpid(), 9)
            return [(x, 3 * x)]
        report = fit(model, lambda m, b: ((m(b[0]) - b[1]) ** 2).mean(), batches, directory=sys.argv[1],
                     settings=FitSettings(epochs=12, patience=None, checkpoint_seconds=0, accelerator="cpu"))
        print(report.resumed_at, report.epochs, repr(model.weight.item()))
        """
    )
    results = []
    for folder, kill_at in ((tmp_path / "a", 7), (tmp_path / "a", -1), (tmp_path / "b", -1)):
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", script, str(folder), str(kill_at)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        results.append((done.returncode, done.stdout.split()))
    assert results[0][0] == -9
    assert results[1][1][:2] == ["7", "12"]
    assert results[2][1][:2] == ["None", "12"]
    assert results[1][1][2] == results[2][1][2]


def test_early_stopping_keeps_the_best_weights():
    x, y = _data()
    model = _linear()
    # The validation pulls another way, so it gets worse once the model is close to the training target.
    report = fit(
        model,
        _loss,
        [(x, y)],
        validation=[(x, y - 1.0)],
        settings=FitSettings(epochs=500, learning_rate=0.05, patience=5, accelerator="cpu"),
    )
    assert report.stopped_early
    assert report.epochs == report.best_epoch + 6
    with torch.no_grad():
        assert _loss(model, (x, y - 1.0)).item() == pytest.approx(report.best_loss, rel=1e-5)
    assert report.best_loss == pytest.approx(report.history["validation_loss"].min())


def test_count_weights_the_means_of_an_epoch():
    report = fit(
        _linear(),
        lambda m, b: {"loss": 0 * m.weight.sum() + b.mean(), "count": len(b)},
        [torch.ones(3), torch.full((1,), 5.0)],
        settings=FitSettings(epochs=1),
    )
    assert report.history["train_loss"].iloc[0] == pytest.approx(2.0)


def test_warmup_and_cosine_change_the_step_size():
    seen = []
    model = _linear()

    def optimiser(module):
        made = torch.optim.SGD(module.parameters(), lr=1.0)
        made.register_step_pre_hook(lambda o, *_: seen.append(o.param_groups[0]["lr"]))
        return made

    fit(
        model,
        lambda m, b: (0 * m.weight).sum(),
        [0, 1],
        settings=FitSettings(epochs=3, warmup_steps=4, schedule="cosine", patience=None),
        optimiser=optimiser,
    )
    cosine = [0.5 * (1 + math.cos(math.pi * epoch / 3)) for epoch in range(3)]
    expected = [0.25 * cosine[0], 0.5 * cosine[0], 0.75 * cosine[1], cosine[1], cosine[2], cosine[2]]
    np.testing.assert_allclose(seen, expected)


def test_the_mode_of_the_model_is_kept():
    model = _linear().eval()
    fit(model, _loss, [_data()], settings=FitSettings(epochs=1))
    assert not model.training


def test_a_held_out_name_is_refused_before_any_work():
    split = Split(frozenset("ab"), frozenset("c"), frozenset("d"))
    with pytest.raises(LeakageError, match="for example d"):
        fit(_linear(), _loss, [_data()], split=split, trained_on=["a", "d"])


def test_divergence_is_named():
    x, y = _data()
    with pytest.raises(TrainingDivergedError, match="train_loss is not finite in epoch 1"):
        fit(_linear(), _loss, [(x * math.inf, y)], settings=FitSettings(epochs=5))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": torch.nn.Linear(4, 1)}, r"weight is \(1, 3\), expected \(1, 4\)"),
        ({"model": torch.nn.Linear(3, 1, bias=False)}, r"unknown to the model \(bias\)"),
        ({"seed": 8}, "other settings, data or seed"),
        ({"identity": {"data": "other"}}, "other settings, data or seed"),
    ],
)
def test_a_checkpoint_of_something_else_is_refused(tmp_path, change, message):
    x, y = _data()
    settings = FitSettings(epochs=2, checkpoint_seconds=0)
    fit(_linear(), _loss, [(x, y)], settings=settings, directory=tmp_path)
    model = change.pop("model", _linear())
    with pytest.raises(InputError, match=message):
        fit(model, _loss, [(x, y)], settings=settings, directory=tmp_path, **change)


def test_a_truncated_checkpoint_is_refused(tmp_path):
    fit(_linear(), _loss, [_data()], settings=FitSettings(epochs=1), directory=tmp_path)
    path = tmp_path / "last.ckpt"
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(InputError, match="delete it to start again"):
        fit(_linear(), _loss, [_data()], settings=FitSettings(epochs=1), directory=tmp_path)


def test_no_batches_and_bad_settings_are_refused():
    with pytest.raises(InputError, match="no batches"):
        fit(_linear(), _loss, [])
    with pytest.raises(InputError, match="epochs must be 1 or more"):
        FitSettings(epochs=0)
    with pytest.raises(InputError, match="loggers are"):
        FitSettings(loggers=("mlflow",))


@pytest.mark.parametrize("logger", ["tensorboard", "wandb"])
def test_a_logger_that_is_not_installed_is_named(tmp_path, logger, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name, *rest: None)
    settings = FitSettings(epochs=1, loggers=(logger,))
    with pytest.raises(MissingDependencyError, match=f"pip install {logger}"):
        fit(_linear(), _loss, [_data()], settings=settings, directory=tmp_path)


def test_batches_are_dealt_so_that_all_devices_take_as_many_steps():
    from cistron.training.lightning_module import dealt

    parts = [list(dealt(range(7), rank, 3)) for rank in range(3)]
    assert parts == [[0, 3], [1, 4], [2, 5]]


def test_row_adam_equals_adam_on_dense_and_on_fully_touched_rows():
    generator = torch.Generator().manual_seed(0)
    start = torch.randn(6, 3, generator=generator)
    ours, theirs = (torch.nn.Parameter(start.clone()) for _ in range(2))
    row_adam, adam = RowAdam([ours], lr=0.1), torch.optim.Adam([theirs], lr=0.1)
    target = torch.randn(6, 3, generator=generator)
    for step in range(5):
        rows = torch.randperm(6, generator=generator)
        for parameter, optimiser in ((ours, row_adam), (theirs, adam)):
            optimiser.zero_grad()
            taken = torch.nn.functional.embedding(rows, parameter, sparse=parameter is ours and step != 2)
            ((taken - target[rows]) ** 2).sum().backward()
            optimiser.step()
    torch.testing.assert_close(ours, theirs)


def test_row_adam_leaves_other_rows_alone():
    table = torch.nn.Parameter(torch.ones(4, 2))
    optimiser = RowAdam([table], lr=0.1)
    for _ in range(3):
        optimiser.zero_grad()
        torch.nn.functional.embedding(torch.tensor([1]), table, sparse=True).sum().backward()
        optimiser.step()
    assert torch.equal(table[[0, 2, 3]], torch.ones(3, 2))
    assert (table[1] < 0.8).all()


def test_in_batches_does_not_depend_on_the_batch_size():
    model, x = _linear(), _data()[0].numpy()
    whole = in_batches(model, x, batch_size=1000)
    np.testing.assert_allclose(in_batches(model, x, batch_size=7), whole, rtol=1e-6)
    assert whole.shape == (96, 1)
    assert model.training
    assert best_device().type in ("cpu", "cuda", "mps")
