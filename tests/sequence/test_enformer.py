"""Enformer: parity with the official golden, its properties, its bad input."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from cistron.errors import InputError
from cistron.sequence import Enformer, EnformerSettings, parameter_count
from cistron.sequence.tower import AttentionPool, apply_in_pieces, gelu
from cistron.sequence.weight_layouts import bare_path
from cistron.sequence.weight_sources import Source, convert


@pytest.fixture(scope="module")
def official(golden, golden_settings) -> Enformer:
    tensors = {
        bare_path(name[2:]): torch.from_numpy(values) for name, values in golden.items() if name[:2] == "w:"
    }
    state, unmatched = convert(Source("deepmind", tensors, ()), golden_settings)
    assert unmatched == []
    model = Enformer(golden_settings)
    model.load_state_dict(state)
    return model.eval()


@pytest.mark.parametrize("gradients", [False, True], ids=["in pieces", "whole"])
def test_official_golden_at_every_stage(official, golden, gradients):
    one_hot = torch.from_numpy(golden["x"].astype(np.float32))
    with torch.set_grad_enabled(gradients):
        stages = {"stem": official.stem(one_hot), "tower": official.convolve(one_hot)}
        stages["transformer"] = official.transform(stages["tower"])
        stages |= official(one_hot)
    for name, found in stages.items():
        wanted = golden[name]
        error = np.abs(found.detach().numpy() - wanted).max()
        scale = max(1.0, np.abs(wanted).max())  # the transformer's output goes up to 9
        assert error < 1e-4 * scale, f"{name}: {error:.2g} on a scale of {scale:.2g}"


def test_golden_fails_with_the_maximum_over_features(official, golden, monkeypatch):
    """The bug of the ports must not pass the golden: else the golden would prove nothing."""
    from cistron.sequence import attention

    one_hot = torch.from_numpy(golden["x"].astype(np.float32))
    true = attention.positional_basis

    def wrong(length, features):
        basis = true(length, features).double()
        kinds = features // 6
        gamma = slice(2 * kinds, 3 * kinds)
        basis[:, gamma] = basis[:, gamma] / basis[:, gamma].amax(dim=1, keepdim=True)
        return basis.float()

    monkeypatch.setattr(attention, "positional_basis", wrong)
    human = official(one_hot)["human"].detach().numpy()
    assert np.abs(human - golden["human"]).max() > 0.01


def test_parameter_count():
    assert parameter_count() == 251_221_292


def test_widths_of_the_publication():
    assert EnformerSettings().widths == (768, 768, 896, 1024, 1152, 1280, 1536)
    assert EnformerSettings().bins == 896


def test_initial_weights_follow_the_official_code(test_data):
    import json

    with open(test_data / "sequence/goldens/official_init_stats_small.json") as handle:
        table = json.load(handle)
    deviations = {row[0]: row[2] for rows in table.values() for row in rows}
    torch.manual_seed(1)
    model = Enformer(EnformerSettings(channels=384, depth=2, length=12_288, crop=24))
    block = "enformer/trunk/transformer/transformer_block_0/mha/attention_0"
    for found, wanted in [
        (model.heads["human"].weight, "enformer/heads/head_human/linear/w:0"),
        (model.stem.wide.weight, "enformer/trunk/stem/conv1_d/w:0"),
        (
            model.tower[0].wide.convolution.weight,
            "enformer/trunk/conv_tower/conv_tower_block_0/conv_block/conv1_d/w:0",
        ),
        (model.transformer[0].attention.query.weight, f"{block}/q_layer/w:0"),
        (model.transformer[0].attention.position.weight, f"{block}/r_k_layer/w:0"),
        (model.transformer[0].attention.position_bias, f"{block}/r_r_bias:0"),
        (model.transformer[0].attention.output.weight, f"{block}/embedding_layer/w:0"),
        (model.stem.pool.weight, "enformer/trunk/stem/softmax_pooling/linear/w:0"),
    ]:
        spread = found.detach().std(correction=0).item()
        assert spread == pytest.approx(deviations[wanted], rel=0.12), wanted


@pytest.mark.parametrize("length", [1280, 2048, 4096])
def test_other_lengths_and_batch_sizes(model, length, tiny, dna):
    one_hot = dna(length, batch=3)
    with torch.no_grad():
        together = model(one_hot)
        apart = [model(one_hot[[row]]) for row in range(3)]
    for organism, number in tiny.tracks.items():
        assert together[organism].shape == (3, length // 128 - 8, number)
        assert together[organism].dtype == torch.float32
        alone = torch.cat([part[organism] for part in apart])
        torch.testing.assert_close(together[organism], alone, rtol=1e-5, atol=1e-6)


@given(size=st.sampled_from([2, 6, 64, 100, 4096]), length=st.sampled_from([128, 512, 700]))
@settings(max_examples=12, deadline=None)
def test_pieces_equal_the_whole(size, length, tiny, make_lively, dna):
    torch.manual_seed(0)
    model = make_lively(Enformer(tiny))
    one_hot = dna(length)
    with torch.no_grad():
        for level in (model.stem, model.tower[0]):
            whole = level(one_hot)
            torch.testing.assert_close(apply_in_pieces(level, one_hot, size), whole, rtol=1e-5, atol=1e-6)
            one_hot = whole


def test_gelu_is_the_sigmoid_approximation():
    x = torch.linspace(-5, 5, 101)
    torch.testing.assert_close(gelu(x), x * torch.sigmoid(1.702 * x))


def test_pooling_is_a_softmax_over_the_pair():
    torch.manual_seed(0)
    pool = AttentionPool(5)  # its weights are drawn below
    with torch.no_grad():
        pool.weight.copy_(torch.randn(5, 5))
    x = torch.randn(2, 8, 5)
    pairs = x.reshape(2, 4, 2, 5)
    weights = torch.softmax(pairs @ pool.weight.T, dim=2)
    torch.testing.assert_close(pool(x), (weights * pairs).sum(2))


def test_heads_and_tracks_are_chosen(model, dna):
    one_hot = dna(2048)
    with torch.no_grad():
        whole = model(one_hot)
        part = model(one_hot, organisms=["human"], tracks={"human": [4, 1]})
    assert list(part) == ["human"]
    torch.testing.assert_close(part["human"], whole["human"][..., [4, 1]])


def test_attention_maps_are_distributions_and_change_nothing(model, dna):
    one_hot = dna(2048, batch=2)
    with torch.no_grad():
        maps = model.attention_maps(one_hot)
        collected: list[torch.Tensor] = []
        tower = model.convolve(one_hot)
        with_maps = model.transform(tower, collected)
        without = model.transform(tower)
    assert maps.shape == (2, 2, 4, 16, 16)
    torch.testing.assert_close(maps.sum(-1), torch.ones(2, 2, 4, 16))
    torch.testing.assert_close(with_maps, without, rtol=1e-5, atol=1e-5)


def test_symmetrised_model_reverses_with_the_reverse_complement(model, dna):
    def symmetric(one_hot):
        forward, backward = model(one_hot)["human"], model(one_hot.flip(1, 2))["human"].flip(1)
        return (forward + backward) / 2

    one_hot = dna(2048)
    with torch.no_grad():
        torch.testing.assert_close(
            symmetric(one_hot.flip(1, 2)), symmetric(one_hot).flip(1), rtol=1e-5, atol=1e-6
        )
        # the model alone is not symmetric, so the check above can fail
        assert (model(one_hot.flip(1, 2))["human"] - model(one_hot)["human"].flip(1)).abs().max() > 1e-3


def test_gradient_reaches_the_input_and_is_right(model, dna):
    one_hot = dna(1280).requires_grad_()
    model(one_hot)["human"][0, 0, 0].backward()
    gradient = one_hot.grad
    assert (gradient.abs().sum(-1) > 0).float().mean() > 0.95
    with torch.no_grad():  # a small step along the gradient changes the output as the gradient says
        step = (
            3e-2 * gradient / gradient.norm()
        )  # smaller ones change the output by no more than a few roundings
        before = model(one_hot - step)["human"][0, 0, 0]
        after = model(one_hot + step)["human"][0, 0, 0]
    assert (after - before).item() == pytest.approx(6e-2 * gradient.norm().item(), rel=0.02)


def test_inference_in_fewer_passes_is_the_plain_stage(tiny, make_lively, dna):
    model = make_lively(Enformer(tiny)).eval()
    plain = model.stem(dna(2048, batch=2))  # with gradients every operation stands alone
    with torch.no_grad():
        assert model.stem._can_be_fused(dna(2048), (7, 7))
        torch.testing.assert_close(model.stem(dna(2048, batch=2)), plain.detach(), rtol=1e-5, atol=1e-6)
        seen = []
        hook = model.tower[0].pointwise.register_forward_pre_hook(lambda *given: seen.append(1))
        fused = model.tower[0](plain)
        hook.remove()
        assert seen  # who looks at a part sees it
        torch.testing.assert_close(model.tower[0](plain), fused, rtol=1e-5, atol=1e-6)
        assert not model.tower[0]._can_be_fused(plain[:, :30], (2, 2))  # too short for tiles
    with torch.enable_grad():
        whole = model.tower[0](plain)
    torch.testing.assert_close(fused, whole.detach(), rtol=1e-5, atol=1e-6)


def test_checkpointed_tower_trains_alike(tiny, make_lively, dna):
    from dataclasses import replace

    gradients, averages = [], []
    for checkpointed in (False, True):
        torch.manual_seed(0)
        shape = replace(tiny, checkpoint_tower=checkpointed, dropout=0.0, attention_dropout=0.0)
        shape = replace(shape, positional_dropout=0.0, tail_dropout=0.0)
        model = make_lively(Enformer(shape)).train()
        model(dna(2048, batch=2))["human"].sum().backward()
        gradients.append(
            [parameter.grad for name, parameter in model.named_parameters() if "mouse" not in name]
        )
        averages.append([buffer.clone() for buffer in model.buffers()])
    assert all(gradient is not None for gradient in gradients[0])
    for plain, recomputed in zip(*averages):  # the second pass through a stage leaves moving averages alone
        torch.testing.assert_close(recomputed.float(), plain.float())
    for plain, recomputed in zip(*gradients):
        torch.testing.assert_close(recomputed, plain, rtol=1e-4, atol=1e-5)


def test_training_mode_uses_batch_statistics_and_dropout(tiny, make_lively, dna):
    torch.manual_seed(0)
    model = make_lively(Enformer(tiny)).train()
    before = model.tail.norm.running_mean.clone()
    one_hot = dna(2048)
    first, second = model(one_hot)["human"], model(one_hot)["human"]
    assert not torch.equal(first, second)
    assert not torch.equal(model.tail.norm.running_mean, before)


def test_cached_positions_follow_the_weights(tiny, make_lively, dna):
    torch.manual_seed(0)
    model = make_lively(Enformer(tiny))
    one_hot = dna(2048)
    with torch.no_grad():
        model(one_hot)
        model.transformer[0].attention.position.weight.mul_(-1)
        cached = model(one_hot)["human"]
    fresh = Enformer(tiny).eval()
    fresh.load_state_dict(model.state_dict())
    with torch.no_grad():
        torch.testing.assert_close(fresh(one_hot)["human"], cached)


def test_bfloat16_matrices_keep_the_predictions(tiny, make_lively, dna):
    torch.manual_seed(0)
    model = make_lively(Enformer(tiny))
    one_hot = dna(4096)
    with torch.no_grad():
        exact = model(one_hot)["human"]
        model.matrices_to(torch.bfloat16)
        rounded = model(one_hot)["human"]
    assert rounded.dtype == torch.float32
    assert model.tail.norm.weight.dtype == torch.float32
    assert np.corrcoef(exact.flatten(), rounded.flatten())[0, 1] > 0.99
    assert isinstance(model.heads["human"], nn.Linear)


def test_mixed_precision_rounds_only_what_is_robust(tiny, make_lively, dna):
    torch.manual_seed(0)
    model = make_lively(Enformer(tiny))
    one_hot = dna(4096)
    with torch.no_grad():
        exact = model(one_hot)["human"][0]
        model.matrices_to(torch.bfloat16, "robust")
        mixed = model(one_hot)["human"][0]
        model.matrices_to(torch.bfloat16)
        rounded = model(one_hot)["human"][0]
    rounding = {name for name, tensor in Enformer(tiny).matrices_to(torch.bfloat16, "robust").state_dict().items()
                if tensor.dtype == torch.bfloat16}  # fmt: skip
    assert {name.split(".")[0] for name in rounding} == {"transformer", "heads"}
    assert not any(word in name for name in rounding for word in ("query", "key", "position", "norm"))
    error = (mixed - exact).abs().mean(), (rounded - exact).abs().mean()
    assert 0 < error[0] < 0.8 * error[1]


def test_pooling_with_a_rounded_off_diagonal_keeps_the_diagonal():
    pool = AttentionPool(32)
    with torch.no_grad():
        pool.weight.copy_(torch.eye(32) * 2.001 + 0.05 * torch.randn(32, 32))
        x = 3 * torch.randn(1, 64, 32)
        exact = pool(x)
        pool.round_off_diagonal(torch.bfloat16)
        assert 0 < (pool(x) - exact).abs().max() < 0.02
        pool.weight.copy_(torch.eye(32) * 2.001)  # 2.001 is 2 in bfloat16
        pool.off_diagonal = None
        exact = pool(x)
        pool.round_off_diagonal(torch.bfloat16)
        torch.testing.assert_close(pool(x), exact, rtol=0, atol=1e-6)
    assert "off_diagonal" not in pool.state_dict()


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        ((1, 1000, 4), "multiple of 128"),
        ((1, 1024, 4), "2 x 4"),
        ((1, 4, 1024), r"\[batch, length, 4\]"),
        ((1024, 4), r"\[batch, length, 4\]"),
    ],
)
def test_bad_input(model, shape, words):
    with pytest.raises(InputError, match=words):
        model(torch.zeros(shape))


def test_bad_choices(model, dna):
    one_hot = dna(2048)
    with torch.no_grad():
        for arguments, words in [
            ({"organisms": ["rat"]}, "no head 'rat'"),
            ({"tracks": {"human": [5]}}, "numbered 0 to 4"),
            ({"tracks": {"human": []}}, "numbered 0 to 4"),
        ]:
            with pytest.raises(InputError, match=words):
                model(one_hot, **arguments)
    with pytest.raises(InputError, match="6 x heads"):
        EnformerSettings(channels=100)
    with pytest.raises(InputError, match="at least one track"):
        EnformerSettings(tracks={})


@pytest.mark.parametrize("piece", [64, 4096])
def test_what_is_computed_again_has_the_gradients_of_plain_autograd(piece, monkeypatch):
    """A stage of the tower in training, in pieces and whole, against the same written with torch's own layers; moving averages too."""
    from cistron.sequence import recomputing
    from cistron.sequence.tower import Stage, gelu

    monkeypatch.setattr(recomputing, "PIECE", piece)
    generator = torch.Generator().manual_seed(0)
    for pooling in ("attention", "max"):
        stages = [Stage(6, 10, 5, pooling=pooling).train() for _ in range(2)]
        with torch.no_grad():
            for parameter in stages[0].parameters():
                parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.4 + 0.2)
            for module in stages[0].modules():
                if isinstance(module, torch.nn.BatchNorm1d):
                    module.running_mean.normal_(generator=generator)
        stages[1].load_state_dict(stages[0].state_dict())
        x = torch.randn(2, 160, 6, generator=generator) + 3
        inputs = [x.clone().requires_grad_() for _ in stages]

        def plain(stage, x):
            def norm(block, x):
                return gelu(block.norm(x.flatten(0, 1)).unflatten(0, x.shape[:2]))

            wide = stage.wide.convolution(norm(stage.wide, x), (2, 2))
            return stage.pool(wide + stage.pointwise.convolution(norm(stage.pointwise, wide)))

        results = [stages[0](inputs[0]), plain(stages[1], inputs[1])]
        assert (results[0] - results[1]).abs().max() < 1e-5
        given = torch.randn(results[0].shape, generator=generator)
        for result in results:
            result.backward(given)
        assert (inputs[0].grad - inputs[1].grad).abs().max() < 1e-4
        for (name, one), two in zip(stages[0].named_parameters(), stages[1].parameters()):
            scale = (
                two.grad.abs().max().clamp_min(1)
            )  # a bias before normalisation has a gradient of 0 but for rounding
            assert (one.grad - two.grad).abs().max() < 1e-4 * scale, name
        for (name, one), two in zip(stages[0].named_buffers(), stages[1].buffers()):
            assert torch.allclose(one, two, atol=1e-5), name


def test_a_step_keeps_less_than_half_of_what_plain_layers_keep(tiny):
    """Of the tower, tensors that the backward pass holds on to."""
    model = Enformer(tiny).train()
    one_hot = torch.nn.functional.one_hot(torch.randint(0, 4, (1, 4096)), 4).float()
    kept = {}

    def pack(tensor):
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        model.convolve(one_hot)
    weights = {one.untyped_storage().data_ptr() for one in model.parameters()}
    held = sum(size for place, size in kept.items() if place not in weights)
    widths = tiny.widths
    # a stage with plain layers keeps four tensors of its width and three of that before it
    plain = sum(
        4096 // 2**level * 4 * (4 * width + (3 * widths[level - 1] if level else 15 * 4))
        for level, width in enumerate(widths)
    )
    assert held < 0.5 * plain


def test_what_is_computed_again_is_computed_in_the_same_precision(tiny, make_lively, dna):
    """Under autocast the second pass makes its products in bfloat16 too, and gradients come out in float32."""
    torch.manual_seed(0)
    model = make_lively(Enformer(tiny)).train()
    one_hot = dna(2048)
    gradients = []
    for enabled in (False, True):
        model.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled):
            result = model.convolve(one_hot)
        result.float().square().mean().backward()
        gradients.append(model.stem.pointwise.convolution.weight.grad.clone())
    assert gradients[1].dtype == torch.float32
    assert not torch.equal(*gradients)
    cosine = torch.nn.functional.cosine_similarity(gradients[0].flatten(), gradients[1].flatten(), dim=0)
    assert cosine > 0.98
