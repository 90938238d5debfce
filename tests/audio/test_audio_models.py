"""Networks for sound with torchaudio's weights against torchaudio's."""

import numpy as np
import pytest
import torch
from beside import alike, audio, noise, torchaudio

import rushlight as rl
from rushlight.execute import tier

OURS, THEIRS = audio.models, torchaudio.models
TASNET = {
    "num_sources": 3, "enc_kernel_size": 8, "enc_num_feats": 10, "msk_num_feats": 6,
    "msk_num_hidden_feats": 7, "msk_num_layers": 2, "msk_num_stacks": 2,
}  # fmt: skip
CONFORMER = {
    "input_dim": 12, "num_heads": 3, "ffn_dim": 20, "num_layers": 2,
    "depthwise_conv_kernel_size": 5,
}  # fmt: skip
LENGTHS = np.array([9, 4])
CASES = [
    ("ConvTasNet", TASNET, (noise(2, 1, 50),)),
    pytest.param("ConvTasNet", {**TASNET, "msk_activate": "relu"}, (noise(2, 1, 48),),
                 marks=pytest.mark.slow),
    pytest.param("ConvTasNet", {**TASNET, "enc_kernel_size": 7}, (noise(2, 1, 47),),
                 marks=pytest.mark.slow),
    ("DeepSpeech", {"n_feature": 6, "n_hidden": 8, "n_class": 5}, (noise(2, 1, 7, 6),)),
    ("Conformer", CONFORMER, (noise(2, 9, 12), LENGTHS)),
    ("Conformer", {**CONFORMER, "use_group_norm": True, "convolution_first": True},
     (noise(2, 9, 12), LENGTHS)),
]  # fmt: skip


def pair(name, kwargs):
    torch.manual_seed(0)
    theirs = getattr(THEIRS, name)(**kwargs)
    ours = getattr(OURS, name)(**kwargs)
    state = theirs.state_dict()
    assert list(ours.state_dict()) == list(state)
    ours.load_state_dict({key: rl.tensor(value.numpy()) for key, value in state.items()})
    return ours, theirs


def first(result):
    return result[0] if isinstance(result, tuple) else result


@pytest.mark.parametrize("name, kwargs, inputs", CASES, ids=lambda x: x if type(x) is str else "")
@pytest.mark.parametrize("training", [True, False])
def test_networks(name, kwargs, inputs, training):
    ours, theirs = pair(name, kwargs)
    ours.train(training), theirs.train(training)
    with tier.only("reference"):  # what runs once need not be compiled
        y, wanted = (first(model(*map(lib.tensor, inputs))) for model, lib in
                     ((ours, rl), (theirs, torch)))  # fmt: skip
        alike(y, wanted, rtol=1e-4, atol=1e-5)
        if training:
            weights = noise(*wanted.shape, seed=3)
            (y * rl.tensor(weights)).sum().backward()
            (wanted * torch.tensor(weights)).sum().backward()
            same_gradients(ours, theirs)


def same_gradients(ours, theirs):
    for (name, one), other in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        found, wanted = one.grad.numpy(), other.grad.numpy()
        atol = 2e-4 * np.abs(wanted).max() + 1e-5
        np.testing.assert_allclose(found, wanted, rtol=2e-3, atol=atol, err_msg=name)


@pytest.mark.parametrize("kwargs", [{"num_classes": 5}, {"input_type": "mfcc", "num_features": 7}])
def test_wav2letter(kwargs):
    with torch.no_grad(), rl.no_grad():
        ours, theirs = pair("Wav2Letter", kwargs)
        x = noise(1, kwargs.get("num_features", 1), 800 if len(kwargs) == 1 else 60)
        with tier.only("reference"):
            alike(ours(rl.tensor(x)), theirs(torch.tensor(x)), rtol=1e-3, atol=1e-4)


def test_sizes():
    theirs = THEIRS.ConvTasNet(**TASNET).mask_generator.receptive_field
    assert OURS.ConvTasNet(**TASNET).mask_generator.receptive_field == theirs
    ours = {key: tuple(value.shape) for key, value in OURS.conv_tasnet_base().state_dict().items()}
    assert ours == {key: tuple(value.shape)
                    for key, value in THEIRS.conv_tasnet_base().state_dict().items()}  # fmt: skip


def test_what_is_no_network():
    with pytest.raises(ValueError, match="Expected 3D tensor"):
        OURS.ConvTasNet(**TASNET)(rl.zeros(2, 50))
    with pytest.raises(ValueError, match="Unsupported activation"):
        OURS.ConvTasNet(**TASNET, msk_activate="nonsense")
    with pytest.raises(ValueError, match="must be odd"):
        OURS.Conformer(**{**CONFORMER, "depthwise_conv_kernel_size": 4})
    with pytest.raises(ValueError, match="input_type must be"):
        OURS.Wav2Letter(input_type="nonsense")


def test_m5_by_hand():
    rl.manual_seed(0)
    model = OURS.M5(n_input=2, n_output=3, n_channel=4).eval()
    w = {key: torch.tensor(value.numpy()) for key, value in model.state_dict().items()}
    x = noise(2, 2, 8000)
    y = torch.tensor(x)
    for k in range(1, 5):
        y = torch.conv1d(y, w[f"conv{k}.weight"], w[f"conv{k}.bias"], stride=16 if k == 1 else 1)
        stats = (w[f"bn{k}.{part}"] for part in ("running_mean", "running_var", "weight", "bias"))
        y = torch.nn.functional.batch_norm(y, *stats)
        y = torch.max_pool1d(torch.relu(y), 4)
    wanted = torch.log_softmax(y.mean(-1) @ w["fc1.weight"].t() + w["fc1.bias"], -1)
    with tier.only("reference"):
        alike(model(rl.tensor(x)), wanted, rtol=1e-4, atol=1e-5)


def test_m5_tells_tones_apart():
    rl.manual_seed(0)
    t = rl.arange(2000) / 8000
    tones = rl.stack([rl.sin(2 * rl.pi * hertz * t + phase) for phase in range(4)
                      for hertz in (220, 440, 880)])[:, None]  # fmt: skip
    labels = rl.arange(12) % 3
    model = OURS.M5(n_output=3, stride=4, n_channel=8)
    optimizer = rl.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(15):
        optimizer.zero_grad()
        rl.nn.functional.nll_loss(model(tones), labels).backward()
        optimizer.step()
    assert (model(tones).argmax(-1) == labels).float().mean() > 0.9
