"""How fast this machine multiplies and adds: chains of vector FMAs that never touch memory."""

from __future__ import annotations

import ctypes
import subprocess
import sys
import threading
import time

from rushlight.compiler.llvm.machine import Loaded, Machine, assemble, host

from .process import ROOT

STEPS = 20_000_000
CHAINS = 12  # a processor has at most about two units of latency four or five


def measured(threads: int) -> float:
    """Operations a second, an FMA being two, measured in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.peak", str(threads)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    return float(done.stdout)


def rate(threads: int) -> float:
    """Operations a second of several threads at once."""
    machine = host()
    loaded = Loaded(assemble(source(machine), machine))
    chains = ctypes.CFUNCTYPE(ctypes.c_float, ctypes.c_int64)(loaded.address("chains"))
    chains(STEPS // 10)
    workers = [threading.Thread(target=chains, args=(STEPS,)) for _ in range(threads)]
    start = time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return 2.0 * machine.lanes() * CHAINS * STEPS * threads / (time.perf_counter() - start)


def source(machine: Machine) -> str:
    """LLVM text of a function that runs the chains some number of times."""
    lanes = machine.lanes()
    vector = f"<{lanes} x float>"
    same = "<" + ", ".join(["float 5.000000e-01"] * lanes) + ">"  # x / 2 + 1 / 2 stays small
    # Each chain begins elsewhere, or they would be one.
    first = ["<" + ", ".join([f"float {0.5 + i / 64:.15e}"] * lanes) + ">" for i in range(CHAINS)]
    start = [
        f"  %x{i} = phi {vector} [ {first[i]}, %entry ], [ %y{i}, %loop ]" for i in range(CHAINS)
    ]
    fma = f"call {vector} @llvm.fma.v{lanes}f32"
    steps = [
        f"  %y{i} = {fma}({vector} %x{i}, {vector} {same}, {vector} {same})"
        for i in range(CHAINS)
    ]  # fmt: skip
    sums = [f"  %s{i} = fadd {vector} %s{i - 1}, %y{i}" for i in range(2, CHAINS)]
    return "\n".join([
        f"declare {vector} @llvm.fma.v{lanes}f32({vector}, {vector}, {vector})",
        "define float @chains(i64 %count) {",
        "entry:",
        "  br label %loop",
        "loop:",
        "  %i = phi i64 [ 0, %entry ], [ %next, %loop ]",
        *start,
        *steps,
        "  %next = add i64 %i, 1",
        "  %more = icmp slt i64 %next, %count",
        "  br i1 %more, label %loop, label %done",
        "done:",
        f"  %s1 = fadd {vector} %y0, %y1",
        *sums,
        f"  %first = extractelement {vector} %s{CHAINS - 1}, i64 0",
        "  ret float %first",
        "}",
    ])  # fmt: skip


if __name__ == "__main__":
    print(rate(int(sys.argv[1])))
