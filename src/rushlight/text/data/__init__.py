"""From texts to batches of numbers."""

from .batches import BucketBatchSampler, PadCollate
from .functional import to_map_style_dataset
from .metrics import bleu_score
from .utils import custom_replace, get_tokenizer, ngrams_iterator
