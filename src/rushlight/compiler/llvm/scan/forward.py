"""The run of a cell over a sequence."""

from __future__ import annotations

from collections.abc import Mapping

from rushlight.compiler.llvm.contract.pack import KERNEL
from rushlight.compiler.llvm.machine import Machine
from rushlight.compiler.llvm.scan.steps import Areas, Form, Sizes, Steps, params_of, pitch_of
from rushlight.compiler.llvm.scan.vectors import Lanes, OnVectors, gates_of
from rushlight.compiler.llvm.text import Function, Module, Value, const, i64


def forward_module(form: Form, name: str, machine: Machine) -> Module:
    """The kernel of a run."""
    module = Module(machine)
    _Forward(form, module.function(name, KERNEL)).write()
    return module


def forward_params(
    form: Form, sizes: Sizes, buffers: Mapping[str, int]
) -> tuple[dict[str, int], int]:
    """The parameters of a call, and the bytes of scratch memory it needs."""
    block, rows = form.block, sizes.rows
    gates = form.kind.gates * block.vectors_of(sizes.hidden)
    units, across = block.vectors_of(sizes.hidden), block.vectors_of(sizes.width)
    others = {
        "panel_w": block.panel_of(sizes.width), "panels_w": block.panels_of(gates),
        "panel_i": block.panel_of(sizes.inputs),
        "panel_r": block.panel_of(sizes.hidden), "panels_r": block.panels_of(across),
        "pitch_sums": pitch_of(block, gates), "pitch_h": pitch_of(block, across),
        "pitch_c": pitch_of(block, units), "pitch_full": pitch_of(block, units),
    }  # fmt: skip
    areas = Areas()
    areas.add("bias", gates * block.align)
    areas.add("sums", rows * others["pitch_sums"])
    if form.multiplies and form.kind.apart:
        areas.add("bias_i", gates * block.align)
        areas.add("products", rows * others["pitch_sums"])
    areas.add("h", rows * others["pitch_h"])
    areas.add("c", rows * others["pitch_c"])
    if form.projects:
        areas.add("full", rows * others["pitch_full"])
        areas.add("projected", rows * others["pitch_h"])
    return params_of(form, sizes, areas, others, buffers), areas.total


class _Forward(Steps):
    def __init__(self, form: Form, f: Function) -> None:
        super().__init__(form, f)
        self.has_trace = "trace" in form.buffers
        # Where a cell uses only the sum of its two products, they are added up as they are made.
        self.products = "products" if form.kind.apart else "sums"

    def begin(self) -> None:
        with self.unit() as (u, mask):
            for g in range(self.cell.gates):
                bias = self._bias("b_hh", u, g, mask)
                if not self.cell.apart:
                    bias = bias + self._bias("b_ih", u, g, mask)
                self.store(bias, self.place(self.area["bias"], self._side(u, g)))
                if self.form.multiplies and self.cell.apart:
                    bias = self._bias("b_ih", u, g, mask)
                    self.store(bias, self.place(self.area["bias_i"], self._side(u, g)))

    def _bias(self, name: str, u: Value, g: int, mask: Value | None) -> Lanes:
        """A vector of a bias; zeros if there is none."""
        if name not in self.at:
            return self.zero
        return self.load(self.place(self.at[name], self._gate(u, g)), mask)

    def _gate(self, u: Value, g: int) -> Value:
        """Where a vector of a gate stands among all gates of a row in memory."""
        return self.f.add(self.f.mul(self.p["hidden"], i64(g)), u)

    def _side(self, u: Value, g: int) -> Value:
        """Where it stands in a packed row: the gates of the same units lie side by side."""
        f = self.f
        return f.add(f.mul(u, i64(self.cell.gates)), i64(g * self.block.lanes))

    # A block ---------------------------------------------------------------------------------

    def enter(self) -> None:
        with self.row() as (i, number):
            first = self.line("h", number, self.p["width"])
            with self.output() as (u, mask):
                self.store(self.load(self.place(first, u), mask), self.own("h", i, u))
                if self.form.projects:
                    self.store(self.zero, self.own("projected", i, u, "h"))
            if self.cell.states == 2:
                first = self.line("c", number, self.p["hidden"])
                with self.unit() as (u, mask):
                    self.store(self.load(self.place(first, u), mask), self.own("c", i, u))
            with self.unit() as (u, _):
                for g in range(self.cell.gates):
                    self._taken("sums", "bias", i, u, g)
                    if self.form.multiplies and self.cell.apart:
                        self._taken("products", "bias_i", i, u, g)

    def leave(self) -> None:
        with self.row() as (i, number):
            last = self.line("last_h", number, self.p["width"])
            with self.output() as (u, mask):
                self.store(self.load(self.own("h", i, u)), self.place(last, u), mask)
            if self.cell.states == 2:
                last = self.line("last_c", number, self.p["hidden"])
                with self.unit() as (u, mask):
                    self.store(self.load(self.own("c", i, u)), self.place(last, u), mask)

    # A step ----------------------------------------------------------------------------------

    def step(self, t: Value) -> None:
        f, p, area = self.f, self.p, self.area
        start = f.mul(t, p["batch"])
        if self.form.multiplies:
            x = self.line("a", f.add(start, self.first), p["inputs"])
            self.product(
                x, f.mul(p["inputs"], i64(self.block.bytes)), p["inputs"],
                self.at["packed_i"], p["panel_i"], p["panels_w"], area[self.products],
                p["pitch_sums"], self.count,
            )  # fmt: skip
        self.product(
            area["h"], p["pitch_h"], p["width"], self.at["packed_w"],
            p["panel_w"], p["panels_w"], area["sums"], p["pitch_sums"], self.count,
        )  # fmt: skip
        with self.row() as (i, number):
            row = f.add(start, number)
            going = self.going(t, number)
            with self.unit() as (u, mask):
                new = self._cell(i, row, u, mask, going)
                if self.form.projects:
                    self.store(new, self.own("full", i, u))
                else:
                    self._finish(new, i, row, u, mask, going)
        if self.form.projects:
            self._project(t, start)

    def _cell(
        self, i: Value, row: Value, u: Value, mask: Value | None, going: Value | None
    ) -> Lanes:
        """A vector of the new state; the cell's memory is renewed."""
        f, cell, p = self.f, self.cell, self.p
        given = [self._product(i, row, u, g, mask) for g in range(cell.gates)]
        sums = [self._taken("sums", "bias", i, u, g) for g in range(cell.gates)]
        # No cell uses its output's old value when that is projected.
        state = [self.zero if self.form.projects else self.load(self.own("h", i, u))]
        if cell.states == 2:
            state.append(self.load(self.own("c", i, u)))
        new, kept = cell.step(OnVectors, gates_of(given), gates_of(sums), state)
        if self.has_trace:
            trace = self.line("trace", row, self.traced)
            for k, value in enumerate(kept):
                self.store(value, self.place(trace, f.mul(p["hidden"], i64(k)), u), mask)
        if cell.states == 2:
            self.store(self.choose(going, new[1], state[1]), self.own("c", i, u))
        return new[0]  # type: ignore[no-any-return]

    def _product(self, i: Value, row: Value, u: Value, g: int, mask: Value | None) -> Lanes:
        """A vector of the product with the sequence, for one gate."""
        if not self.form.multiplies:
            line = self.line("a", row, self.columns)
            a = self.load(self.place(line, self._gate(u, g)), mask)
            return a + self._bias("b_ih", u, g, mask) if self.cell.apart else a
        if self.cell.apart:
            return self._taken("products", "bias_i", i, u, g)
        return Lanes(self.f, const(-0.0, self.block.vector))  # it is in the sum already

    def _taken(self, sums: str, bias: str, i: Value, u: Value, g: int) -> Lanes:
        """A vector of sums; a bias takes its place, for the next step to add to."""
        side = self._side(u, g)
        place = self.own(sums, i, side, "sums")
        found = self.load(place)
        self.store(self.load(self.place(self.area[bias], side)), place)
        return found

    def _project(self, t: Value, start: Value) -> None:
        f, p, area = self.f, self.p, self.area
        self.product(
            area["full"], p["pitch_full"], p["hidden"], self.at["packed_r"],
            p["panel_r"], p["panels_r"], area["projected"], p["pitch_h"], self.count,
        )  # fmt: skip
        with self.row() as (i, number):
            going = self.going(t, number)
            with self.output() as (u, mask):
                place = self.own("projected", i, u, "h")
                new = self.load(place)
                self.store(self.zero, place)
                self._finish(new, i, f.add(start, number), u, mask, going)

    def _finish(
        self, new: Lanes, i: Value, row: Value, u: Value, mask: Value | None, going: Value | None
    ) -> None:
        """A vector of the output and of the state."""
        place = self.own("h", i, u)
        old = self.load(place)
        if self.has_trace:
            line = self.line("trace", row, self.traced)
            self.store(old, self.place(line, self.old_h, u), mask)
        shown = self.choose(going, new, self.zero)
        self.store(shown, self.place(self.line("output", row, self.p["width"]), u), mask)
        self.store(self.choose(going, new, old), place)
