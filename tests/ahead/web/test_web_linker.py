"""The linker for WebAssembly: what it refuses."""

from __future__ import annotations

import pytest

from rushlight.ahead.machines import machine_of
from rushlight.ahead.web import leb
from rushlight.ahead.web.leb import Reader
from rushlight.ahead.web.link import link
from rushlight.base.errors import InternalError
from rushlight.compiler.llvm.linked import linked

WASM = machine_of("wasm32")


def made(text: str) -> bytes:
    return linked({"f": text}, WASM, ["f"])


def test_a_function() -> None:
    code = link(made("define i32 @f(i32 %x) {\n  ret i32 %x\n}\n"), ["f"])
    assert code.startswith(b"\0asm\1\0\0\0")


def test_constants_and_their_addresses() -> None:
    text = """
@numbers = private constant [3 x i32] [i32 1, i32 2, i32 3], align 16
@where = private constant [1 x ptr] [ptr @numbers]
define ptr @f(i64 %k) {
  %at = getelementptr ptr, ptr @where, i64 %k
  %base = load ptr, ptr %at
  ret ptr %base
}
"""
    assert b"\1\0\0\0\2\0\0\0\3\0\0\0" in link(made(text), ["f"])


def test_a_function_that_is_elsewhere() -> None:
    text = "declare float @sinf(float)\ndefine float @f(float %x) {\n"
    text += "  %y = call float @sinf(float %x)\n  ret float %y\n}\n"
    with pytest.raises(InternalError, match="calls sinf, which it does not hold"):
        link(made(text), ["f"])


def test_a_variable_that_is_elsewhere() -> None:
    text = "@x = external global i32\ndefine i32 @f() {\n  %y = load i32, ptr @x\n  ret i32 %y\n}\n"
    with pytest.raises(InternalError, match="reads x, which it does not hold"):
        link(made(text), ["f"])


def test_an_address_of_a_function() -> None:
    text = "define ptr @f() {\n  ret ptr @f\n}\n"
    with pytest.raises(InternalError, match="not as expected: __indirect_function_table"):
        link(made(text), ["f"])


def test_an_export_that_is_not_there() -> None:
    with pytest.raises(InternalError, match="no function g"):
        link(made("define void @f() {\n  ret void\n}\n"), ["g"])


def test_no_object_file() -> None:
    whole = made("define i32 @f(i32 %x) {\n  ret i32 %x\n}\n")
    for data in (b"", b"\x7fELF" + bytes(60), whole[:-9], whole[:20] + b"\xff" + whole[21:]):
        with pytest.raises(InternalError, match="not as expected"):
            link(data, ["f"])


@pytest.mark.parametrize("number", [0, 1, 63, 64, 127, 128, 300, 2**31 - 1, 2**32 - 1])
def test_numbers(number: int) -> None:
    assert Reader(leb.unsigned(number)).unsigned() == number
    assert Reader(leb.padded(number)).unsigned() == number and len(leb.padded(number)) == 5
    for signed in (number, -number):
        assert Reader(leb.signed(signed)).signed() == signed
