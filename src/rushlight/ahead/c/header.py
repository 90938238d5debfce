"""The header of an exported model: how it is called, and every size, known before it runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rushlight.version import __version__

from ..entry import Entry
from ..model import Named
from .beside import HEAD, check_in_c
from .names import names_in_c, type_of

_THREADS = """
/* Does a call of {name} with several threads. `parallel` is yours: for each piece from 0 to
   pieces - 1 it calls task(work, piece, worker) once, on any threads, and returns when all are
   done; `worker` is below `workers`, and no two pieces are done with the same one at a time. The
   results are the same bits for any number of workers. NULL does all in the calling thread. The
   workspace has {upper}_SCRATCH_SIZE bytes more for each worker but the first. */
typedef void {name}_task(void *work, int64_t piece, int64_t worker);
typedef void {name}_threads(void *context, {name}_task *task, void *work, int64_t pieces);
int {name}_parallel({arguments}, int64_t batch,
    int64_t workers, {name}_threads *parallel, void *context);
"""

_RETURNS = """\
/* Returns 0; 1 if an index among the inputs is out of range; -1 for a batch without code; -2 if
   weights or state do not begin at a multiple of 64. It allocates and keeps nothing: threads may
   call it at the same time, each with {own} and a workspace of its own. */"""


def header(entry: Entry, inside: bool, fingerprint: int) -> str:
    """The text of ``NAME.h``.

    Args:
        inside: whether weights are part of the library, or a file beside it.
        fingerprint: what such a file must say to belong to this code.
    """
    return "\n".join(_Header(entry, inside, fingerprint).lines()) + "\n"


class _Header:
    def __init__(self, entry: Entry, inside: bool, fingerprint: int) -> None:
        self.entry, self.inside, self.fingerprint = entry, inside, fingerprint
        self.name, self.upper = entry.name, entry.name.upper()
        names = names_in_c([each.name for each in (*entry.inputs, *entry.outputs)])
        self.inputs = list(zip(names, entry.inputs))
        self.outputs = list(zip(names[len(self.inputs) :], entry.outputs, strict=True))

    def lines(self) -> Iterator[str]:
        entry, upper = self.entry, self.upper
        level = entry.machine.cpu
        yield f"/* {self.name}, for {entry.machine.triple} ({level}), by rushlight {__version__}."
        yield f"   Link with lib{self.name}.a; nothing else is needed. */"
        yield f"#ifndef {upper}_H\n#define {upper}_H\n"
        yield "#include <stddef.h>\n#include <stdint.h>\n"
        yield '#ifdef __cplusplus\nextern "C" {\n#endif\n'
        yield from self._sizes()
        yield from self._values()
        yield from self._blocks()
        yield from self._functions()
        yield "#ifdef __cplusplus\n}\n#endif\n"
        yield f"#endif /* {upper}_H */"

    # Sizes -----------------------------------------------------------------------------------

    def _sizes(self) -> Iterator[str]:
        entry, upper = self.entry, self.upper
        symbols = [s for each in (*entry.inputs, *entry.outputs) for s in each.shape]
        named = next((s for s in symbols if isinstance(s, str)), "")
        if named:
            yield f"/* The argument batch is the size {named}. */"
        else:
            yield "/* All sizes are fixed; the argument batch is 1. */"
        yield f"#define {upper}_MIN_BATCH {entry.batches[0]}"
        yield f"#define {upper}_MAX_BATCH {entry.batches[-1]}\n"
        yield "/* Bytes of workspace for any batch. It may begin anywhere and hold anything; calls"
        yield "   at the same time need one each. */"
        yield f"#define {upper}_WORKSPACE_SIZE {max(entry.workspace.values())}"
        if entry.threads:
            yield f"#define {upper}_SCRATCH_SIZE {entry.scratch}"
        yield "\n/* Bytes of workspace for one batch; 0 if there is no code for it. */"
        sizes = [entry.workspace.get(n, 0) for n in self._range()]
        yield f"static inline size_t {self.name}_workspace_size(int64_t batch)\n{{"
        yield f"    static const size_t sizes[] = {{{', '.join(map(str, sizes))}}};"
        yield f"    if (batch < {upper}_MIN_BATCH || batch > {upper}_MAX_BATCH)\n        return 0;"
        yield f"    return sizes[batch - {upper}_MIN_BATCH];\n}}\n"

    def _range(self) -> range:
        return range(self.entry.batches[0], self.entry.batches[-1] + 1)

    def _values(self) -> Iterator[str]:
        upper = self.upper
        for what, each in (("inputs", self.inputs), ("outputs", self.outputs)):
            yield f"/* {what}, in the order of the array of pointers, and how many elements. */"
            yield f"#define {upper}_{what.upper()} {len(each)}"
            for k, (name, value) in enumerate(each):
                shape = ", ".join(map(str, value.shape))
                half = f" ({value.dtype.name} as bits)" if value.dtype.is_half else ""
                yield f"/* {k}: {type_of(value.dtype)} {name}[{shape}]{half} */"
                yield from self._count(f"{upper}_{name.upper()}_COUNT", value)
            yield ""

    def _count(self, name: str, value: Named) -> Iterator[str]:
        batches = self.entry.batches
        counts = [value.count(n) for n in batches]
        if (form := _affine(batches, counts)) is not None:
            yield f"#define {name}(batch) {form}"
            return
        known = dict(zip(batches, counts, strict=True))
        listed = ", ".join(str(known.get(n, 0)) for n in self._range())
        yield f"static inline int64_t {name}(int64_t batch)\n{{"
        yield f"    static const int64_t counts[] = {{{listed}}};"
        yield f"    return counts[batch - {self.upper}_MIN_BATCH];\n}}"

    # Weights and state -----------------------------------------------------------------------

    def _blocks(self) -> Iterator[str]:
        entry, name, upper = self.entry, self.name, self.upper
        yield f"#define {upper}_WEIGHTS_SIZE {len(entry.weights)}"
        if self.inside:
            yield f"extern const unsigned char {name}_weights[];"
        if entry.state:
            yield from self._state()
        if not self.inside:
            yield f"#define {upper}_FILE_SIZE {HEAD + len(entry.weights) + len(entry.initial)}"
            yield from check_in_c(entry, self.fingerprint)
        yield ""

    def _state(self) -> Iterator[str]:
        entry, name, upper = self.entry, self.name, self.upper
        yield "\n/* What a call changes: one block of yours, that begins at a multiple of 64, and"
        yield "   that a copy of the first state is put into. Where each part of it begins: */"
        yield f"#define {upper}_STATE_SIZE {len(entry.initial)}"
        if self.inside:
            yield f"extern const unsigned char {name}_initial[];"
        for label, held in zip(names_in_c([h.name for h in entry.state]), entry.state, strict=True):
            shape = ", ".join(map(str, held.named.shape))
            yield f"/* {type_of(held.named.dtype)} {held.name}[{shape}] */"
            yield f"#define {upper}_STATE_{label.upper()} {held.offset}"

    # Functions -------------------------------------------------------------------------------

    def _functions(self) -> Iterator[str]:
        name = self.name
        state = "    const void *weights, void *state, void *workspace"
        if not self.entry.state:
            state = "    const void *weights, void *workspace"
        arguments = f"const void *const *inputs, void *const *outputs,\n{state}"
        yield _RETURNS.format(own="outputs, state" if self.entry.state else "outputs")
        yield f"int {name}({arguments}, int64_t batch);"
        if self.entry.threads:
            yield _THREADS.format(name=name, upper=self.upper, arguments=arguments)
        else:
            yield ""
        yield from self._typed()

    def _typed(self) -> Iterator[str]:
        """The same with an argument for each input and output."""
        name = self.name
        given = [f"const {type_of(v.dtype)} *{label}" for label, v in self.inputs]
        given += [f"{type_of(v.dtype)} *{label}" for label, v in self.outputs]
        given += [] if self.inside else ["const void *weights"]
        given += ["void *state"] if self.entry.state else []
        given += ["void *workspace", "int64_t batch"]
        yield "/* The same with an argument for each array. */"
        yield f"static inline int {name}_run(\n    {', '.join(given)})\n{{"
        yield from _pointers("const void *", "inputs", [label for label, _ in self.inputs])
        yield from _pointers("void *", "outputs", [label for label, _ in self.outputs])
        yield from (f"    inputs[{k}] = {label};" for k, (label, _) in enumerate(self.inputs))
        yield from (f"    outputs[{k}] = {label};" for k, (label, _) in enumerate(self.outputs))
        weights = f"{name}_weights" if self.inside else "weights"
        state = "state, " if self.entry.state else ""
        yield f"    return {name}(inputs, outputs, {weights}, {state}workspace, batch);\n}}\n"


def _pointers(kind: str, label: str, names: Sequence[str]) -> Iterator[str]:
    """An array of pointers on the stack; C has none without elements."""
    yield f"    {kind}{label}[{len(names)}];" if names else f"    {kind}{label}[1] = {{NULL}};"


def _affine(sizes: Sequence[int], counts: Sequence[int]) -> str | None:
    """Counts as a formula of ``batch``, if there is one that is right for all sizes."""
    if len(set(counts)) == 1:
        return str(counts[0])
    slope, rest = divmod(counts[1] - counts[0], sizes[1] - sizes[0])
    base = counts[0] - slope * sizes[0]
    if rest or any(slope * n + base != c for n, c in zip(sizes, counts, strict=True)):
        return None
    return f"({slope} * (batch))" if not base else f"({slope} * (batch) + {base})"
