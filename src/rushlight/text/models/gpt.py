"""GPT-2: a transformer that continues a text.

Reference:
    Radford et al. 2019, "Language models are unsupervised multitask learners", section 2.3;
    parameters have the names of Hugging Face's ``GPT2Model``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import rushlight as rl
from rushlight import Tensor, nn
from rushlight.nn import functional as F

from . import checkpoint
from .activation import activation
from .checkpoint import PathLike
from .generation import Memory, Sampling, continued

# Hugging Face keeps the weights of these as (in, out), ours are (out, in).
TURNED = ("attn.c_attn.weight", "attn.c_proj.weight", "mlp.c_fc.weight", "mlp.c_proj.weight")


@dataclass
class GPTConfig:
    """The sizes of a GPT, by GPT-2's names; the defaults are those of its small model.

    Attributes:
        vocab_size: tokens.
        n_positions: tokens of the longest text.
        n_embd, n_layer, n_head: width, blocks, and heads of each.
        n_inner: width inside of a block; 4 times the outer one by default.
        resid_pdrop, embd_pdrop, attn_pdrop: how much is dropped in training.
        initializer_range: the standard deviation of the first weights.
        tie_word_embeddings: the last layer's weights are those of the first.
    """

    vocab_size: int = 50257
    n_positions: int = 1024
    n_embd: int = 768
    n_layer: int = 12
    n_head: int = 12
    n_inner: int | None = None
    activation_function: str = "gelu_new"
    resid_pdrop: float = 0.1
    embd_pdrop: float = 0.1
    attn_pdrop: float = 0.1
    layer_norm_epsilon: float = 1e-5
    initializer_range: float = 0.02
    scale_attn_weights: bool = True
    scale_attn_by_inverse_layer_idx: bool = False
    tie_word_embeddings: bool = True
    eos_token_id: int | None = None

    def __post_init__(self) -> None:
        if self.n_embd % self.n_head:
            raise ValueError(f"n_embd {self.n_embd} is no multiple of n_head {self.n_head}")


class Attention(nn.Module):
    """Attention to what came before: (B, T, D) to the same."""

    def __init__(self, config: GPTConfig, layer: int) -> None:
        super().__init__()
        self.heads, self.dropped = config.n_head, config.attn_pdrop
        self.scale = (config.n_embd // config.n_head) ** -0.5 if config.scale_attn_weights else 1.0
        if config.scale_attn_by_inverse_layer_idx:
            self.scale /= layer + 1
        self.c_attn = nn.Linear(config.n_embd, 3 * config.n_embd)
        self.c_proj = nn.Linear(config.n_embd, config.n_embd)
        self.resid_dropout = nn.Dropout(config.resid_pdrop)

    def forward(self, x: Tensor, memory: Memory | None = None) -> Tensor:
        B, T, D = x.shape
        q, k, v = (
            part.reshape(B, T, self.heads, -1).transpose(1, 2)  # (B, H, T, D / H)
            for part in self.c_attn(x).split(D, dim=2)
        )
        if memory is None:
            dropped = self.dropped if self.training else 0.0
            y = F.scaled_dot_product_attention(
                q, k, v, dropout_p=dropped, is_causal=True, scale=self.scale
            )
        else:
            k, v, seen = memory.with_(k, v)
            y = F.scaled_dot_product_attention(q, k, v, attn_mask=seen, scale=self.scale)
        return self.resid_dropout(self.c_proj(y.transpose(1, 2).reshape(B, T, D)))


class MLP(nn.Module):
    """Two layers for each place by itself."""

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        inner = config.n_inner or 4 * config.n_embd
        self.c_fc, self.c_proj = nn.Linear(config.n_embd, inner), nn.Linear(inner, config.n_embd)
        self.act = activation(config.activation_function)
        self.dropout = nn.Dropout(config.resid_pdrop)

    def forward(self, x: Tensor) -> Tensor:
        return self.dropout(self.c_proj(self.act(self.c_fc(x))))


class Block(nn.Module):
    """Attention, then two layers, each added to what it was given."""

    def __init__(self, config: GPTConfig, layer: int) -> None:
        super().__init__()
        self.ln_1 = nn.LayerNorm(config.n_embd, config.layer_norm_epsilon)
        self.attn = Attention(config, layer)
        self.ln_2 = nn.LayerNorm(config.n_embd, config.layer_norm_epsilon)
        self.mlp = MLP(config)

    def forward(self, x: Tensor, memory: Memory | None = None) -> Tensor:
        x = x + self.attn(self.ln_1(x), memory)
        return x + self.mlp(self.ln_2(x))


class GPT(nn.Module):
    """A GPT with its last layer: numbers of tokens to the logits of the next ones.

    Shape:
        ids (B, T) int64, T at most ``n_positions``; output (B, T, vocab_size).
    Example:
        >>> import rushlight as rl
        >>> from rushlight.text.models import GPT, GPTConfig
        >>> model = GPT(GPTConfig(vocab_size=10, n_positions=8, n_embd=16, n_layer=2, n_head=2))
        >>> model(rl.tensor([[1, 2, 3]])).shape
        torch.Size([1, 3, 10])
        >>> model.generate(rl.tensor([[1, 2, 3]]), max_new_tokens=4).shape
        torch.Size([1, 7])
    """

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.config = config
        self.wte = nn.Embedding(config.vocab_size, config.n_embd)
        self.wpe = nn.Embedding(config.n_positions, config.n_embd)
        self.drop = nn.Dropout(config.embd_pdrop)
        self.h = nn.ModuleList(Block(config, layer) for layer in range(config.n_layer))
        self.ln_f = nn.LayerNorm(config.n_embd, config.layer_norm_epsilon)
        self.lm_head = nn.Linear(config.n_embd, config.vocab_size, bias=False)
        self._begin()
        if config.tie_word_embeddings:
            self.lm_head.weight = self.wte.weight

    def _begin(self) -> None:
        """First weights as GPT-2's: smaller where they are added to a residual again and again."""
        spread = self.config.initializer_range
        for name, parameter in self.named_parameters():
            if name.endswith("c_proj.weight"):
                nn.init.normal_(parameter, 0.0, spread / math.sqrt(2 * self.config.n_layer))
            elif parameter.ndim > 1:
                nn.init.normal_(parameter, 0.0, spread)
            elif name.endswith("bias"):
                nn.init.zeros_(parameter)

    def forward(self, ids: Tensor) -> Tensor:
        return self.lm_head(self.features(ids))

    def features(self, ids: Tensor, memories: list[Memory] | None = None, start: int = 0) -> Tensor:
        """What the last layer is given (B, T, D).

        Args:
            memories: what each block remembers of the text so far, for one that goes on.
            start: how long that is.
        """
        T = ids.shape[1]
        if start + T > self.config.n_positions:
            raise ValueError(
                f"the text has {start + T} tokens and the model {self.config.n_positions} positions"
            )
        x = self.drop(self.wte(ids) + self.wpe(rl.arange(T, device=ids.device) + start))
        for k, block in enumerate(self.h):
            x = block(x, None if memories is None else memories[k])
        return self.ln_f(x)

    @rl.no_grad()
    def generate(
        self, ids: Tensor, max_new_tokens: int, temperature: float = 1.0,
        top_k: int | None = None, top_p: float | None = None, eos: int | None = None,
        generator: rl.Generator | None = None,
    ) -> Tensor:  # fmt: skip
        """Goes on with texts, a token at a time. What was computed for the ones before is kept.

        Args:
            ids: (B, T), the beginnings, all of one length.
            temperature: 0 takes the most probable token; below 1 is more careful, above bolder.
            top_k: only the k most probable tokens are drawn from.
            top_p: only the fewest tokens that together are as probable as this.
            eos: ends a text, and fills it up until all have ended; ``config.eos_token_id``
                by default, -1 for none.
            generator: where the draws come from.
        Returns:
            (B, T + at most max_new_tokens), the beginnings included.
        Raises:
            ValueError: an empty beginning, or more tokens than positions.
        """
        eos = self.config.eos_token_id if eos is None else eos
        sampling = Sampling(temperature, top_k, top_p, generator)
        return continued(self, ids, max_new_tokens, sampling, eos)

    def memories(self, texts: int, length: int) -> list[Memory]:
        """An empty memory for each block."""
        config, weight = self.config, self.wte.weight
        shape = texts, config.n_head, length, config.n_embd // config.n_head
        return [Memory(shape, weight.dtype, weight.device) for _ in self.h]

    @classmethod
    def from_pretrained(cls, folder: PathLike) -> GPT:
        """The model of a Hugging Face folder, such as GPT-2's; it is in eval mode.

        Raises:
            FileNotFoundError: no configuration or no weights there.
            RuntimeError: the weights are those of another model.
        """
        model = cls(checkpoint.read_config(folder, GPTConfig))
        weights = checkpoint.without_prefix(checkpoint.read_weights(folder), "transformer.")
        checkpoint.fill(model, _turned(weights), optional=("lm_head.",) if model.tied else ())
        return model.eval()

    def save_pretrained(self, folder: PathLike) -> None:
        """Writes ``config.json`` and ``model.safetensors``, as Hugging Face reads them."""
        state = {f"transformer.{name}": value for name, value in _turned(self.state_dict()).items()
                 if not name.startswith("lm_head.")}  # fmt: skip
        if not self.tied:
            state["lm_head.weight"] = self.lm_head.weight
        checkpoint.write(
            folder, self.config, state, model_type="gpt2", architectures=["GPT2LMHeadModel"]
        )

    @property
    def tied(self) -> bool:
        """Whether the last layer's weights are those of the first."""
        return self.config.tie_word_embeddings


def _turned(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Weights as the other side keeps them."""
    return {name: value.t() if name.endswith(TURNED) else value for name, value in weights.items()}
