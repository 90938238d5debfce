"""Collections of recordings, in torchaudio's layouts."""

from .speechcommands import SPEECHCOMMANDS
from .spoken import LIBRISPEECH, LJSPEECH, YESNO
