"""Models of text that read Hugging Face's folders."""

from .bert import BERT, BERTConfig
from .generation import Memory, Sampling
from .gpt import GPT, GPTConfig
