"""The Open Inference Protocol v2, address by address."""

import json

import numpy as np
import pytest
import toys
from asgi import Client, asking, tensor

import rushlight as rl
from rushlight import serve

INFER = "/v2/models/double/infer"


def combined(a, n, flag):
    return a * 2 + n.float(), n + flag.long()


@pytest.fixture(scope="module")
def client():
    two = toys.Toy(
        combined,
        [("a", ("rows", 3)), ("n", ("rows", 3), rl.int64), ("flag", ("rows", 3), rl.bool)],
        [("real", ("rows", 3)), ("whole", ("rows", 3), rl.int64)],
    )
    types = {"u": rl.uint8, "h": rl.float16, "d": rl.float64, "s": rl.int16}
    every = toys.Toy(
        lambda *xs: xs,
        [(name, (2,), dtype) for name, dtype in types.items()],
        [(name.upper(), (2,), dtype) for name, dtype in types.items()],
    )
    scalar = toys.Toy(lambda x: x + 1, [("x", ())], [("y", ())])
    models = {"double": toys.scaled(), "two": two, "every": every, "scalar": scalar}
    return Client(serve.application(models))


def x(data=(1, 2, 3, 4), shape=(1, 4), **more):
    return tensor("x", list(data), shape, **more)


def test_health(client):
    assert client.get("/v2/health/live").json == {"live": True}
    assert client.get("/v2/health/ready").json == {"ready": True}
    assert client.get("/v2/models/double/ready").json == {"name": "double", "ready": True}
    assert client.get("/v2/models/double/versions/1/ready").status == 200
    for path in ("/v2/models/none/ready", "/v2/models/double/versions/2/ready"):
        assert client.get(path).status == 404


def test_server_metadata(client):
    reply = client.get("/v2")
    assert reply.status == 200
    assert reply.json == {
        "name": "rushlight", "version": rl.__version__,
        "extensions": ["binary_tensor_data", "model_repository"],
    }  # fmt: skip


@pytest.mark.parametrize("path", ["/v2/models/two", "/v2/models/two/versions/1"])
def test_model_metadata(client, path):
    reply = client.get(path)
    assert reply.json == {
        "name": "two", "versions": ["1"], "platform": "rushlight",
        "inputs": [
            {"name": "a", "datatype": "FP32", "shape": [-1, 3]},
            {"name": "n", "datatype": "INT64", "shape": [-1, 3]},
            {"name": "flag", "datatype": "BOOL", "shape": [-1, 3]},
        ],
        "outputs": [
            {"name": "real", "datatype": "FP32", "shape": [-1, 3]},
            {"name": "whole", "datatype": "INT64", "shape": [-1, 3]},
        ],
        "parameters": {"batched": True, "max_batch": 32},
    }  # fmt: skip


def test_metadata_says_why_requests_are_not_batched(client):
    said = client.get("/v2/models/every").json["parameters"]
    assert said["batched"] is False
    assert "first dimension" in said["reason"]


def test_infer_json(client):
    reply = client.post(INFER, asking(x(), id="seven"))
    assert reply.status == 200
    assert reply.headers["content-type"] == "application/json"
    assert reply.json == {
        "model_name": "double", "model_version": "1", "id": "seven",
        "outputs": [{"name": "y", "datatype": "FP32", "shape": [1, 4], "data": [2, 4, 6, 8]}],
    }  # fmt: skip
    assert client.post("/v2/models/double/versions/1/infer", asking(x())).json.get("id") is None


@pytest.mark.parametrize(
    "data, shape",
    [([[1, 2, 3, 4]], (1, 4)), ([1, 2.0, 3, 4e0], (1, 4)), ([[1, 2, 3, 4], [5, 6, 7, 8]], (2, 4))],
)
def test_data_may_be_nested_or_flat(client, data, shape):
    found = client.post(INFER, asking(x(data, shape))).json["outputs"][0]
    assert found["shape"] == list(shape)
    assert found["data"] == [2.0 * n for n in np.ravel(data)]


def test_a_number_stands_for_a_tensor_without_dimensions(client):
    for data in (3, [3]):
        reply = client.post("/v2/models/scalar/infer", asking(tensor("x", data, ())))
        assert reply.json["outputs"] == [
            {"name": "y", "datatype": "FP32", "shape": [], "data": [4.0]}
        ]


def test_several_inputs_in_any_order_and_outputs_by_name(client):
    body = asking(
        tensor("flag", [True, False, True], (1, 3), "BOOL"),
        tensor("a", [0.5, 1, 2], (1, 3)),
        tensor("n", [2**62, -1, 7], (1, 3), "INT64"),
        outputs=[{"name": "whole"}],
    )
    reply = client.post("/v2/models/two/infer", body)
    assert [one["name"] for one in reply.json["outputs"]] == ["whole"]
    assert reply.json["outputs"][0]["data"] == [2**62 + 1, -1, 8]  # exact, as integers are


def test_every_datatype_there_and_back(client):
    given = {
        "u": ("UINT8", [0, 255]), "h": ("FP16", [0.5, 65504.0]), "d": ("FP64", [0.1, -1e300]),
        "s": ("INT16", [-32768, 32767]),
    }  # fmt: skip
    reply = client.post(
        "/v2/models/every/infer",
        asking(*(tensor(name, data, (2,), kind) for name, (kind, data) in given.items())),
    )
    found = {one["name"].lower(): (one["datatype"], one["data"]) for one in reply.json["outputs"]}
    assert found == given


def binary(arrays, names, kinds, **more):
    """A body of the binary extension and its header."""
    stated = {
        "inputs": [
            {"name": name, "shape": list(array.shape), "datatype": kind,
             "parameters": {"binary_data_size": array.nbytes}}
            for array, name, kind in zip(arrays, names, kinds)
        ],
        **more,
    }  # fmt: skip
    head = json.dumps(stated).encode()
    return head + b"".join(array.tobytes() for array in arrays), len(head)


def test_infer_bytes(client):
    a = np.array([[1, np.nan, -np.inf], [0, 5, 6]], np.float32)
    n = np.array([[1, 2, 3], [4, 5, 6]], np.int64)
    flag = np.array([[True, False, True], [False, False, False]])
    body, length = binary(
        [n, a, flag], ["n", "a", "flag"], ["INT64", "FP32", "BOOL"],
        parameters={"binary_data_output": True},
    )  # fmt: skip
    reply = client.post("/v2/models/two/infer", body, Inference_Header_Content_Length=length)
    assert reply.status == 200, reply.body
    assert reply.headers["content-type"] == "application/octet-stream"
    cut = int(reply.headers["inference-header-content-length"])
    outputs = json.loads(reply.body[:cut])["outputs"]
    assert [one["parameters"]["binary_data_size"] for one in outputs] == [24, 48]
    real = np.frombuffer(reply.body[cut : cut + 24], "<f4").reshape(2, 3)
    whole = np.frombuffer(reply.body[cut + 24 :], "<i8").reshape(2, 3)
    np.testing.assert_array_equal(real, a * 2 + n.astype(np.float32))
    np.testing.assert_array_equal(whole, n + flag)


def test_bytes_for_some_outputs_and_json_for_others(client):
    body = asking(
        tensor("a", [1, 1, 1], (1, 3)), tensor("n", [1, 2, 3], (1, 3), "INT64"),
        tensor("flag", [False] * 3, (1, 3), "BOOL"),
        outputs=[{"name": "whole", "parameters": {"binary_data": True}}, {"name": "real"}],
    )  # fmt: skip
    reply = client.post("/v2/models/two/infer", body)
    cut = int(reply.headers["inference-header-content-length"])
    whole, real = json.loads(reply.body[:cut])["outputs"]
    assert "data" not in whole and real["data"] == [3, 4, 5]
    assert np.frombuffer(reply.body[cut:], "<i8").tolist() == [1, 2, 3]


def test_json_has_no_nan_to_answer_with(client):
    a = np.array([[np.nan] * 4], np.float32)
    body, length = binary([a], ["x"], ["FP32"])
    reply = client.post(INFER, body, Inference_Header_Content_Length=length)
    assert reply.status == 422
    assert "binary_data_output" in reply.error


def test_repository_extension():
    client = Client(serve.application({"a": toys.scaled(), "b": toys.scaled(3)}))
    index = client.post("/v2/repository/index", {"ready": True})
    assert index.json == [
        {"name": name, "version": "1", "state": "READY", "reason": ""} for name in "ab"
    ]
    assert client.post("/v2/repository/models/a/unload").status == 200
    assert client.post("/v2/models/a/infer", asking(x())).status == 503
    assert client.get("/v2/models/a/ready").json == {"name": "a", "ready": False}
    assert [one["name"] for one in client.post("/v2/repository/index", {"ready": True}).json] == [
        "b"
    ]
    assert client.post("/v2/repository/index").json[0]["state"] == "UNAVAILABLE"
    assert client.post("/v2/models/b/infer", asking(x())).status == 200
    assert client.post("/v2/repository/models/a/load").status == 200
    assert client.post("/v2/models/a/infer", asking(x())).status == 200
    for word in ("load", "unload"):
        assert client.post(f"/v2/repository/models/none/{word}").status == 404


def test_an_example_is_a_request(client):
    for name in ("double", "two", "every", "scalar"):
        example = client.get(f"/v2/models/{name}/example")
        assert client.post(f"/v2/models/{name}/infer", example.body).status == 200


def test_errors_have_the_form_of_the_protocol(client):
    for reply, status in (
        (client.get("/nowhere"), 404),
        (client.get("/v2/models/none"), 404),
        (client.get("/v2/models/double/infer"), 405),
        (client.post("/v2/models/none/infer", asking(x())), 404),
        (client.post(INFER, b"{"), 400),
        (client.get("/v2/models/%00"), 404),
        (client.get("/v2/models/\ud800".encode("utf-8", "replace").decode()), 404),
    ):
        assert reply.status == status
        assert reply.error
        assert "Traceback" not in reply.error


def test_openapi_names_and_describes_every_address(client):
    told = client.get("/openapi.json").json
    assert told["info"]["title"] == "rushlight"
    assert told["info"]["version"] == rl.__version__
    tags = {tag["name"] for tag in told["tags"]}
    for path, methods in told["paths"].items():
        for one in methods.values():
            assert one["description"] and one["summary"], path
            assert set(one["tags"]) <= tags
    infer = told["paths"]["/v2/models/{name}/infer"]["post"]
    assert set(infer["requestBody"]["content"]) == {"application/json", "application/octet-stream"}
    assert {"200", "400", "413", "429", "503"} <= set(infer["responses"])
    _no_dangling(told, told)


def _no_dangling(part, whole):
    """Follows every ``$ref``."""
    if isinstance(part, dict):
        if (target := part.get("$ref")) is not None:
            place = whole
            for name in target.removeprefix("#/").split("/"):
                place = place[name]
        part = list(part.values())
    if isinstance(part, list):
        for one in part:
            _no_dangling(one, whole)


def test_metrics(client):
    fresh = Client(serve.application({"double": toys.scaled()}))
    fresh.post(INFER, asking(x()))
    fresh.post(INFER, b"{")
    fresh.post("/v2/models/none/infer", b"{}")
    reply = fresh.get("/metrics")
    assert reply.headers["content-type"].startswith("text/plain")
    lines = reply.body.decode().splitlines()
    mine = 'model="double",'
    for line in (
        f'rushlight_requests_total{{{mine}status="200",version="1"}} 1.0',
        f'rushlight_requests_total{{{mine}status="400",version="1"}} 1.0',
        'rushlight_requests_total{model="",status="404",version=""} 1.0',
        f'rushlight_failures_total{{{mine}reason="malformed",version="1"}} 1.0',
        f'rushlight_batch_rows_count{{{mine}version="1"}} 1.0',
        f'rushlight_request_seconds_count{{{mine}version="1"}} 2.0',
        f'rushlight_queue_length{{{mine}version="1"}} 0.0',
        f'rushlight_model_ready{{{mine}version="1"}} 1.0',
    ):
        assert line in lines, line


def test_what_cannot_be_served_is_told():
    with pytest.raises(ValueError, match="bfloat16"):
        serve.application({"m": toys.Toy(lambda x: x, [("x", (1,), rl.bfloat16)], [("y", (1,))])})
    with pytest.raises(ValueError, match="output 'y' is stated"):
        serve.application({"m": toys.Toy(lambda x: x, [("x", (1,))], [("y", (1, 1))])})
