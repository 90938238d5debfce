"""What layers inside of a network give.

A node is a layer's path, such as ``layer1.0.conv1``, or the path of a block, whose output it stands
for. A layer that is used again in one pass counts: ``layer1.0.relu``, ``layer1.0.relu_1``. Results
of functions, such as a sum in a block, are no nodes here.
"""

from __future__ import annotations

import contextlib
import re
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from typing import Any

from rushlight import nn

__all__ = ["create_feature_extractor", "get_graph_node_names"]

Nodes = list[str] | dict[str, str]


def get_graph_node_names(
    model: nn.Module,
    tracer_kwargs: dict[str, Any] | None = None,
    suppress_diff_warning: bool = False,
    concrete_args: dict[str, Any] | None = None,
) -> tuple[list[str], list[str]]:
    """The paths of all layers, in training and in evaluation, in the order of their definition.

    Args:
        tracer_kwargs, suppress_diff_warning, concrete_args: accepted; nothing is traced.
    Example:
        >>> get_graph_node_names(nn.Sequential(nn.Linear(2, 3), nn.ReLU()))[0]
        ['0', '1']
    """
    names = [name for name, layer in model.named_modules() if name and not layer._modules]
    return names, list(names)


def create_feature_extractor(
    model: nn.Module,
    return_nodes: Nodes | None = None,
    train_return_nodes: Nodes | None = None,
    eval_return_nodes: Nodes | None = None,
    tracer_kwargs: dict[str, Any] | None = None,
    suppress_diff_warning: bool = False,
    concrete_args: dict[str, Any] | None = None,
) -> FeatureExtractor:
    """A network that runs ``model`` and returns what its nodes gave, by name.

    It shares the model's layers. What no wanted node depends on is recorded and never computed.

    Args:
        return_nodes: nodes, or node -> name in the result.
        train_return_nodes, eval_return_nodes: both instead, where they differ.
        tracer_kwargs, suppress_diff_warning, concrete_args: accepted; nothing is traced.
    Raises:
        ValueError: a node that the model has not, or nodes given in more than one way.
    Example:
        >>> import rushlight as rl
        >>> net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
        >>> inner = create_feature_extractor(net, {"1": "hidden"})
        >>> {name: x.shape for name, x in inner(rl.zeros(4, 2)).items()}
        {'hidden': torch.Size([4, 3])}
    """
    if return_nodes is None and train_return_nodes is None and eval_return_nodes is None:
        raise ValueError(
            "Either `return_nodes` or `train_return_nodes` and `eval_return_nodes` together, "
            "should be specified"
        )
    separate = (train_return_nodes is None, eval_return_nodes is None)
    if separate[0] != separate[1] or (return_nodes is None) == separate[0]:
        raise ValueError(
            "If any of `train_return_nodes` and `eval_return_nodes` are specified, then both "
            "should be specified"
        )
    both = (train_return_nodes, eval_return_nodes) if return_nodes is None else (return_nodes,) * 2
    return FeatureExtractor(model, *(_named(model, nodes) for nodes in both))


def _named(model: nn.Module, nodes: Any) -> dict[str, str]:
    """Node -> name, of nodes that there are."""
    pairs = nodes.items() if isinstance(nodes, dict) else ((node, node) for node in nodes)
    wanted = {str(node): str(name) for node, name in pairs}
    for node in wanted:
        if _layer(model, node) is None:
            raise ValueError(
                f"node: '{node}' is not present in model. Hint: use `get_graph_node_names` to make "
                "sure the `return_nodes` you specified are present. It may even be that you need "
                "to specify `train_return_nodes` and `eval_return_nodes` separately."
            )
    return wanted


def _layer(model: nn.Module, node: str) -> tuple[str, nn.Module] | None:
    """The path and the layer of a node, which may end in the number of its use."""
    layers = dict(model.named_modules())
    for path in (node, re.sub(r"_[0-9]+$", "", node)):
        if path and path in layers:
            return path, layers[path]
    return None


class FeatureExtractor(nn.Module):
    """See :func:`create_feature_extractor`. Parameters, buffers and layers are the model's."""

    def __init__(
        self, model: nn.Module, train_nodes: dict[str, str], eval_nodes: dict[str, str]
    ) -> None:
        super().__init__()
        self.__dict__["_model"] = model  # beside the layers, or each would be there twice
        for shared in ("_parameters", "_buffers", "_modules"):
            self.__dict__[shared] = getattr(model, shared)
        self.train_nodes, self.eval_nodes = train_nodes, eval_nodes
        self.training = model.training

    def _get_name(self) -> str:
        return self._model._get_name()

    def train(self, mode: bool = True) -> FeatureExtractor:
        """Training or evaluation, of the model as well."""
        super().train(mode)
        self._model.training = mode
        return self

    def forward(self, *args: Any, **kwargs: Any) -> OrderedDict[str, Any]:
        wanted = self.train_nodes if self.training else self.eval_nodes
        found: OrderedDict[str, Any] = OrderedDict()
        with _watched(self._model, wanted, found):
            self._model(*args, **kwargs)
        missing = [node for node, name in wanted.items() if name not in found]
        if missing:
            raise ValueError(f"node: '{missing[0]}' was not used in this pass.")
        return found


@contextlib.contextmanager
def _watched(
    model: nn.Module, wanted: dict[str, str], found: OrderedDict[str, Any]
) -> Iterator[None]:
    """Notes what nodes give, while the block runs."""
    uses: Counter[str] = Counter()

    def note(path: str) -> Callable[..., None]:
        def hook(layer: nn.Module, inputs: Any, output: Any) -> None:
            node = f"{path}_{uses[path]}" if uses[path] else path
            uses[path] += 1
            if node in wanted:
                found[wanted[node]] = output

        return hook

    places = dict(place for node in wanted if (place := _layer(model, node)) is not None)
    hooks = [layer.register_forward_hook(note(path)) for path, layer in places.items()]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
