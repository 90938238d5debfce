"""Entry: a model as one object file with one function, and the description of how it is called.

::

    int NAME(const void *const *inputs, void *const *outputs, const void *weights,
             void *workspace, int64_t batch);

The function allocates nothing, calls nothing outside of its file and keeps nothing between calls:
all it writes is outputs and workspace, so that callers with a workspace each do not meet. A model
that changes its state, such as a training step, takes ``void *state`` behind ``weights``. It
returns 0; 1 if an index among the inputs, such as a token, is out of range (the outputs then mean
nothing, and the state is as before); -1 for a size that it was not made for; -2 for weights or a
state that do not begin at a multiple of 64.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rushlight.base.errors import ArgValueError
from rushlight.compiler.llvm.linked import linked
from rushlight.compiler.llvm.machine import Machine

from .calls import Variant, variants, write
from .fold import folded
from .laid import Blocks, laid
from .model import Model, Named
from .stored import LINE


@dataclass(frozen=True)
class Held:
    """A tensor in the block of state.

    Attributes:
        offset: bytes from the block's beginning.
    """

    name: str
    named: Named
    offset: int


@dataclass(frozen=True)
class Entry:
    """A model as machine code, as plain data.

    Attributes:
        name: of the function.
        machine: what it runs on.
        texts: LLVM's text of every module, by the name of the function that it is there for; the
            entry's own stands under ``name``.
        inputs, outputs: in the order of the function's arrays of pointers.
        batches: the values that the dynamic size may have; one if there is none.
        weights: the block that the argument ``weights`` points to; begins at a multiple of 64.
        state: what lies in the caller's block of state, if the model changes it.
        changes: the names of what a call changes in it, in the order of the program's.
        initial: that block's first content.
        workspace: bytes, by the value of the dynamic size.
        scratch: bytes more for each thread but the first.
        threads: whether there is a function ``NAME_parallel``.
        names: of the functions that the object file shows.
    """

    name: str
    machine: Machine
    texts: dict[str, str]
    inputs: tuple[Named, ...]
    outputs: tuple[Named, ...]
    batches: tuple[int, ...]
    weights: bytes
    state: tuple[Held, ...]
    changes: tuple[str, ...]
    initial: bytes
    workspace: dict[int, int]
    scratch: int
    threads: bool
    names: tuple[str, ...]

    def object_file(self, extra: dict[str, str] | None = None) -> bytes:
        """The object file.

        Args:
            extra: more modules, by the name that each shows to others.
        """
        extra = extra or {}
        return linked(self.texts | extra, self.machine, {*self.names, *extra})


def entry(
    model: Model, name: str, machine: Machine, *, ahead: bool = True, live: bool = False,
    threads: bool = True,
) -> Entry:  # fmt: skip
    """A model as machine code.

    Args:
        name: of the function; a name of C.
        ahead: pack weights now instead of at each run. It takes more memory where a weight is read
            both as it is and packed.
        live: the caller may change the state between calls: what is not constant is in a block of
            the caller's, in the order of ``model.own``, and is not packed ahead. A training step's
            block begins as that of the model that it trains.
        threads: whether there is also ``NAME_parallel``, which shares work with threads that the
            caller has.
    Raises:
        MissingError: an operation has no kernel; it names the operation, the layer and the line.
        ValueError: the name is none of C's.
    """
    if not name.isidentifier() or not name.isascii():
        raise ArgValueError("export", f"{name!r} is not a name in C.",
                            hint="Use letters, digits and _.")  # fmt: skip
    blocks = Blocks()
    if model.updates or live:
        held, size = _state(model)
        blocks.state = {each.name: each.offset for each in held}
    else:
        held, size = (), 0
    if ahead:
        model = folded(model, blocks.state)
    plans = [laid(model, batch, machine, blocks, ahead) for batch in model.batches]
    found = variants(model.batches, plans)
    texts, names = write(name, found, blocks, bool(held), threads)
    texts |= _kernels(found)
    return Entry(
        name=name, machine=machine, texts=texts,
        inputs=model.inputs,
        outputs=tuple(o for k, o in enumerate(model.outputs) if k not in model.updates),
        batches=model.batches, weights=blocks.weights.content(), state=held,
        changes=tuple(model.updates.values()),
        initial=_initial(model, held, size),
        workspace={n: v.sizes[k] for v in found for k, n in enumerate(v.batches)},
        scratch=max(plan.scratch for plan in plans), threads=threads,
        names=tuple(names),
    )  # fmt: skip


def _state(model: Model) -> tuple[tuple[Held, ...], int]:
    held: list[Held] = []
    end = 0
    for name in model.own or model.state:
        buffer = model.state[name]
        held.append(Held(name, Named(name, buffer.dtype, tuple(buffer.shape)), end))
        end += -(-max(1, buffer.nbytes) // LINE) * LINE
    return tuple(held), end


def _initial(model: Model, held: Sequence[Held], size: int) -> bytes:
    whole = bytearray(size)
    for each in held:
        content = model.state[each.name].stored.tobytes()
        whole[each.offset : each.offset + len(content)] = content
    return bytes(whole)


def _kernels(found: Sequence[Variant]) -> dict[str, str]:
    """The text of every kernel and of what kernels call."""
    texts: dict[str, str] = {}
    for variant in found:
        for call in variant.plans[0].calls:
            for part in call.code.needs:
                if part.name not in texts:
                    texts[part.name] = part.text()
            if call.code.name not in texts:
                texts[call.code.name] = call.code.text()
    return texts
