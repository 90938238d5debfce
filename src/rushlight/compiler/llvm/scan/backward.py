"""The gradients of a run, step by step from its end."""

from __future__ import annotations

from collections.abc import Mapping

from rushlight.compiler.llvm.contract.pack import KERNEL
from rushlight.compiler.llvm.machine import Machine
from rushlight.compiler.llvm.scan.steps import Areas, Form, Sizes, Steps, params_of, pitch_of
from rushlight.compiler.llvm.scan.vectors import Lanes, OnVectors, parts_of
from rushlight.compiler.llvm.text import Module, Value, i64


def backward_module(form: Form, name: str, machine: Machine) -> Module:
    """The kernel of a run's gradients."""
    module = Module(machine)
    _Backward(form, module.function(name, KERNEL)).write()
    return module


def backward_params(
    form: Form, sizes: Sizes, buffers: Mapping[str, int]
) -> tuple[dict[str, int], int]:
    """The parameters of a call, and the bytes of scratch memory it needs."""
    block, rows = form.block, sizes.rows
    units, across = block.vectors_of(sizes.hidden), block.vectors_of(sizes.width)
    others = {
        "panel_w": block.panel_of(form.kind.gates * sizes.hidden),
        "panels_w": block.panels_of(across),
        "panel_r": block.panel_of(sizes.width), "panels_r": block.panels_of(units),
        "pitch_h": pitch_of(block, across), "pitch_c": pitch_of(block, units),
        "pitch_full": pitch_of(block, units),
    }  # fmt: skip
    areas = Areas()
    areas.add("h", rows * others["pitch_h"])
    areas.add("c", rows * others["pitch_c"])
    if form.projects:
        areas.add("full", rows * others["pitch_full"])
        areas.add("projected", rows * others["pitch_h"])
    return params_of(form, sizes, areas, others, buffers), areas.total


class _Backward(Steps):
    @property
    def from_end(self) -> bool:
        return not self.form.reverse

    # A block ---------------------------------------------------------------------------------

    def enter(self) -> None:
        with self.row() as (i, number):
            with self.output() as (u, mask):
                g = self._arriving("g_h", number, self.p["width"], u, mask)
                self.store(g, self.own("h", i, u))
            if self.cell.states == 2:
                with self.unit() as (u, mask):
                    g = self._arriving("g_c", number, self.p["hidden"], u, mask)
                    self.store(g, self.own("c", i, u))

    def _arriving(self, name: str, row: Value, width: Value, u: Value, mask: Value | None) -> Lanes:
        """A gradient from outside; 0 if none arrives."""
        if name not in self.at:
            return self.zero
        return self.load(self.place(self.line(name, row, width), u), mask)

    def leave(self) -> None:
        with self.row() as (i, number):
            line = self.line("first_h", number, self.p["width"])
            with self.output() as (u, mask):
                self.store(self.load(self.own("h", i, u)), self.place(line, u), mask)
            if self.cell.states == 2:
                line = self.line("first_c", number, self.p["hidden"])
                with self.unit() as (u, mask):
                    self.store(self.load(self.own("c", i, u)), self.place(line, u), mask)

    # A step ----------------------------------------------------------------------------------

    def step(self, t: Value) -> None:
        f, p, area = self.f, self.p, self.area
        start = f.mul(t, p["batch"])
        if self.form.projects:
            self._project(t, start)
        with self.row() as (i, number):
            row = f.add(start, number)
            going = self.going(t, number)
            with self.unit() as (u, mask):
                self._cell(i, row, u, mask, going)
        gates = self.line("b" if self.cell.apart else "a", f.add(start, self.first), self.columns)
        pitch = f.mul(self.columns, i64(self.block.bytes))
        # What is in "h" by now is what does not come through the product.
        self.product(
            gates, pitch, self.columns, self.at["packed_w"], p["panel_w"],
            p["panels_w"], area["h"], p["pitch_h"], self.count,
        )  # fmt: skip

    def _output(self, i: Value, row: Value, u: Value, mask: Value | None) -> Lanes:
        """The gradient of the new output: from later steps, and from outside."""
        late = self.load(self.own("h", i, u))
        if "g_output" not in self.at:
            return late
        return late + self._arriving("g_output", row, self.p["width"], u, mask)

    def _project(self, t: Value, start: Value) -> None:
        """Takes the gradient of the output back to the width of the state."""
        f, p, area = self.f, self.p, self.area
        with self.row() as (i, number):
            row = f.add(start, number)
            going = self.going(t, number)
            with self.output() as (u, mask):
                g = self.choose(going, self._output(i, row, u, mask), self.zero)
                self.store(g, self.place(self.line("projected", row, p["width"]), u), mask)
                self.store(g, self.own("projected", i, u, "h"))
                place = self.own("h", i, u)
                self.store(self.choose(going, self.zero, self.load(place)), place)
            with self.unit() as (u, _):
                self.store(self.zero, self.own("full", i, u))
        self.product(
            area["projected"], p["pitch_h"], p["width"], self.at["packed_r"],
            p["panel_r"], p["panels_r"], area["full"], p["pitch_full"], self.count,
        )  # fmt: skip

    def _cell(
        self, i: Value, row: Value, u: Value, mask: Value | None, going: Value | None
    ) -> None:
        """The gradients of a vector of units."""
        f, p, cell = self.f, self.p, self.cell
        trace = self.line("trace", row, self.traced)
        kept = [
            self.load(self.place(trace, f.mul(p["hidden"], i64(k)), u), mask)
            for k in range(cell.saved)
        ]
        h = self.own("h", i, u)
        if self.form.projects:
            kept.append(self.zero)  # no cell uses an output that is projected
            g = [self.load(self.own("full", i, u))]
        else:
            kept.append(self.load(self.place(trace, self.old_h, u), mask))
            g = [self.choose(going, self._output(i, row, u, mask), self.zero)]
        if cell.states == 2:
            late = self.load(self.own("c", i, u))
            g.append(self.choose(going, late, self.zero))
        a, b, old = cell.back(OnVectors, g, kept)
        self._store_gates("a", a, row, u, mask)
        if cell.apart:
            self._store_gates("b", b, row, u, mask)
        if not self.form.projects:
            self.store(self.choose(going, old[0] or self.zero, self.load(h)), h)
        if cell.states == 2:
            self.store(self.choose(going, old[1], late), self.own("c", i, u))

    def _store_gates(
        self, name: str, gates: object, row: Value, u: Value, mask: Value | None
    ) -> None:
        line = self.line(name, row, self.columns)
        for g, value in enumerate(parts_of(gates)):
            place = self.place(line, self.f.mul(self.p["hidden"], i64(g)), u)
            self.store(value, place, mask)
