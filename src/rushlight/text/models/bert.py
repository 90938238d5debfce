"""BERT: a transformer that looks at a text in both directions.

Reference:
    Devlin et al. 2019, "BERT: pre-training of deep bidirectional transformers for language
    understanding", arXiv:1810.04805; parameters have the names of Hugging Face's ``BertModel``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import rushlight as rl
from rushlight import Tensor, nn
from rushlight.nn import functional as F

from . import checkpoint
from .activation import activation
from .checkpoint import PathLike


@dataclass
class BERTConfig:
    """The sizes of a BERT, by its own names; the defaults are those of the base model.

    Attributes:
        vocab_size: tokens.
        hidden_size, num_hidden_layers, num_attention_heads, intermediate_size: width, layers, heads
            of each, and width inside of them.
        max_position_embeddings: tokens of the longest text.
        type_vocab_size: kinds of segments.
        pad_token_id: its embedding is not trained.
    """

    vocab_size: int = 30522
    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    intermediate_size: int = 3072
    hidden_act: str = "gelu"
    hidden_dropout_prob: float = 0.1
    attention_probs_dropout_prob: float = 0.1
    max_position_embeddings: int = 512
    type_vocab_size: int = 2
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-12
    pad_token_id: int = 0

    def __post_init__(self) -> None:
        if self.hidden_size % self.num_attention_heads:
            raise ValueError(
                f"hidden_size {self.hidden_size} is no multiple of num_attention_heads"
                f" {self.num_attention_heads}"
            )


class Embeddings(nn.Module):
    """A token, its place and its segment as one vector."""

    def __init__(self, config: BERTConfig) -> None:
        super().__init__()
        size = config.hidden_size
        self.word_embeddings = nn.Embedding(
            config.vocab_size, size, padding_idx=config.pad_token_id
        )
        self.position_embeddings = nn.Embedding(config.max_position_embeddings, size)
        self.token_type_embeddings = nn.Embedding(config.type_vocab_size, size)
        self.LayerNorm = nn.LayerNorm(size, config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(self, ids: Tensor, segments: Tensor | None) -> Tensor:
        segments = rl.zeros_like(ids) if segments is None else segments
        places = rl.arange(ids.shape[1], device=ids.device)
        x = self.word_embeddings(ids) + self.token_type_embeddings(segments)
        return self.dropout(self.LayerNorm(x + self.position_embeddings(places)))


class SelfAttention(nn.Module):
    """Attention of all to all: (B, T, D) to the same, before the layer behind it."""

    def __init__(self, config: BERTConfig) -> None:
        super().__init__()
        self.heads, self.dropped = config.num_attention_heads, config.attention_probs_dropout_prob
        size = config.hidden_size
        self.query, self.key, self.value = (nn.Linear(size, size) for _ in range(3))

    def forward(self, x: Tensor, seen: Tensor | None) -> Tensor:
        B, T, D = x.shape
        q, k, v = (
            part(x).reshape(B, T, self.heads, -1).transpose(1, 2)
            for part in (self.query, self.key, self.value)
        )
        dropped = self.dropped if self.training else 0.0
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=seen, dropout_p=dropped)
        return y.transpose(1, 2).reshape(B, T, D)


class Output(nn.Module):
    """A layer whose result is added to ``before`` and normalized."""

    def __init__(self, width: int, config: BERTConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(width, config.hidden_size)
        self.LayerNorm = nn.LayerNorm(config.hidden_size, config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(self, x: Tensor, before: Tensor) -> Tensor:
        return self.LayerNorm(self.dropout(self.dense(x)) + before)


class Attention(nn.Module):
    def __init__(self, config: BERTConfig) -> None:
        super().__init__()
        self.self = SelfAttention(config)
        self.output = Output(config.hidden_size, config)

    def forward(self, x: Tensor, seen: Tensor | None) -> Tensor:
        return self.output(self.self(x, seen), x)


class Intermediate(nn.Module):
    def __init__(self, config: BERTConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.intermediate_size)
        self.act = activation(config.hidden_act)

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.dense(x))


class Layer(nn.Module):
    def __init__(self, config: BERTConfig) -> None:
        super().__init__()
        self.attention = Attention(config)
        self.intermediate = Intermediate(config)
        self.output = Output(config.intermediate_size, config)

    def forward(self, x: Tensor, seen: Tensor | None) -> Tensor:
        x = self.attention(x, seen)
        return self.output(self.intermediate(x), x)


class Encoder(nn.Module):
    def __init__(self, config: BERTConfig) -> None:
        super().__init__()
        self.layer = nn.ModuleList(Layer(config) for _ in range(config.num_hidden_layers))

    def forward(self, x: Tensor, seen: Tensor | None) -> Tensor:
        for layer in self.layer:
            x = layer(x, seen)
        return x


class Pooler(nn.Module):
    """The first token's vector, for the whole text."""

    def __init__(self, config: BERTConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)

    def forward(self, x: Tensor) -> Tensor:
        return self.dense(x[:, 0]).tanh()


class Encoded(NamedTuple):
    """A vector for each token (B, T, D), and one for each text (B, D)."""

    tokens: Tensor
    text: Tensor


class BERT(nn.Module):
    """The encoder: numbers of tokens to vectors.

    Shape:
        ids (B, T) int64; mask (B, T), 1 for tokens and 0 for padding; segments (B, T) int64.
    Returns:
        ``tokens`` (B, T, hidden_size) and ``text`` (B, hidden_size), to put a classifier on.
    Example:
        >>> import rushlight as rl
        >>> from rushlight.text.models import BERT, BERTConfig
        >>> model = BERT(BERTConfig(10, 16, 2, 2, 32, max_position_embeddings=8))
        >>> model(rl.tensor([[1, 2, 3]])).text.shape
        torch.Size([1, 16])
    """

    def __init__(self, config: BERTConfig) -> None:
        super().__init__()
        self.config = config
        self.embeddings = Embeddings(config)
        self.encoder = Encoder(config)
        self.pooler = Pooler(config)
        for name, parameter in self.named_parameters():
            if parameter.ndim > 1:
                nn.init.normal_(parameter, 0.0, config.initializer_range)
            elif name.endswith("bias"):
                nn.init.zeros_(parameter)
        with rl.no_grad():
            self.embeddings.word_embeddings.weight[config.pad_token_id] = 0

    def forward(
        self, ids: Tensor, mask: Tensor | None = None, segments: Tensor | None = None
    ) -> Encoded:
        if ids.shape[1] > self.config.max_position_embeddings:
            raise ValueError(
                f"the text has {ids.shape[1]} tokens and the model"
                f" {self.config.max_position_embeddings} positions"
            )
        seen = None if mask is None else mask.bool()[:, None, None]  # (B, heads, T, T)
        x = self.encoder(self.embeddings(ids, segments), seen)
        return Encoded(x, self.pooler(x))

    @classmethod
    def from_pretrained(cls, folder: PathLike) -> BERT:
        """The encoder of a Hugging Face folder; it is in eval mode.

        A checkpoint without pooler, such as one for masked words, gives a new one.

        Raises:
            FileNotFoundError: no configuration or no weights there.
            RuntimeError: the weights are those of another model.
        """
        model = cls(checkpoint.read_config(folder, BERTConfig))
        weights = checkpoint.without_prefix(checkpoint.read_weights(folder), "bert.")
        older = (("LayerNorm.gamma", "LayerNorm.weight"), ("LayerNorm.beta", "LayerNorm.bias"))
        for old, new in older:
            weights = {name.replace(old, new): value for name, value in weights.items()}
        checkpoint.fill(model, weights, optional=("pooler.",))
        return model.eval()

    def save_pretrained(self, folder: PathLike) -> None:
        """Writes ``config.json`` and ``model.safetensors``, as Hugging Face reads them."""
        checkpoint.write(
            folder, self.config, self.state_dict(), model_type="bert", architectures=["BertModel"]
        )
