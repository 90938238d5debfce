"""Object code in memory: our loader and LLVM's run the same; what ours refuses LLVM's takes."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import random
import struct
from pathlib import Path

import pytest

from rushlight.base.errors import InternalError
from rushlight.compiler.llvm import elf, symbols
from rushlight.compiler.llvm.machine import Loaded, _Engine, assemble, host

ours = pytest.mark.skipif(not elf.suits(), reason="our loader is for x86-64 Linux")

TEXT = """
@table = private constant [5 x i64] [i64 3, i64 1, i64 4, i64 1, i64 5]
@ways = private constant [3 x ptr] [ptr @once, ptr @twice, ptr @labs]
@count = internal global i64 7
@room = internal global [3000 x i64] zeroinitializer, align 64
@wide = private constant <16 x i32> <i32 0, i32 1, i32 2, i32 3, i32 4, i32 5, i32 6, i32 7,
    i32 8, i32 9, i32 10, i32 11, i32 12, i32 13, i32 14, i32 15>, align 64
@environ = external global ptr
declare i64 @labs(i64)
declare double @exp(double)

define i64 @once(i64 %x) nounwind noinline { ret i64 %x }
define i64 @twice(i64 %x) nounwind noinline {
  %a = call i64 @once(i64 %x)
  %b = add i64 %a, %x
  ret i64 %b
}
define i64 @looked_up(i64 %x) nounwind {
  %p = getelementptr i64, ptr @table, i64 %x
  %v = load i64, ptr %p
  ret i64 %v
}
define i64 @chosen(i64 %x) nounwind {
  %p = getelementptr ptr, ptr @ways, i64 %x
  %f = load ptr, ptr %p
  %v = call i64 %f(i64 -21)
  ret i64 %v
}
define i64 @switched(i64 %x) nounwind {
  switch i64 %x, label %other [ i64 0, label %a  i64 1, label %b  i64 2, label %c  i64 3, label %d
    i64 4, label %e  i64 5, label %f ]
a: ret i64 11
b: %r = call i64 @labs(i64 -5)
  ret i64 %r
c: ret i64 -4
d: ret i64 99
e: %s = call i64 @twice(i64 %x)
  ret i64 %s
f: ret i64 0
other: ret i64 123456789012345
}
define i64 @counted(i64 %x) nounwind {
  %n = load i64, ptr @count
  %m = add i64 %n, %x
  store i64 %m, ptr @count
  %p = getelementptr i64, ptr @room, i64 %m
  %was = load i64, ptr %p
  store i64 %n, ptr %p
  %r = add i64 %was, %m
  ret i64 %r
}
define i64 @raised(i64 %x) nounwind {
  %f = sitofp i64 %x to double
  %g = fdiv double %f, 3.5
  %e = call double @exp(double %g)
  %b = bitcast double %e to i64
  ret i64 %b
}
define i64 @lane(i64 %x) nounwind {
  %v = load <16 x i32>, ptr @wide, align 64
  %w = mul <16 x i32> %v, <i32 1, i32 2, i32 3, i32 4, i32 5, i32 6, i32 7, i32 8, i32 9, i32 10,
    i32 11, i32 12, i32 13, i32 14, i32 15, i32 16>
  %e = extractelement <16 x i32> %w, i64 %x
  %r = zext i32 %e to i64
  ret i64 %r
}
define i64 @outside(i64 %x) nounwind {
  %e = load ptr, ptr @environ
  %n = icmp ne ptr %e, null
  %r = zext i1 %n to i64
  ret i64 %r
}
"""
NAMES = ("once", "twice", "looked_up", "chosen", "switched", "counted", "raised", "lane", "outside")


@pytest.fixture(scope="module")
def code() -> bytes:
    return assemble(TEXT, host())


def call(loaded: Loaded | elf.Image | _Engine, name: str, x: int) -> int:
    return int(ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(loaded.address(name))(x))


@ours
@pytest.mark.parametrize("level", [0, 1, 2])
def test_both_loaders_run_the_same(level: int) -> None:
    code = assemble(TEXT, host(), level)
    image, engine = elf.Image(code, symbols.find), _Engine(code)
    for name in NAMES:
        for x in range(3 if name == "chosen" else 5):
            assert call(image, name, x) == call(engine, name, x), (name, x)


def test_what_functions_give(code: bytes) -> None:
    loaded = Loaded(code)
    assert [call(loaded, "looked_up", k) for k in range(5)] == [3, 1, 4, 1, 5]
    assert [call(loaded, "chosen", k) for k in range(3)] == [-21, -42, 21]
    assert [call(loaded, "switched", k) for k in range(-1, 6)] == [
        123456789012345, 11, 5, -4, 99, 8, 0,
    ]  # fmt: skip
    assert [call(loaded, "counted", k) for k in (1, 0, 5)] == [8, 15, 13]
    other = Loaded(code)  # with variables of its own
    assert call(other, "counted", 1) == 8
    assert call(loaded, "lane", 15) == 15 * 16


def test_many_at_once_and_gone_again(code: bytes) -> None:
    for _ in range(3):
        several = [Loaded(code) for _ in range(50)]
        assert all(call(each, "twice", 4) == 8 for each in several)
        assert len({each.address("twice") for each in several}) == 50
        del several
        gc.collect()


def test_no_such_function(code: bytes) -> None:
    with pytest.raises(InternalError, match="no function never"):
        Loaded(code).address("never")


@ours
def test_a_function_that_is_nowhere() -> None:
    text = "declare i64 @nowhere_at_all(i64)\ndefine i64 @f(i64 %x) nounwind {\n"
    text += "  %r = call i64 @nowhere_at_all(i64 %x)\n  ret i64 %r\n}"
    with pytest.raises(InternalError, match="calls nowhere_at_all"):
        Loaded(assemble(text, host()))


def test_functions_of_ours_come_first(code: bytes) -> None:
    text = "define i64 @labs_of_ours(i64 %x) nounwind { ret i64 77 }"
    mine = Loaded(assemble(text, host()))
    symbols.define("labs", mine.address("labs_of_ours"))
    try:
        assert call(Loaded(code), "chosen", 2) == 77
    finally:
        del symbols.defined["labs"]
    if elf.suits():
        assert call(Loaded(code), "chosen", 2) == 21


@ours
def test_code_cannot_be_written_to(code: bytes) -> None:
    image = elf.Image(code, symbols.find)
    start = image.address("once")
    for line in Path("/proc/self/maps").read_text().splitlines():
        bounds, rights = line.split()[:2]
        low, high = (int(part, 16) for part in bounds.split("-"))
        if low <= start < high:
            assert rights.startswith("r-x")
            return
    raise AssertionError("not mapped")


@ours
def test_what_our_loader_refuses_llvm_takes() -> None:
    text = "@x = thread_local global i64 5\ndefine i64 @f(i64 %a) nounwind {\n"
    text += "  %v = load i64, ptr @x\n  ret i64 %v\n}"
    with pytest.raises(elf.Unknown, match="section of type"):
        elf.Image(assemble(text, host()), symbols.find)
    text = "@x = common global i64 0\ndefine i64 @f(i64 %a) nounwind {\n"
    text += "  store i64 %a, ptr @x\n  %v = load volatile i64, ptr @x\n  ret i64 %v\n}"
    code = assemble(text, host())
    with pytest.raises(elf.Unknown, match="a symbol in section"):
        elf.Image(code, symbols.find)
    assert call(Loaded(code), "f", 6) == 6


@ours
def test_files_that_are_no_object_files(code: bytes) -> None:
    wrong = [b"", b"\x7fELF", b"MZ" + code[2:], code[:18] + struct.pack("<H", 183) + code[20:]]
    wrong += [code[: len(code) * k // 20] for k in range(20)]
    for each in wrong:
        with pytest.raises(elf.Unknown):
            elf.Image(each, symbols.find)


@ours
def test_any_damage_is_met_without_a_crash(code: bytes) -> None:
    chance = random.Random(0)
    for _ in range(300):
        damaged = bytearray(code)
        for _ in range(chance.randint(1, 4)):
            damaged[chance.randrange(len(code))] = chance.randrange(256)
        with contextlib.suppress(elf.Unknown, InternalError, MemoryError):
            elf.Image(bytes(damaged), symbols.find)
