"""Graphs of ONNX drawn at random, for comparing those who run them."""

from __future__ import annotations

import numpy as np

from onnx import TensorProto, helper, numpy_helper

# Functions of one tensor that stay tame, with the attributes they may have.
TAME = {
    "Relu": {}, "Sigmoid": {}, "Tanh": {}, "Abs": {}, "Neg": {}, "Erf": {}, "Sin": {}, "Cos": {},
    "Softplus": {}, "Softsign": {}, "Atan": {}, "Floor": {}, "Ceil": {}, "Round": {}, "Sign": {},
    "LeakyRelu": {"alpha": 0.3}, "Elu": {"alpha": 0.7}, "Selu": {}, "Identity": {},
    "ThresholdedRelu": {"alpha": 0.2}, "HardSigmoid": {"alpha": 0.3, "beta": 0.4},
}  # fmt: skip
SINCE = {"Round": 11, "ThresholdedRelu": 10, "Erf": 9, "Sign": 9, "Sin": 7, "Cos": 7, "Atan": 7}


class Drawing:
    """A graph while it is drawn: values with their shapes, nodes, constants."""

    def __init__(self, seed: int) -> None:
        self.random = np.random.default_rng(seed)
        self.opset = int(self.random.choice([9, 11, 13, 17, 18, 21]))
        self.nodes, self.constants = [], []
        self.values: dict[str, tuple[int, ...]] = {}
        self.used: set[str] = set()

    def pick(self, *choices):
        return choices[int(self.random.integers(len(choices)))]

    def size(self, low, high):
        return int(self.random.integers(low, high + 1))

    def constant(self, array) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def weight(self, *shape) -> str:
        return self.constant((self.random.standard_normal(shape) * 0.5).astype(np.float32))

    def some(self, least=0):
        """A value of at least so many dimensions; a new input when there is none."""
        fitting = [name for name, shape in self.values.items() if len(shape) >= least]
        if fitting and self.random.random() < 0.9:
            return fitting[int(self.random.integers(max(len(fitting) - 4, 0), len(fitting)))]
        shape = tuple(self.size(1, 6) for _ in range(max(least, self.size(1, 4))))
        return self.add_input(shape)

    def add_input(self, shape) -> str:
        name = f"x{sum(name.startswith('x') for name in self.values)}"
        self.values[name] = tuple(shape)
        return name

    def node(self, op, inputs, shape, count=1, **attributes):
        names = [f"v{len(self.nodes)}_{at}" for at in range(count)]
        self.nodes.append(helper.make_node(op, inputs, names, **attributes))
        self.used.update(inputs)
        shapes = shape if count > 1 else [shape]
        for name, one in zip(names, shapes, strict=True):
            self.values[name] = tuple(int(size) for size in one)
        return names[0]

    # What can be drawn

    def unary(self):
        op = self.pick(*(name for name in TAME if SINCE.get(name, 7) <= self.opset))
        x = self.some()
        self.node(op, [x], self.values[x], **TAME[op])

    def binary(self):
        x = self.some(1)
        shape = self.values[x]
        other = [self.pick(1, size) for size in shape[self.size(0, len(shape)) :]]
        op = self.pick("Add", "Sub", "Mul", "Max", "Min")
        self.node(op, [x, self.weight(*other)], shape)

    def matmul(self):
        x = self.some(2)
        *head, inner = self.values[x]
        outer = self.size(1, 5)
        self.node("MatMul", [x, self.weight(inner, outer)], [*head, outer])

    def window(self, x, kernel_limit=3, dilates=True):
        space = self.values[x][2:]
        kernel = [self.size(1, min(kernel_limit, size)) for size in space]
        strides = [self.size(1, 2) for _ in space]
        dilations = [
            self.pick(1, 2) if dilates and 2 * (k - 1) + 1 <= size else 1
            for k, size in zip(kernel, space, strict=True)
        ]
        half = [self.size(0, max(k - 1, 0)) for k in kernel] + [
            self.size(0, max(k - 1, 0)) for k in kernel
        ]
        return space, kernel, strides, dilations, half

    def conv(self):
        x = self.some(3)
        if len(self.values[x]) > 4:
            return
        space, kernel, strides, dilations, pads = self.window(x)
        channels, group = self.values[x][1], 1
        if self.random.random() < 0.3:
            group = channels
        out = group * self.size(1, 2)
        sizes = [
            (size + pads[at] + pads[at + len(space)] - dilations[at] * (kernel[at] - 1) - 1)
            // strides[at] + 1
            for at, size in enumerate(space)
        ]  # fmt: skip
        inputs = [x, self.weight(out, channels // group, *kernel)]
        if self.random.random() < 0.5:
            inputs.append(self.weight(out))
        self.node(
            "Conv", inputs, [self.values[x][0], out, *sizes], strides=strides, pads=pads,
            dilations=dilations, group=group, kernel_shape=kernel,
        )  # fmt: skip

    def pool(self):
        x = self.some(3)
        if len(self.values[x]) > 4:
            return
        space, kernel, strides, _, pads = self.window(x, dilates=False)
        sizes = [
            (size + pads[at] + pads[at + len(space)] - kernel[at]) // strides[at] + 1
            for at, size in enumerate(space)
        ]
        shape = [*self.values[x][:2], *sizes]
        if self.random.random() < 0.5:
            self.node("MaxPool", [x], shape, kernel_shape=kernel, strides=strides, pads=pads)
        else:
            self.node(
                "AveragePool", [x], shape, kernel_shape=kernel, strides=strides, pads=pads,
                count_include_pad=self.pick(0, 1),
            )  # fmt: skip

    def normalise(self):
        x = self.some(3)
        shape = self.values[x]
        C = shape[1]
        if self.opset >= 17 and self.random.random() < 0.5:
            axis = self.size(1, len(shape) - 1)
            rest = shape[axis:]
            inputs = [x, self.weight(*rest), self.weight(*rest)]
            self.node("LayerNormalization", inputs, shape, axis=axis)
        else:
            positive = self.constant(self.random.uniform(0.5, 2, C).astype(np.float32))
            inputs = [x, self.weight(C), self.weight(C), self.weight(C), positive]
            self.node("BatchNormalization", inputs, shape)

    def softmax(self):
        x = self.some(1)
        axis = self.size(0, len(self.values[x]) - 1)
        self.node(self.pick("Softmax", "LogSoftmax"), [x], self.values[x], axis=axis)

    def reduce(self):
        x = self.some(1)
        shape = self.values[x]
        op = self.pick("ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceL2")
        axis, keep = self.size(0, len(shape) - 1), self.pick(0, 1)
        after = [1 if at == axis else size for at, size in enumerate(shape) if keep or at != axis]
        if self.opset >= (13 if op == "ReduceSum" else 18):
            self.node(op, [x, self.constant(np.int64([axis]))], after, keepdims=keep)
        else:
            self.node(op, [x], after, axes=[axis], keepdims=keep)

    def transpose(self):
        x = self.some(2)
        order = [int(at) for at in self.random.permutation(len(self.values[x]))]
        self.node("Transpose", [x], [self.values[x][at] for at in order], perm=order)

    def reshape(self):
        x = self.some(2)
        shape = self.values[x]
        flat = [shape[0], int(np.prod(shape[1:]))]
        wanted = self.pick([0, -1], [shape[0], -1], flat)
        self.node("Reshape", [x, self.constant(np.int64(wanted))], flat)

    def slice(self):
        x = self.some(1)
        if self.opset < 10:
            return
        shape = list(self.values[x])
        axis = self.size(0, len(shape) - 1)
        step = self.pick(1, 2, -1, -2)
        start, end = (0, 2**31) if step > 0 else (-1, -(2**31))
        places = range(*slice(start, end, step).indices(shape[axis]))
        shape[axis] = len(places)
        numbers = [self.constant(np.int64([one])) for one in (start, end, axis, step)]
        self.node("Slice", [x, *numbers], shape)

    def pad(self):
        x = self.some(1)
        if self.opset < 11:
            return
        shape = self.values[x]
        mode = self.pick("constant", "edge", "reflect")
        most = [min(2, size - 1) if mode == "reflect" else 2 for size in shape]
        pads = [self.size(0, one) for one in most] + [self.size(0, one) for one in most]
        after = [s + pads[at] + pads[at + len(shape)] for at, s in enumerate(shape)]
        self.node("Pad", [x, self.constant(np.int64(pads))], after, mode=mode)

    def gather(self):
        x = self.some(1)
        shape = list(self.values[x])
        axis = self.size(0, len(shape) - 1)
        places = self.random.integers(0, shape[axis], (2, 2))
        if self.opset >= 11:
            places = places - shape[axis] * self.random.integers(0, 2, (2, 2))
        after = [*shape[:axis], 2, 2, *shape[axis + 1 :]]
        self.node("Gather", [x, self.constant(places.astype(np.int64))], after, axis=axis)

    def split_and_join(self):
        x = self.some(1)
        shape = list(self.values[x])
        axis = self.size(0, len(shape) - 1)
        if shape[axis] < 2:
            return
        first = self.size(1, shape[axis] - 1)
        sizes = [first, shape[axis] - first]
        parts = [[*shape[:axis], size, *shape[axis + 1 :]] for size in sizes]
        if self.opset >= 13:
            inputs, given = [x, self.constant(np.int64(sizes))], {}
        else:
            inputs, given = [x], {"split": sizes}
        self.node("Split", inputs, parts, count=2, axis=axis, **given)
        a, b = self.nodes[-1].output
        self.node("Concat", [b, a], shape, axis=axis)

    def resize(self):
        x = self.some(3)
        if self.opset < 13 or len(self.values[x]) != 4:
            return
        shape = self.values[x]
        scales = [1.0, 1.0, self.pick(2.0, 0.5, 1.5), self.pick(2.0, 0.5, 3.0)]
        after = [size * scale for size, scale in zip(shape, scales, strict=True)]
        if 0 in after or any(size % 1 for size in after):
            return  # for parts of an element, onnxruntime and ONNX's own definition differ
        mode = self.pick("nearest", "linear", "cubic")
        where = self.pick("half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel")
        self.node(
            "Resize", [x, "", self.constant(np.float32(scales))], after, mode=mode,
            coordinate_transformation_mode=where,
            nearest_mode=self.pick("floor", "round_prefer_floor", "ceil"),
        )  # fmt: skip

    def recurrent(self):
        x = self.some(3)
        if len(self.values[x]) != 3:
            return
        T, B, width = self.values[x]
        kind, hidden = self.pick("LSTM", "GRU", "RNN"), self.size(1, 4)
        gates = {"LSTM": 4, "GRU": 3, "RNN": 1}[kind]
        direction = self.pick("forward", "reverse", "bidirectional")
        ways = 2 if direction == "bidirectional" else 1
        inputs = [
            x, self.weight(ways, gates * hidden, width), self.weight(ways, gates * hidden, hidden),
            self.weight(ways, 2 * gates * hidden),
        ]  # fmt: skip
        if self.random.random() < 0.4:
            inputs.append(self.constant(self.random.integers(1, T + 1, B).astype(np.int32)))
        more = {"linear_before_reset": self.pick(0, 1)} if kind == "GRU" else {}
        self.node(
            kind, inputs, [T, ways, B, hidden], hidden_size=hidden, direction=direction, **more
        )

    def drawn(self, length):
        """A checked model of about so many nodes, and inputs for it."""
        kinds = [
            self.unary, self.unary, self.binary, self.matmul, self.conv, self.pool,
            self.normalise, self.softmax, self.reduce, self.transpose, self.reshape, self.slice,
            self.pad, self.gather, self.split_and_join, self.resize, self.recurrent,
        ]  # fmt: skip
        self.add_input((2, 3, 5, 6))
        while len(self.nodes) < length:
            kinds[int(self.random.integers(len(kinds)))]()
        inputs = {name: shape for name, shape in self.values.items() if name.startswith("x")}
        ends = [n for n in self.values if n not in self.used and n not in inputs]
        described = [
            [helper.make_tensor_value_info(n, TensorProto.FLOAT, self.values[n]) for n in names]
            for names in (inputs, ends)
        ]
        graph = helper.make_graph(self.nodes, "drawn", *described, self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)])
        model.ir_version = 8
        feeds = {
            name: self.random.uniform(-1, 1, shape).astype(np.float32)
            for name, shape in inputs.items()
        }
        return model, feeds
