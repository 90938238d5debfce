"""Files that are damaged, foreign or hostile: one clear error, and nothing of them runs."""

import collections
import contextlib
import fractions
import io
import os
import pickle
import struct
import zipfile

import numpy as np
import pytest
import torch

import rushlight as rl

REFUSED = (RuntimeError, pickle.UnpicklingError)


def archive(pickled, /, **records):
    """A checkpoint made by hand."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as new:
        new.writestr("archive/data.pkl", pickled)
        new.writestr("archive/byteorder", "little")
        for key, data in records.items():
            new.writestr(f"archive/data/{key[1:]}", data)
    file.seek(0)
    return file


class Calls:
    """Pickles as a call."""

    def __init__(self, function, *arguments):
        self.reduced = function, arguments

    def __reduce__(self):
        return self.reduced


def calling(function, *arguments, protocol=2):
    return archive(pickle.dumps([Calls(function, *arguments)], protocol))


# What asks for more than tensors ------------------------------------------------------------------


@pytest.mark.parametrize("protocol", [1, 2, 3, 4, 5])
@pytest.mark.parametrize(
    "function, name",
    [
        (os.system, "posix.system"), (eval, "builtins.eval"), (exec, "builtins.exec"),
        (getattr, "builtins.getattr"), (os.path.join, "posixpath.join"),
        (__import__, "builtins.__import__"), (collections.deque, "collections.deque"),
    ],
)  # fmt: skip
def test_a_call_is_refused_by_name_and_does_not_run(tmp_path, function, name, protocol):
    marker = tmp_path / "ran"
    file = calling(function, f"open({str(marker)!r}, 'w')", protocol=protocol)
    with pytest.raises(pickle.UnpicklingError, match="GLOBAL") as refused:
        rl.load(file)
    assert name in str(refused.value)
    assert not marker.exists()


def test_the_refusal_says_how_to_allow():
    with pytest.raises(pickle.UnpicklingError) as refused:
        rl.load(calling(fractions.Fraction, "1/3"))
    for part in ("Weights only load failed", "GLOBAL fractions.Fraction was not an allowed global",
                 "add_safe_globals([fractions.Fraction])", "weights_only=False"):  # fmt: skip
        assert part in str(refused.value)
    assert "\n" not in str(refused.value)


def test_weights_only_false_believes_the_file():
    assert rl.load(calling(fractions.Fraction, "1/3"), weights_only=False)[0] * 3 == 1
    assert rl.load(calling(fractions.Fraction, "1/3"), pickle_module=pickle)[0] * 3 == 1


OP = {
    "a name with dots": b"\x80\x04\x8c\x05torch\x8c\x15Tensor.__subclasses__\x93.",
    "a module of ours": b"\x80\x02crushlight.serialize.load\nos\n.",
    "a call of a container": b"\x80\x02]}R.",
    "a call of a dtype": b"\x80\x02ctorch\nfloat32\n)R.",
    "a call of a result": b"\x80\x02ctorch\nSize\n)R)R.",
    "a new object of any class": b"\x80\x02ctorch\nTensor\n)\x81.",
    "a call of Tensor": b"\x80\x02ctorch\nTensor\nX\x01\x00\x00\x00a\x85R.",
    "a new dtype": b"\x80\x02ctorch\nfloat32\n)\x81.",
    "keyword arguments": b"\x80\x04ctorch\nSize\n)}\x92.",
    "the state of a class": b"\x80\x02ctorch\nTensor\nN}X\x01\x00\x00\x00aK\x01s\x86b.",
    "the state of a function": b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n}b.",
    "the state of a list": b"\x80\x02]}b.",
    "append to a class": b"\x80\x02ccollections\nOrderedDict\nNa.",
    "append to a tuple": b"\x80\x02)Na.",
    "items of a list": b"\x80\x02]NNs.",
    "items of a class": b"\x80\x02ctorch\nSize\n(NNu.",
    "adding to a list": b"\x80\x04](N\x90.",
    "protocol 0 persistent id": b"\x80\x02P0\n.",
    "old-style instance": b"\x80\x02(ctorch\nSize\no.",
    "an instance by name": b"\x80\x02(itorch\nSize\n.",
    "an extension code": b"\x80\x02\x82\x01.",
    "an outside buffer": b"\x80\x05\x97.",
    "a bytearray of 2**62": b"\x80\x05\x96\x00\x00\x00\x00\x00\x00\x00\x40.",
    "bytearray(2**31)": b"\x80\x02cbuiltins\nbytearray\n\x8a\x05\x00\x00\x00\x80\x00\x85R.",
    "any codec": b"\x80\x02c_codecs\nencode\nX\x01\x00\x00\x00aX\x05\x00\x00\x00rot13\x86R.",
    "a storage by text": b"\x80\x02X\x01\x00\x00\x00aQ.",
    "a storage that is none": b"\x80\x02(X\x06\x00\x00\x00modulectorch\nFloatStorage\nNNNtQ.",
    "a tensor of nothing": b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n(NK\x00))\x89NtR.",
    "a parameter of nothing": b"\x80\x02ctorch._utils\n_rebuild_parameter\n(N\x88NtR.",
    "a tensor by any function": b"\x80\x02ctorch._tensor\n_rebuild_from_type_v2\n(ctorch\nSize\n"
    b"ctorch\nTensor\n)}tR.",
    "a device of nothing": b"\x80\x02ctorch\ndevice\nK\x01\x85R.",
    "an unknown memo": b"\x80\x02h\x05.",
    "an empty stack": b"\x80\x02R.",
    "an unknown protocol": b"\x80\x63N.",
    "no end": b"\x80\x02N",
    "nothing": b"",
    "no pickle": b"hello",
    "text that is no text": b"\x80\x02X\x01\x00\x00\x00\xff.",
    "an unhashable key": b"\x80\x02}]Ns.",
    "the attributes of a dict": b"\x80\x02ccollections\nOrderedDict\n)RK\x01b.",
}  # fmt: skip


@pytest.mark.parametrize("pickled", OP.values(), ids=OP)
def test_a_pickle_does_nothing_but_make_tensors_and_containers(pickled):
    with pytest.raises(pickle.UnpicklingError):
        rl.load(archive(pickled))


def test_attributes_from_a_file_do_not_replace_a_tensors_own():
    parameter = torch.nn.Parameter(torch.ones(1))
    parameter.node = 1
    file = io.BytesIO()
    torch.save(parameter, file)
    file.seek(0)
    with pytest.raises(pickle.UnpicklingError, match="attribute called 'node'"):
        rl.load(file)


def test_safe_globals():
    file = calling(fractions.Fraction, "1/3")
    with rl.serialization.safe_globals([fractions.Fraction]):
        assert rl.serialization.get_safe_globals() == [fractions.Fraction]
        assert rl.load(file)[0] * 3 == 1
    assert rl.serialization.get_safe_globals() == []
    file.seek(0)
    with pytest.raises(pickle.UnpicklingError, match=r"fractions\.Fraction"):
        rl.load(file)
    rl.serialization.add_safe_globals([(collections.deque, "fractions.Fraction")])
    try:
        file.seek(0)
        assert rl.load(file) == [collections.deque("1/3")]
    finally:
        rl.serialization.clear_safe_globals()


class Point:
    def __init__(self, x):
        self.x = x


def test_objects_of_an_allowed_class_get_their_state():
    file = io.BytesIO()
    rl.save(Point(rl.ones(2)), file)
    file.seek(0)
    with rl.serialization.safe_globals([Point]):
        assert rl.load(file).x.tolist() == [1, 1]


def test_a_blocked_module_stays_closed():
    with rl.serialization.safe_globals([os.system]):
        with pytest.raises(pickle.UnpicklingError, match=r"posix\.system whose module posix is"):
            rl.load(calling(os.system, "true"))


def test_safe_globals_checks_what_it_is_given():
    with pytest.raises(ValueError, match="tuple of 3"):
        rl.serialization.add_safe_globals([(Point, "a", "b")])
    with pytest.raises(TypeError, match="as a str"):
        rl.serialization.add_safe_globals([(Point, 1)])


def test_unsafe_globals_are_listed_without_running():
    file = calling(os.system, "exit 1")
    assert rl.serialization.get_unsafe_globals_in_checkpoint(file) == ["posix.system"]
    theirs = io.BytesIO()
    torch.save([torch.ones(1), Point(1)], theirs, _use_new_zipfile_serialization=False)
    theirs.seek(0)
    found = rl.serialization.get_unsafe_globals_in_checkpoint(theirs)
    assert found == ["test_serialize_safety.Point"]


# Tensors that do not fit their storage ------------------------------------------------------------


def tensor_pickle(count=4, offset=0, size=(4,), stride=(1,), kind="FloatStorage", key="0"):
    """The pickle of one tensor, of any numbers at all."""

    def value(x):
        return pickle.dumps(x, 2)[2:-1].replace(b"q\x00", b"").replace(b"q\x01", b"")

    reference = b"(" + value("storage") + b"ctorch\n" + kind.encode() + b"\n" + value(key)
    reference += value("cpu") + value(count) + b"tQ"
    rest = value(offset) + value(size) + value(stride) + b"\x89N"
    return b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n(" + reference + rest + b"tR."


def test_the_hand_made_pickle_is_good():
    assert rl.load(archive(tensor_pickle(), _0=bytes(16))).tolist() == [0] * 4


BAD_VIEWS = {
    "too long": {"size": (5,)},
    "too far": {"offset": 1},
    "stride too wide": {"size": (2,), "stride": (4,)},
    "two dimensions": {"size": (2, 2), "stride": (3, 1)},
    "negative size": {"size": (-1,)},
    "negative stride": {"stride": (-1,), "offset": 3},
    "negative offset": {"offset": -1},
    "huge": {"size": (2**62, 2**62), "stride": (2**62, 1)},
    "more sizes than strides": {"size": (2, 2)},
    "size is a list": {"size": [4]},
    "size of floats": {"size": (4.0,)},
    "size of bools": {"size": (True,)},
    "offset is text": {"offset": "0"},
    "stride is None": {"stride": None},
}


@pytest.mark.parametrize("change", BAD_VIEWS.values(), ids=BAD_VIEWS)
def test_views_outside_the_storage(change):
    with pytest.raises(REFUSED):
        rl.load(archive(tensor_pickle(**change), _0=bytes(16)))


def test_the_error_names_what_does_not_fit():
    with pytest.raises(RuntimeError, match=r"size \[5\] .*needs 5 elements, but its storage has 4"):
        rl.load(archive(tensor_pickle(size=(5,)), _0=bytes(16)))
    with pytest.raises(RuntimeError, match=r"'0' has 12 bytes in the file, but 4 elem"):
        rl.load(archive(tensor_pickle(), _0=bytes(12)))
    with pytest.raises(RuntimeError, match="no record data/0"):
        rl.load(archive(tensor_pickle()))


@pytest.mark.parametrize("change", [{"count": -1}, {"count": "4"}, {"key": 0}, {"count": 2**70}])
def test_impossible_storages(change):
    with pytest.raises(REFUSED):
        rl.load(archive(tensor_pickle(**change), _0=bytes(16)))


def test_a_dtype_that_does_not_exist_here_is_named():
    file = io.BytesIO()
    torch.save(torch.ones(2, dtype=torch.uint16), file)
    file.seek(0)
    with pytest.raises(pickle.UnpicklingError, match=r"torch\.uint16"):
        rl.load(file)


def test_a_sparse_tensor_is_named():
    file = io.BytesIO()
    torch.save(torch.eye(2).to_sparse(), file)
    file.seek(0)
    with pytest.raises(pickle.UnpicklingError, match="_rebuild_sparse_tensor"):
        rl.load(file)


# Damage -------------------------------------------------------------------------------------------


def checkpoint(**options):
    file = io.BytesIO()
    thing = {"x": torch.arange(50.0), "n": [1, 2.5, "text"], "p": torch.nn.Parameter(torch.ones(2))}
    torch.save(thing, file, **options)
    return file.getvalue()


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_every_truncation_is_refused(zipped):
    content = checkpoint(_use_new_zipfile_serialization=zipped)
    for length in [*range(0, len(content), 37), len(content) - 1]:
        with pytest.raises(REFUSED):
            rl.load(io.BytesIO(content[:length]))


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_flipped_bits_never_crash(zipped):
    content = bytearray(checkpoint(_use_new_zipfile_serialization=zipped))
    places = np.random.default_rng(1).integers(0, len(content) * 8, 400)
    for place in places:
        damaged = bytearray(content)
        damaged[place // 8] ^= 1 << (place % 8)
        with contextlib.suppress(*REFUSED):
            rl.load(io.BytesIO(damaged))


def test_a_flipped_bit_in_the_numbers_is_noticed():
    content = bytearray(checkpoint())
    content[content.index(struct.pack("<2f", 30, 31))] ^= 1
    with pytest.raises(RuntimeError, match=r"damaged: the checksum of its record data/0"):
        rl.load(io.BytesIO(content))


def test_a_truncated_file_is_named(tmp_path):
    (tmp_path / "cut.pt").write_bytes(checkpoint()[:1000])
    with pytest.raises(RuntimeError, match=r"cut\.pt' is cut short or damaged"):
        rl.load(tmp_path / "cut.pt")
    (tmp_path / "empty.pt").write_bytes(b"")
    with pytest.raises(RuntimeError, match=r"empty\.pt' is empty"):
        rl.load(tmp_path / "empty.pt")
    for mmap in (True, False):
        (tmp_path / "short.pt").write_bytes(checkpoint()[:500])
        with pytest.raises(RuntimeError):
            rl.load(tmp_path / "short.pt", mmap=mmap)


def scripted():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as new:
        new.writestr("x/data.pkl", b"\x80\x02N.")
        new.writestr("x/constants.pkl", b"\x80\x02).")
    return file.getvalue()


def plain_zip():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as new:
        new.writestr("a.txt", "a")
    return file.getvalue()


FOREIGN = {
    "text": (b"import torch\n", "is no PyTorch checkpoint"),
    "a plain pickle": (pickle.dumps([1]), "is no PyTorch checkpoint"),
    "gzip": (b"\x1f\x8b\x08" + bytes(20), "gzip"),
    "tar": (bytes(257) + b"ustar" + bytes(300), "tar archive"),
    "safetensors": (struct.pack("<Q", 2) + b'{"a":1}', "load_safetensors"),
    "numpy": (b"\x93NUMPY" + bytes(60), "is no PyTorch checkpoint"),
    "a zip of something else": (plain_zip(), "no data.pkl"),
    "TorchScript": (scripted(), "TorchScript"),
}


@pytest.mark.parametrize("content, said", FOREIGN.values(), ids=FOREIGN)
def test_foreign_files_are_told_apart(tmp_path, content, said):
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(REFUSED, match=said) as refused:
        rl.load(tmp_path / "file")
    assert repr(str(tmp_path / "file")) in str(refused.value)


def test_a_record_that_claims_a_huge_size():
    content = bytearray(archive(tensor_pickle(), _0=bytes(16)).getvalue())
    entry = content.rindex(b"archive/data/0") - 46
    for claimed in (2**31, 2**32 - 2):
        content[entry + 20 : entry + 28] = struct.pack("<II", claimed, claimed)
        with pytest.raises(RuntimeError):
            rl.load(io.BytesIO(content))
    content[entry + 10 : entry + 12] = struct.pack("<H", zipfile.ZIP_DEFLATED)
    content[entry + 20 : entry + 28] = struct.pack("<II", 16, 2**31)
    with pytest.raises(RuntimeError, match="impossible size"):
        rl.load(io.BytesIO(content))


def test_what_is_no_file():
    with pytest.raises(AttributeError, match="can only load from a path or from a file"):
        rl.load(3)
    with pytest.raises(TypeError, match="binary mode"):
        rl.load(io.StringIO("text"))
    with pytest.raises(FileNotFoundError):
        rl.load("/nowhere/x.pt")
    with pytest.raises(IsADirectoryError):
        rl.load("/")
