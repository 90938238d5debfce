"""Programs in C that call exported libraries, built with a plain compiler."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

FLAGS = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic"]
SANITISED = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-g"]
AARCH64 = ("aarch64-linux-gnu-gcc", "qemu-aarch64")

# Reads each input from a file and writes each output to one. The workspace has not a byte more than
# the header says and begins at an odd place; what lies around it and around the outputs must stay.
CALLER = """
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "@.h"

#define MARGIN 256
#define CANARY 0xA5

static unsigned char *guarded(size_t size)
{
    unsigned char *memory = malloc(size + 2 * MARGIN);
    memset(memory, CANARY, size + 2 * MARGIN);
    return memory + MARGIN;
}

static void check(const unsigned char *memory, size_t size, const char *what)
{
    size_t k;
    for (k = 0; k < MARGIN; k++)
        if (memory[-(long)k - 1] != CANARY || memory[size + k] != CANARY) {
            fprintf(stderr, "%s: memory around it was written to\\n", what);
            exit(3);
        }
}

/* caller BATCH INPUT... OUTPUT:SIZE... */
int main(int count, char **words)
{
    const void *inputs[@U@_INPUTS];
    void *outputs[@U@_OUTPUTS];
    size_t sizes[@U@_OUTPUTS], workspace_size;
    unsigned char *workspace;
    long batch = strtol(words[1], NULL, 10);
    int k, answer;
    (void)count;
    for (k = 0; k < @U@_INPUTS; k++) {
        FILE *file = fopen(words[2 + k], "rb");
        unsigned char *memory = malloc(1 << 24);
        size_t size = fread(memory, 1, 1 << 24, file);
        inputs[k] = realloc(memory, size ? size : 1);
        fclose(file);
    }
    for (k = 0; k < @U@_OUTPUTS; k++) {
        char *size = strchr(words[2 + @U@_INPUTS + k], ':');
        *size = 0;
        sizes[k] = (size_t)strtol(size + 1, NULL, 10);
        outputs[k] = guarded(sizes[k]);
    }
    workspace_size = @_workspace_size(batch);
    if (workspace_size > @U@_WORKSPACE_SIZE)
        return 4;
    workspace = guarded(workspace_size + 1) + 1;
    workspace[-1] = CANARY;
    answer = @(inputs, outputs, @_weights, workspace, batch);
    for (k = 0; k < @U@_OUTPUTS; k++) {
        FILE *file = fopen(words[2 + @U@_INPUTS + k], "wb");
        check(outputs[k], sizes[k], "an output");
        fwrite(outputs[k], 1, sizes[k], file);
        fclose(file);
    }
    check(workspace, workspace_size, "the workspace");
    return answer == 0 ? 0 : 100 + answer;
}
"""


def needs(*tools: str) -> None:
    """Skips a test where a tool is not installed."""
    for tool in tools:
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")


def build(
    source: str, folder: Path, name: str, *, compiler: str = "cc", flags: Sequence[str] = ()
) -> Path:
    """Builds a C program with the library in a folder; ``@`` stands for its name."""
    needs(compiler)
    text = source.replace("@U@", name.upper()).replace("@", name)
    file, program = folder / "program.c", folder / "program"
    file.write_text(text)
    sources = ["-I", str(folder), str(file), str(folder / f"lib{name}.a")]
    command = [compiler, *FLAGS, *sources, *flags]
    done = subprocess.run(
        [*command, "-o", str(program)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return program


class Caller:
    """A library called from C, by files."""

    def __init__(self, folder: Path, name: str, *, sanitised: bool = False, aarch64: bool = False):
        self.folder = folder
        self.before = []
        flags = [*SANITISED] if sanitised else []
        compiler = "cc"
        if aarch64:
            needs(*AARCH64)
            compiler, self.before = AARCH64[0], [AARCH64[1]]
            flags.append("-static")
        self.program = build(CALLER, folder, name, compiler=compiler, flags=flags)

    def __call__(
        self, batch: int, inputs: Sequence[np.ndarray], like: Sequence[np.ndarray]
    ) -> list[np.ndarray]:
        """The outputs, in the shapes and types of ``like``."""
        given = []
        for k, array in enumerate(inputs):
            given.append(self.folder / f"input{k}")
            array.tofile(given[-1])
        made = [self.folder / f"output{k}" for k in range(len(like))]
        words = [f"{path}:{x.nbytes}" for path, x in zip(made, like, strict=True)]
        command = [*self.before, str(self.program), str(batch), *map(str, given), *words]
        calm = {**os.environ, "ASAN_OPTIONS": "detect_leaks=0"}  # the caller frees nothing
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=calm)
        assert done.returncode == 0, (done.returncode, done.stderr)
        return [np.fromfile(p, x.dtype).reshape(x.shape) for p, x in zip(made, like, strict=True)]
