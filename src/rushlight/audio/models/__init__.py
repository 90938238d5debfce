"""Networks for sound, with torchaudio's names and parameter names."""

from .conformer import Conformer, ConformerLayer
from .conv_tasnet import ConvTasNet, conv_tasnet_base
from .deepspeech import DeepSpeech
from .m5 import M5
from .wav2letter import Wav2Letter
