"""Promotion of dtypes, compared with PyTorch for every pair and every category of operand."""

from __future__ import annotations

import random
from itertools import product

import pytest
import torch
from torch._prims_common import ELEMENTWISE_TYPE_PROMOTION_KIND as PROMOTION
from torch._prims_common import elementwise_dtypes

from rushlight.base import dtypes, promotion
from rushlight.base.promotion import Operand, can_cast, promote_types, result_type

NUMBERS = (True, 3, 2.5, 1j)
DEFAULTS = (dtypes.float32, dtypes.float64, dtypes.float16, dtypes.bfloat16)


def theirs(dtype: dtypes.DType) -> torch.dtype:
    return getattr(torch, dtype.name)


def ours(dtype: torch.dtype) -> dtypes.DType:
    # There is no complex type of half precision here.
    return dtypes.complex64 if dtype is torch.complex32 else dtypes.named(str(dtype)[6:])


@pytest.fixture(params=DEFAULTS, ids=str)
def default(request):
    promotion.set_default_dtype(request.param)
    torch.set_default_dtype(theirs(request.param))
    yield request.param
    promotion.set_default_dtype(dtypes.float32)
    torch.set_default_dtype(torch.float32)


def operands() -> list[tuple[Operand, torch.Tensor | complex]]:
    """Every operand there is, beside what PyTorch takes for it."""
    found = [
        (Operand(dtype, category), torch.ones(shape, dtype=theirs(dtype)))
        for dtype in dtypes.ALL
        for category, shape in (("dim", (1,)), ("dim", (0, 2)), ("zero", ()))
    ]
    return found + [(Operand.of_number(dtypes.of_number(x)), x) for x in NUMBERS]


def test_every_pair_of_dtypes():
    for a, b in product(dtypes.ALL, repeat=2):
        assert promote_types(a, b) is ours(torch.promote_types(theirs(a), theirs(b))), (a, b)
        assert can_cast(a, b) is torch.can_cast(theirs(a), theirs(b)), (a, b)


def test_the_order_of_a_pair_does_not_matter():
    for a, b in product(dtypes.ALL, repeat=2):
        top = promote_types(a, b)
        assert promote_types(b, a) is promote_types(top, a) is promote_types(top, b) is top
        assert can_cast(a, top) and can_cast(b, top)


def test_every_pair_of_operands(default):
    for (a, x), (b, y) in product(operands(), repeat=2):
        assert result_type(a, b) is ours(torch.result_type(x, y)), (a, b)


def test_one_operand_is_itself(default):
    for operand, _ in operands():
        assert result_type(operand) is operand.dtype
    assert Operand.of_number("float").dtype is default
    assert Operand.of_number("complex").dtype is default.to_complex()


def test_three_operands(default):
    # torch.result_type takes two; this is PyTorch's own account of the rule for any number.
    rng = random.Random(0)
    known = operands()
    for _ in range(1500):
        (a, x), (b, y), (c, z) = rng.sample(known, 3)
        _, expected = elementwise_dtypes(x, y, z, type_promotion_kind=PROMOTION.DEFAULT)
        assert result_type(a, b, c) is ours(expected), (a, b, c)


@pytest.mark.parametrize(
    "given, expected",
    [
        (((dtypes.int8, "dim"), (dtypes.float64, "zero"), "complex"), dtypes.complex128),
        (((dtypes.float32, "dim"), (dtypes.float64, "zero"), "complex"), dtypes.complex64),
        (((dtypes.bool_, "dim"), (dtypes.uint8, "zero"), "int"), dtypes.uint8),
        (((dtypes.uint8, "dim"), (dtypes.int8, "dim"), "int"), dtypes.int16),
        (((dtypes.float16, "dim"), (dtypes.bfloat16, "dim"), "float"), dtypes.float32),
        (((dtypes.float16, "dim"), (dtypes.bfloat16, "zero"), "complex"), dtypes.complex64),
        (((dtypes.int64, "zero"), (dtypes.bool_, "dim"), "float"), dtypes.float32),
        (((dtypes.int32, "zero"), (dtypes.int8, "zero"), "bool"), dtypes.int32),
    ],
)
def test_the_categories_are_ranked(given, expected):
    *tensors, kind = given
    parts = [Operand(*part) for part in tensors] + [Operand.of_number(kind)]
    assert result_type(*parts) is result_type(*reversed(parts)) is expected


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: promote_types("int8", dtypes.int8), r"'type1' \(position 1\) .* not str"),
        (lambda: promote_types(dtypes.int8, None), r"'type2' \(position 2\) .* not NoneType"),
        (lambda: can_cast(dtypes.int8, int), r"can_cast\(\): argument 'to' .* not type"),
        (lambda: promotion.set_default_dtype("float32"), "invalid dtype object: only floating"),
        (lambda: promotion.set_default_dtype(dtypes.int64), "only floating-point types are sup"),
        (lambda: promotion.set_default_dtype(dtypes.complex64), "only floating-point types are"),
        (lambda: promotion.set_default_dtype(None), "invalid dtype object"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(TypeError, match=message):
        call()
    assert promotion.default_dtype() is dtypes.float32
