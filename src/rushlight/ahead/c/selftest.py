"""A C program that checks an exported model on its golden inputs and outputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rushlight.base.half import narrow

from ..entry import Entry, Held
from ..model import Named
from .names import type_of

TOLERANCE = 1e-4
"""The difference that is allowed to golden outputs, of large numbers as a part of them."""


@dataclass(frozen=True)
class Golden:
    """An example.

    Attributes:
        batch: the value of the dynamic size.
        inputs: what goes in.
        wanted: what comes out, and the state that follows.
        state: what is in the state before, where that is not what leaves with the model.
    """

    batch: int
    inputs: Sequence[np.ndarray]
    wanted: Sequence[np.ndarray]
    state: Mapping[str, np.ndarray]


_BITS = {1: "uint8_t", 2: "uint16_t", 4: "uint32_t", 8: "uint64_t"}

_HEAD = """\
/* Checks {name} on golden inputs: prints the largest difference; returns 0 if that is small.
   cc -std=c99 {name}_selftest.c lib{name}.a -o {name}_selftest */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "{name}.h"

static double largest;

/* Notes how far a number is from the one that it must be, as a part of that if it is large. */
static void compare(double found, double wanted)
{{
    double scale = wanted < 0 ? -wanted : wanted;
    double apart = found < wanted ? wanted - found : found - wanted;
    if (found == wanted || (found != found && wanted != wanted))
        return;
    apart /= scale > 1 ? scale : 1;
    if (!(apart <= largest))
        largest = apart == apart ? apart : 1e300;
}}

/* Memory that begins at a multiple of 64, for as long as the program runs. */
static void *lines(size_t size)
{{
    char *memory = (char *)malloc(size + 64);
    if (memory == NULL) {{
        fprintf(stderr, "no memory\\n");
        exit(2);
    }}
    return memory + (64 - (uintptr_t)memory % 64) % 64;
}}
"""

_READ = """
static void *content(const char *path)
{{
    FILE *file = fopen(path, "rb");
    void *memory = lines({upper}_FILE_SIZE);
    if (file == NULL || fread(memory, 1, {upper}_FILE_SIZE, file) != {upper}_FILE_SIZE) {{
        fprintf(stderr, "%s cannot be read\\n", path);
        exit(2);
    }}
    fclose(file);
    return memory;
}}
"""

# How a half number, given as bits, becomes a double.
_HALVES = {
    "bfloat16": """
static double from_bfloat16(uint16_t bits)
{
    uint32_t wide = (uint32_t)bits << 16;
    float number;
    memcpy(&number, &wide, sizeof number);
    return number;
}
""",
    "float16": """
static double from_float16(uint16_t bits)
{
    int power = (bits >> 10 & 31), k;
    double number = (bits & 1023) / 1024.0 + (power != 0);
    if (power == 31)
        number = bits & 1023 ? 0.0 / 0.0 : 1e308 * 10;
    for (k = power ? power : 1; k < 15; k++)
        number /= 2;
    for (k = 15; k < power && power < 31; k++)
        number *= 2;
    return bits & 0x8000 ? -number : number;
}
""",
}


def selftest(entry: Entry, goldens: Sequence[Golden], inside: bool) -> str:
    """The text of ``NAME_selftest.c``."""
    return "\n".join(_Test(entry, goldens, inside).lines()) + "\n"


class _Test:
    def __init__(self, entry: Entry, goldens: Sequence[Golden], inside: bool) -> None:
        self.entry, self.goldens, self.inside = entry, goldens, inside
        self.name, self.upper = entry.name, entry.name.upper()

    def lines(self) -> Iterator[str]:
        entry = self.entry
        yield _HEAD.format(name=self.name)
        kinds = {each.dtype.name for each in (*entry.outputs, *(h.named for h in entry.state))}
        yield from (text for kind, text in _HALVES.items() if kind in kinds)
        if not self.inside:
            yield _READ.format(upper=self.upper)
        for k, golden in enumerate(self.goldens):
            yield from self._case(k, golden)
        yield from self._main()

    def _case(self, k: int, golden: Golden) -> Iterator[str]:
        """A function that does one golden example."""
        entry, batch = self.entry, golden.batch
        before = [held for held in entry.state if held.name in golden.state]
        made = [*entry.outputs, *(each.named for each in self._changed())]
        yield f"static void example{k}(const void *weights, const void *initial, void *workspace)"
        yield "{"
        for j, (named, array) in enumerate(zip(entry.inputs, golden.inputs, strict=True)):
            yield _array(f"input{j}", named, array)
        for j, (named, array) in enumerate(zip(made, golden.wanted, strict=True)):
            yield _array(f"wanted{j}", named, array)
        for j, held in enumerate(before):
            yield _array(f"before{j}", held.named, golden.state[held.name])
        yield f"    const void *inputs[{max(1, len(entry.inputs))}];"
        yield f"    void *outputs[{max(1, len(entry.outputs))}];"
        if entry.state:
            yield f"    unsigned char *state = (unsigned char *)lines({self.upper}_STATE_SIZE);"
        yield "    size_t k = 0;\n    int answer;"
        yield from (f"    inputs[{j}] = input{j};" for j in range(len(entry.inputs)))
        for j, named in enumerate(entry.outputs):
            yield f"    outputs[{j}] = lines({max(1, named.nbytes(batch))});"
        if entry.state:
            yield f"    memcpy(state, initial, {self.upper}_STATE_SIZE);"
            for j, held in enumerate(before):
                yield f"    memcpy(state + {held.offset}, before{j}, {held.named.nbytes(1)});"
        else:
            yield "    (void)initial;"
        state = "state, " if entry.state else ""
        yield f"    answer = {self.name}(inputs, outputs, weights, {state}workspace, {batch});"
        yield "    if (answer != 0) {"
        yield '        fprintf(stderr, "answer %d\\n", answer);'
        yield "        exit(1);\n    }"
        for j, named in enumerate(entry.outputs):
            yield from _compared(f"outputs[{j}]", j, named, named.count(batch))
        for j, held in enumerate(self._changed(), len(entry.outputs)):
            place = f"(state + {held.offset})"
            yield from _compared(place, j, held.named, held.named.count(batch))
        yield "    (void)k;\n}\n"

    def _changed(self) -> list[Held]:
        """The parts of the state whose next values are golden, too."""
        changed = [each for each in self.entry.state if each.name in self.entry.changes]
        order = {name: k for k, name in enumerate(self.entry.changes)}
        return sorted(changed, key=lambda each: order[each.name])

    def _main(self) -> Iterator[str]:
        entry, upper = self.entry, self.upper
        if self.inside:
            initial = f"{self.name}_initial" if entry.state else "NULL"
            yield "int main(void)\n{"
            yield f"    const void *weights = {self.name}_weights, *initial = {initial};"
            yield "    void *workspace;"
        else:
            yield "int main(int count, char **arguments)\n{"
            path = f'count > 1 ? arguments[1] : "{self.name}.weights"'
            yield f"    const void *file = content({path});"
            yield f"    const void *weights = {self.name}_weights_of(file, {upper}_FILE_SIZE);"
            first = f"{self.name}_initial_of(weights)" if entry.state else "NULL"
            yield "    const void *initial;\n    void *workspace;"
            yield "    if (weights == NULL) {"
            yield '        fprintf(stderr, "the weights are damaged, or of other code\\n");'
            yield "        return 2;\n    }"
            yield f"    initial = {first};"
        yield f"    workspace = lines({upper}_WORKSPACE_SIZE);"
        for k in range(len(self.goldens)):
            yield f"    example{k}(weights, initial, workspace);"
        yield f'    printf("{self.name}: the largest difference is %.3g\\n", largest);'
        yield f"    return largest <= {TOLERANCE} ? 0 : 1;\n}}"


def _array(label: str, named: Named, array: np.ndarray) -> str:
    """A constant array of the bits of some elements."""
    stored = np.ascontiguousarray(narrow(np.asarray(array), named.dtype))
    size = stored.dtype.itemsize
    bits = stored.reshape(-1).view(f"u{size}")
    suffix = "u" if size == 4 else "ull" if size == 8 else ""
    words = [f"{word}{suffix}" for word in bits.tolist()] or ["0"]
    rows = (", ".join(words[k : k + 12]) for k in range(0, len(words), 12))
    return (
        f"    static const {_BITS[size]} {label}[] = {{\n        " + ",\n        ".join(rows) + "};"
    )


def _compared(place: str, k: int, named: Named, count: int) -> Iterator[str]:
    if not count:
        yield f"    (void)wanted{k};"
        return
    kind = type_of(named.dtype)
    number = f"from_{named.dtype.name}" if named.dtype.is_half else "(double)"
    yield f"    for (k = 0; k < {count}; k++) {{"
    yield f"        {kind} found, wanted;"
    yield f"        memcpy(&found, (const {kind} *)(const void *){place} + k, sizeof found);"
    yield f"        memcpy(&wanted, wanted{k} + k, sizeof wanted);"
    yield f"        compare({number}(found), {number}(wanted));"
    yield "    }"
