"""``vmap``: a function of one example as a function of a batch."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from rushlight import ops
from rushlight.base.errors import ArgValueError, OperationError
from rushlight.graph.node import Node
from rushlight.tensor.generator import default_generator
from rushlight.tensor.tensor import Tensor

from . import tree
from .batching import Batching, example, moved_from_front, moved_to_front

Function = Callable[..., Any]


def vmap(
    func: Function, in_dims: Any = 0, out_dims: Any = 0, randomness: str = "error", *,
    chunk_size: int | None = None,
) -> Function:  # fmt: skip
    """A function that does for a batch of arguments what ``func`` does for one.

    ``func`` is called once, with tensors that have no dimension for the batch, and what it recorded
    is carried over to the whole batch. So it may use everything but the values of its tensors.

    Args:
        in_dims: the dimension of each argument that holds the examples, None for an argument that
            is the same for all of them; one number for all, or nested as the arguments are.
            Arguments given by name are the same for all examples.
        out_dims: where the examples are in the results.
        randomness: whether ``func`` may draw random numbers: ``"error"``, ``"same"`` ones for all
            examples, or ``"different"`` ones, for which ``func`` is called for each example.
        chunk_size: how many examples are done together; all when None.
    Raises:
        ValueError: no argument is a batch, batches differ in size, a dimension does not exist, or
            ``func`` returns something else than tensors.
        RuntimeError: ``func`` draws random numbers, or looks at a value.
    Example:
        >>> import rushlight as rl
        >>> batched_dot = rl.func.vmap(rl.dot)
        >>> batched_dot(rl.tensor([[1., 2.], [3., 4.]]), rl.tensor([[1., 1.], [2., 0.]]))
        tensor([3., 6.])
    """
    if randomness not in ("error", "different", "same"):
        raise OperationError(
            "vmap",
            "Only allowed values for randomness are 'error', 'different', or 'same'. Got"
            f" {randomness}",
        )
    if chunk_size is not None and chunk_size <= 0:
        raise ArgValueError(
            "vmap", f"vmap: chunk_size should be None or greater than 0. (got {chunk_size})"
        )

    @functools.wraps(func, updated=())
    def batched(*args: Any, **kwargs: Any) -> Any:
        call = _Call(func, in_dims, out_dims, randomness, args, kwargs)
        if chunk_size is None or chunk_size >= call.size:
            return call.result(call.batches)
        return call.joined(chunk_size)

    return batched


class _Call:
    """One call of a function on batches.

    Attributes:
        batches: each argument's tensors, the examples in front; None for what is no batch.
        size: how many examples there are.
    """

    def __init__(
        self, func: Function, in_dims: Any, out_dims: Any, randomness: str,
        args: tuple[Any, ...], kwargs: dict[str, Any],
    ) -> None:  # fmt: skip
        self.func, self.out_dims, self.randomness = func, out_dims, randomness
        self.args, self.kwargs = args, kwargs
        dims = tree.leaves(_nested(in_dims, args))
        self.leaves = tree.leaves(args)
        self.batches = [_front(x, dim) for x, dim in zip(self.leaves, dims, strict=True)]
        sizes = {batch.shape[0] for batch in self.batches if batch is not None}
        if not sizes:
            raise ArgValueError("vmap", "vmap: got no inputs to vmap over: all in_dims are None.")
        if len(sizes) > 1:
            raise ArgValueError(
                "vmap",
                "vmap: Expected all tensors to have the same size in the mapped dimension, got"
                f" sizes {sorted(sizes)} for the mapped dimension",
            )
        (self.size,) = sizes

    def result(self, batches: list[Node | None]) -> Any:
        """What the function makes of these batches."""
        examples: dict[Node, Node] = {}
        given: list[Any] = []
        for leaf, batch in zip(self.leaves, batches, strict=True):
            if batch is None:
                given.append(leaf)
                continue
            node = example(batch)
            examples[node] = batch
            given.append(Tensor(node))
        drawn = default_generator._offset
        returned = self._called(given)
        size = next(iter(examples.values())).shape[0]
        if default_generator._offset != drawn and self.randomness != "same":
            if self.randomness == "error":
                raise OperationError(
                    "vmap",
                    "vmap: called random operation while in randomness error mode. Please either"
                    " use the 'same' or 'different' randomness flags on vmap or perform the"
                    " randomness operation out of vmap",
                )
            default_generator._offset = drawn
            return self._each(batches, size)
        batching = Batching(examples, size)
        results = self._placed(returned, lambda x: batching.of(x.node), size)
        self._write_back(given, examples, batching)
        return results

    def _called(self, leaves: list[Any]) -> Any:
        rest = iter(leaves)
        args = tree.mapped(lambda _: next(rest), self.args)
        returned = self.func(*args, **self.kwargs)
        for leaf in tree.leaves(returned):
            if not isinstance(leaf, Tensor):
                raise ArgValueError(
                    "vmap",
                    f"vmap({_name(self.func)}, ...): `{_name(self.func)}` must only return Tensors,"
                    f" got type {type(leaf)}.",
                )
        return returned

    def _placed(self, returned: Any, batch_of: Callable[[Tensor], Node | None], size: int) -> Any:
        """The results of one example as those of all, the examples where they were asked for."""
        dims = tree.spread(self.out_dims, returned, self._unfit)

        def placed(x: Tensor, dim: Any) -> Tensor:
            batch = batch_of(x)
            if dim is None:
                if batch is not None:
                    raise ArgValueError(
                        "vmap",
                        f"vmap({_name(self.func)}, ...): `{_name(self.func)}` can not return a"
                        " BatchedTensor when out_dim is None",
                    )
                return x
            if batch is None:
                batch = ops.expand(ops.unsqueeze(x.node, 0), (size, *x.shape))
            return Tensor(moved_from_front(batch, _wrapped(dim, batch.ndim, "out_dims")))

        return tree.mapped(placed, returned, dims)

    def _unfit(self) -> Exception:
        return ArgValueError(
            "vmap",
            f"vmap({_name(self.func)}, ..., out_dims={self.out_dims}): out_dims is not compatible"
            " with the structure of `outputs`.",
        )

    def _each(self, batches: list[Node | None], size: int) -> Any:
        """The results of examples that were done one by one."""
        columns: list[list[Node]] = []
        returned: Any = None
        for k in range(size):
            given = [
                leaf if batch is None else Tensor(ops.select(batch, 0, k))
                for leaf, batch in zip(self.leaves, batches, strict=True)
            ]
            returned = self._called(given)
            columns.append([x.node for x in tree.tensors(returned)])
        stacked = iter([ops.stack(nodes, 0) for nodes in zip(*columns, strict=True)])
        return self._placed(returned, lambda _: next(stacked), size)

    def joined(self, chunk: int) -> Any:
        """The results of examples that were done ``chunk`` at a time."""
        pieces = []
        for start in range(0, self.size, chunk):
            length = min(chunk, self.size - start)
            part = [None if b is None else ops.narrow(b, 0, start, length) for b in self.batches]
            pieces.append(self.result(part))
        dims = tree.spread(self.out_dims, pieces[0], self._unfit)

        def together(first: Tensor, dim: int, *rest: Tensor) -> Tensor:
            place = _wrapped(dim, first.ndim, "out_dims")
            return Tensor(ops.cat(tuple([x.node for x in (first, *rest)]), place))

        return tree.mapped(together, pieces[0], dims, *pieces[1:])

    def _write_back(self, given: list[Any], examples: dict[Node, Node], batching: Batching) -> None:
        """What the function has written into its arguments."""
        nodes = iter(examples)
        for leaf, x, batch in zip(self.leaves, given, self.batches, strict=True):
            if batch is None:
                continue
            node = next(nodes)
            if x.node is not node and x.node.op is not ops.alias:
                changed = batching.of(x.node)
                if changed is not None and changed is not examples[node]:
                    leaf._write(changed, "vmap")


def _nested(in_dims: Any, args: tuple[Any, ...]) -> Any:
    if not isinstance(in_dims, (int, tuple, list)) or isinstance(in_dims, bool):
        raise ArgValueError(
            "vmap",
            f"vmap: expected `in_dims` to be int or a (potentially nested) tuple, got:"
            f" {type(in_dims)}.",
        )
    if not args:
        raise ArgValueError(
            "vmap",
            "vmap: got no inputs. Maybe you forgot to add inputs, or you are trying to vmap over a"
            " function with no inputs. The latter is unsupported.",
        )
    if isinstance(in_dims, int):
        in_dims = (in_dims,) * len(args)

    def why() -> Exception:
        return ArgValueError(
            "vmap", "vmap: in_dims is not compatible with the structure of `inputs`."
        )

    return tree.spread(tuple(in_dims), args, why)


def _front(x: Any, dim: Any) -> Node | None:
    """A leaf of the arguments with its examples in front, if it has any."""
    if dim is None:
        return None
    if not isinstance(x, Tensor):
        if isinstance(x, (int, float, bool, complex)) and dim == 0:
            raise ArgValueError(
                "vmap",
                f"vmap: Got in_dim={dim} for an input but the input is of type {type(x)}. We cannot"
                " vmap over non-Tensor arguments, please use None as the respective in_dim",
            )
        raise ArgValueError(
            "vmap", f"vmap: Got in_dim={dim} for an input that is no Tensor: {type(x)}."
        )
    if not isinstance(dim, int) or not -x.ndim <= dim < x.ndim:
        raise ArgValueError(
            "vmap",
            f"vmap: Got in_dim={dim} for some input, but that input is a Tensor of dimensionality"
            f" {x.ndim} so expected in_dim to satisfy -{x.ndim} <= in_dim < {x.ndim}.",
        )
    return moved_to_front(x.node, dim % x.ndim)


def _wrapped(dim: int, rank: int, what: str) -> int:
    if not -rank <= dim < rank:
        raise ArgValueError(
            "vmap", f"vmap: {what}={dim} is out of range for a result with {rank} dimensions."
        )
    return dim % rank


def _name(function: Any) -> str:
    return getattr(function, "__name__", repr(function))
