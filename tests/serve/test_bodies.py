"""Bodies that no well-meant client sends: each gets a 4xx and a sentence, never more."""

import asyncio
import json
import os

import numpy as np
import pytest
import toys
from asgi import Client, asking, tensor
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import rushlight as rl
from rushlight import serve
from rushlight.serve import Settings

INFER = "/v2/models/double/infer"
MOST_BODY = 100_000


@pytest.fixture(scope="module")
def client():
    tokens = toys.Toy(
        lambda x, mask: rl.nn.functional.embedding(x, rl.ones(5, 2)) * mask.float().unsqueeze(-1),
        [("x", ("batch", "length"), rl.int64), ("mask", ("batch", "length"), rl.bool)],
        [("y", ("batch", "length", 2))],
    )
    limits = Settings(max_body=MOST_BODY, max_elements=1000, max_delay=0)
    return Client(serve.application({"double": toys.scaled(), "tokens": tokens}, limits))


def x(data=(1, 2, 3, 4), shape=(1, 4), **more):
    return tensor("x", list(data) if isinstance(data, tuple) else data, shape, **more)


GOOD = asking(x())
LINES = {
    "empty": b"",
    "not JSON": b"{",
    "not an object": b"[]",
    "not UTF-8": b'{"inputs": "\xff"}',
    "UTF-16": json.dumps(GOOD).encode("utf-16"),
    "no inputs": b"{}",
    "inputs null": asking() | {"inputs": None},
    "inputs of another kind": {"inputs": {"x": 1}},
    "inputs not objects": {"inputs": [1, 2]},
    "no tensor": asking(),
    "nan": json.dumps(asking(x((1, 2, 3, float("nan"))))).encode(),
    "infinity": json.dumps(asking(x((1, 2, 3, float("inf"))))).encode(),
    "number beyond float64": json.dumps(GOOD).replace("4]}", "1e400]}").encode(),
    "number beyond float32": asking(x((1, 2, 3, 1e39))),
    "integer beyond float64": asking(x((1, 2, 3, 10**400))),
    "integer of 5000 digits": json.dumps(GOOD).replace("4]}", "9" * 5000 + "]}").encode(),
    "null among numbers": asking(x((1, 2, 3, None))),
    "string among numbers": asking(x((1, 2, 3, "4"))),
    "truth among numbers": asking(x((1, 2, 3, True))),
    "object among numbers": asking(x((1, 2, 3, {}))),
    "ragged": asking(x([[1, 2], [3, 4, 5]])),
    "list beside number": asking(x([[1, 2], 3, 4])),
    "nested otherwise than the shape": asking(x([[1, 2], [3, 4]])),
    "too few": asking(x((1, 2, 3))),
    "too many": asking(x((1, 2, 3, 4, 5))),
    "data missing": asking({"name": "x", "shape": [1, 4], "datatype": "FP32"}),
    "data null": asking(x(None)),
    "data a string": asking(x("abcd")),
    "shape missing": asking({"name": "x", "datatype": "FP32", "data": [1, 2, 3, 4]}),
    "shape a number": asking(x() | {"shape": 4}),
    "negative size": asking(x(shape=(-1, 4))),
    "negative sizes whose product fits": asking(x(shape=(-1, -4))),
    "fractional size": asking(x(shape=(1.0, 4))),
    "true as a size": asking(x(shape=(True, 4))),
    "string as a size": asking(x(shape=("1", 4))),
    "huge size": asking(x(shape=(10**30, 4))),
    "product beyond 64 bits": asking(x(shape=(2**32, 2**32))),
    "product beyond 64 bits, then none": asking(x([], shape=(2**40, 2**40, 0))),
    "many dimensions": asking(x([1], shape=(1,) * 1000)),
    "wrong rank": asking(x(shape=(4,))),
    "wrong size": asking(x((1, 2, 3), shape=(1, 3))),
    "no rows": asking(x([], shape=(0, 4))),
    "more rows than a batch": asking(x([0] * 400, shape=(100, 4))),
    "unknown input": asking(x() | {"name": "z"}),
    "name of another kind": asking(x() | {"name": [1]}),
    "name missing": asking({"shape": [1, 4], "datatype": "FP32", "data": [1, 2, 3, 4]}),
    "input twice": asking(x(), x()),
    "other datatype": asking(x(datatype="FP64")),
    "unknown datatype": asking(x(datatype="\ud800")),
    "datatype of another kind": asking(x() | {"datatype": 32}),
    "id of another kind": GOOD | {"id": 5},
    "parameters of another kind": GOOD | {"parameters": []},
    "flag of another kind": GOOD | {"parameters": {"binary_data_output": 1}},
    "outputs of another kind": GOOD | {"outputs": "y"},
    "unknown output": GOOD | {"outputs": [{"name": "z"}]},
    "output name of another kind": GOOD | {"outputs": [{"name": {}}]},
    "output twice": GOOD | {"outputs": [{"name": "y"}, {"name": "y"}]},
    "classification": GOOD | {"outputs": [{"name": "y", "parameters": {"classification": 1}}]},
    "nested deeply": b'{"inputs":' + b"[" * 40_000 + b"]" * 40_000 + b"}",
    "data nested deeply": b'{"inputs":[{"name":"x","shape":[1,4],"datatype":"FP32","data":'
    + b"[" * 900 + b"1" + b"]" * 900 + b"}]}",
    "bytes without a header": json.dumps(GOOD).encode() + b"\0" * 16,
    "both data and bytes": asking(x(parameters={"binary_data_size": 16})),
}  # fmt: skip


@pytest.mark.parametrize("body", LINES.values(), ids=LINES)
def test_malformed_requests_are_refused_in_a_sentence(client, body):
    reply = client.post(INFER, body)
    assert reply.status == 400, reply.body
    assert 5 < len(reply.error) < 300
    assert client.post(INFER, GOOD).status == 200


def _bytes(size, rest=b"\0" * 16, **more):
    stated = {"name": "x", "shape": [1, 4], "datatype": "FP32"}
    head = json.dumps(asking(stated | {"parameters": {"binary_data_size": size}} | more)).encode()
    return head, rest


@pytest.mark.parametrize(
    "head, rest, length",
    [
        (*_bytes(12), None),  # None is the length of the JSON
        (*_bytes(16, b"\0" * 15), None),
        (*_bytes(16, b"\0" * 17), None),
        (*_bytes(-16), None),
        (*_bytes(16.0), None),
        (*_bytes(True), None),
        (*_bytes("16"), None),
        (*_bytes(10**30), None),
        (*_bytes(16, shape=[2**62, 4]), None),
        (*_bytes(16), "0"),
        (*_bytes(16), "-5"),
        (*_bytes(16), "1e2"),
        (*_bytes(16), "0x50"),
        (*_bytes(16), "99999"),
        (*_bytes(16), "9" * 40),
        (*_bytes(16), "²"),
        (*_bytes(16), ""),
    ],
)
def test_wrong_lengths_of_bytes_are_refused(client, head, rest, length):
    length = str(len(head)) if length is None else length
    reply = client.post(INFER, head + rest, Inference_Header_Content_Length=length)
    assert reply.status == 400, reply.body
    assert reply.error


def test_bytes_of_a_bool_are_0_or_1(client):
    stated = [
        {"name": "x", "shape": [1, 1], "datatype": "INT64", "data": [1]},
        {"name": "mask", "shape": [1, 1], "datatype": "BOOL",
         "parameters": {"binary_data_size": 1}},
    ]  # fmt: skip
    head = json.dumps({"inputs": stated}).encode()
    path = "/v2/models/tokens/infer"
    for byte, status in ((b"\x01", 200), (b"\x02", 400)):
        reply = client.post(path, head + byte, Inference_Header_Content_Length=len(head))
        assert reply.status == status


def test_sizes_with_one_name_must_be_equal(client):
    body = asking(tensor("x", [1, 2], (1, 2), "INT64"), tensor("mask", [True] * 3, (1, 3), "BOOL"))
    assert "'length'" in client.post("/v2/models/tokens/infer", body).error


def test_a_body_that_is_too_large_is_413(client):
    assert client.post(INFER, b" " * (MOST_BODY + 1)).status == 413
    large = client.ask("POST", INFER, b"{}", {"content-length": "999999999"})
    assert large.status == 413
    pieces = [b" " * 60_000] * 3  # no Content-Length: counted as it comes
    assert client.loop.run_until_complete(client.request("POST", INFER, pieces, {})).status == 413


@pytest.mark.parametrize("length", ["-1", "1.5", "abc", "", "1" * 30, "5"])
def test_a_content_length_that_is_wrong_is_4xx(client, length):
    reply = client.ask("POST", INFER, json.dumps(GOOD).encode(), {"content-length": length})
    assert 400 <= reply.status < 500
    assert reply.error


def test_encodings_that_are_not_taken_are_415(client):
    assert client.post(INFER, b"\x1f\x8b", Content_Encoding="gzip").status == 415
    assert client.post(INFER, GOOD, Content_Encoding="Identity").status == 200


def test_a_body_that_does_not_come_is_408():
    app = serve.application({"double": toys.scaled()}, Settings(body_timeout=0.05))
    client = Client(app)

    async def slow():
        sent = []

        async def never():
            await asyncio.sleep(5)

        async def send(message):
            sent.append(message)

        scope = {"type": "http", "http_version": "1.1", "method": "POST", "path": INFER,
                 "query_string": b"", "headers": [], "root_path": "", "scheme": "http",
                 "raw_path": INFER.encode(), "server": ("t", 80), "client": None}  # fmt: skip
        await app(scope, never, send)
        return sent[0]["status"]

    assert client.loop.run_until_complete(slow()) == 408


def test_a_fault_of_the_model_shows_no_traceback(capsys):
    def broken(x):
        if x.sum().item() > 0:
            raise KeyError("the secret of the model")
        return x

    model = toys.Toy(broken, [("x", (1, 4))], [("y", (1, 4))])
    client = Client(serve.application({"double": model}))
    reply = client.post(INFER, GOOD)
    assert reply.status == 500
    assert "secret" not in reply.error
    assert "the secret of the model" in capsys.readouterr().err
    assert client.post(INFER, asking(x((0, 0, 0, 0)))).status == 200


# Fuzzing ----------------------------------------------------------------------------------------

LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["x", "y", "FP32", "INT64", "BOOL", -1, 0, 2**63, 2**64, 1e308, "mask"])
)
WORDS = st.sampled_from(
    ["inputs", "outputs", "name", "shape", "datatype", "data", "parameters", "id",
     "binary_data_size", "binary_data", "binary_data_output", "classification"]
) | st.text(max_size=5)  # fmt: skip
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=12,
)
TOKENS = asking(
    tensor("x", [1, 2, 3, 4], (2, 2), "INT64"),
    tensor("mask", [[True, False], [True, True]], (2, 2), "BOOL"),
)


def places(value, path=()):
    """Every place in a tree of lists and dictionaries."""
    yield path
    if isinstance(value, dict | list):
        for key, one in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(one, (*path, key))


def replaced(value, path, new):
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(value[path[0]], path[1:], new)
    return copy


@st.composite
def nearly_right(draw):
    """A good request with a few places changed."""
    body = draw(st.sampled_from([GOOD, TOKENS]))
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.sampled_from(list(places(body))))
        body = replaced(body, place, draw(VALUES))
    return json.dumps(body).encode()


@st.composite
def cut(draw):
    """A good request with bytes missing, changed or put in."""
    body = bytearray(json.dumps(draw(st.sampled_from([GOOD, TOKENS]))).encode())
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, len(body)))
        body[place : place + draw(st.integers(0, 9))] = draw(st.binary(max_size=4))
    return bytes(body)


BODIES = st.binary(max_size=200) | VALUES.map(lambda v: json.dumps(v).encode()) | cut()
BODIES = nearly_right() | BODIES
HEADERS = st.none() | st.integers(-2, 400).map(str) | st.text("0123456789 -+.x", max_size=4)


def fuzzed(client, body, length, model):
    headers = {} if length is None else {"Inference-Header-Content-Length": length}
    reply = client.ask("POST", f"/v2/models/{model}/infer", body, headers)
    assert reply.status < 500, reply.body
    if reply.status != 200:
        assert reply.status >= 400
        assert len(reply.error) < 600
    elif "inference-header-content-length" not in reply.headers:
        for output in reply.json["outputs"]:
            assert len(output["data"]) == np.prod(output["shape"])


def fuzz(examples):
    return settings(
        max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck),
        database=None,
    )  # fmt: skip


MODELS = st.sampled_from(["double", "tokens"])


@fuzz(300)
@given(body=BODIES, length=HEADERS, model=MODELS)
def test_no_body_brings_the_server_down(client, body, length, model):
    fuzzed(client, body, length, model)


@pytest.mark.slow
@pytest.mark.timeout(1200)
@fuzz(int(os.environ.get("RUSHLIGHT_FUZZ", "12000")))
@given(body=BODIES, length=HEADERS, model=MODELS)
def test_none_of_ten_thousand_bodies_brings_the_server_down(client, body, length, model):
    fuzzed(client, body, length, model)


NAMES = st.sampled_from(
    ["Host", "Origin", "Authorization", "Content-Encoding", "Content-Length", "Content-Type",
     "Inference-Header-Content-Length", "Accept", "X-Forwarded-For", "Transfer-Encoding"]
)  # fmt: skip
TEXTS = st.text(st.characters(max_codepoint=255), max_size=20) | st.sampled_from(
    ["http://[", "Bearer ", "null", "http://t", "-1", "[::1", "\xff"]
)
PATHS = st.text(max_size=12).map(lambda text: f"/{text}") | st.sampled_from(
    [INFER, "/v2", "/v2/models//infer", "/v2/models/double/versions//infer", "/v2/models/double/",
     "/v2/models/double/versions/\u0661/infer", "/v2/repository/index", "//", "/docs", "/metrics",
     "/v2/repository/models/none/load"]
)  # fmt: skip


@fuzz(300)
@given(
    method=st.sampled_from(["GET", "POST", "PUT", "HEAD", "OPTIONS", "DELETE", "x"]),
    path=PATHS, headers=st.dictionaries(NAMES, TEXTS, max_size=3), token=st.booleans(),
)  # fmt: skip
def test_no_head_brings_the_server_down(client, guarded, method, path, headers, token):
    reply = (guarded if token else client).ask(method, path, json.dumps(GOOD).encode(), headers)
    assert reply.status < 500, reply.body
    assert "Traceback" not in reply.body.decode()


@pytest.fixture(scope="module")
def guarded():
    limits = Settings(token="sesame", hosts=("localhost",), max_batch=1)
    return Client(serve.application({"double": toys.scaled()}, limits))
