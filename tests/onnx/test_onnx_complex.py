"""Complex numbers inside of an exported model: two real tensors, and ONNX's DFT."""

import pytest

import rushlight as rl
from rushlight import nn
from rushlight.audio import transforms

pytest.importorskip("onnxruntime")
fft = rl.fft


def norms(z: rl.Tensor) -> rl.Tensor:
    """What the parts are, without what a sign of zero decides."""
    return rl.view_as_real(z)


FUNCTIONS = {
    "fft": lambda x: norms(fft.fft(x)),
    "fft_of_complex": lambda x: norms(fft.fft(rl.complex(x, x * 2), norm="ortho")),
    "ifft": lambda x: norms(fft.ifft(rl.complex(x, x + 1), norm="forward")),
    "fft2": lambda x: norms(fft.fft2(x)),
    "rfft": lambda x: fft.rfft(x, n=7).abs(),
    "irfft_even": lambda x: fft.irfft(fft.rfft(x), n=8),
    "irfft_odd": lambda x: fft.irfft(fft.rfft(x, n=7), n=7, norm="ortho"),
    "irfft2": lambda x: fft.irfft2(fft.rfft2(x) * 2, s=x.shape[-2:]),
    "hfft": lambda x: fft.hfft(rl.complex(x, x * x)),
    "shifted": lambda x: fft.fftshift(fft.fft(x)).real,
    "arithmetic": lambda x: norms((rl.complex(x, x + 2) * (1 + 2j) - x) / rl.complex(x + 3, x)),
    "moved": lambda x: norms(rl.cat([rl.complex(x, -x).mT, rl.complex(x, x).mT], 0)[1:, ::2]),
    "conjugate": lambda x: (fft.fft(x) * fft.fft(x).conj()).real.sum(-1),
    "exp": lambda x: norms(rl.exp(rl.complex(x, x * 2))),
}


class Applied(nn.Module):
    def __init__(self, function) -> None:
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


@pytest.mark.parametrize("opset", [17, 20])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions(name: str, opset: int) -> None:
    assert rl.onnx.export(Applied(FUNCTIONS[name]), (rl.randn(4, 8),), opset_version=opset)


def test_spectrograms_of_any_number_of_signals() -> None:
    layers = nn.Sequential(
        transforms.MelSpectrogram(16000, n_fft=64, hop_length=32, n_mels=8),
        transforms.AmplitudeToDB(),
    )
    made = rl.onnx.export(layers, (rl.randn(2, 400),), dynamic_shapes={"input": {0: "batch"}})
    assert made(rl.randn(3, 400))[0].shape == (3, 8, 13)
    assert "DFT" in {node.op_type for node in made.model_proto.graph.node}


def test_a_signal_comes_back() -> None:
    def again(x):
        window = rl.hann_window(8)
        z = rl.stft(x, 8, 4, window=window, return_complex=True)
        return rl.istft(z, 8, 4, window=window, length=32)

    assert rl.onnx.export(Applied(again), (rl.randn(2, 32),))


def test_complex_inputs_and_outputs_are_refused() -> None:
    with pytest.raises(rl.onnx.OnnxExporterError, match="output 'output' is complex"):
        rl.onnx.export(Applied(fft.fft), (rl.randn(4),))
    with pytest.raises(rl.onnx.OnnxExporterError, match="input 'x' is complex"):
        rl.onnx.export(Applied(rl.abs), (rl.complex(rl.ones(2), rl.ones(2)),))
    with pytest.raises(rl.onnx.OnnxExporterError, match="do not take complex numbers"):
        rl.onnx.export(Applied(lambda x: rl.sin(rl.complex(x, x)).real), (rl.randn(4),))
