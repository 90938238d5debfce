"""Requests that are computed together, and what they may not do to each other."""

import threading
import time

import numpy as np
import pytest
import toys
from asgi import Client, asking, tensor

import rushlight as rl
from rushlight import serve
from rushlight.serve import Settings
from rushlight.serve.runner import Runner
from rushlight.serve.signature import Signature

INFER = "/v2/models/m/infer"


def served(model, **limits):
    return Client(serve.application({"m": model}, Settings(**{"max_delay": 0.05, **limits})))


def x(data, datatype="FP32", name="x"):
    data = np.asarray(data)
    return asking(tensor(name, data.ravel().tolist(), data.shape, datatype))


def answers(replies):
    assert {reply.status for reply in replies} == {200}, [reply.body for reply in replies]
    return [
        np.reshape(one["data"], one["shape"])
        for one in (reply.json["outputs"][0] for reply in replies)
    ]


def posted(client, arrays, **how):
    return answers(client.together([(INFER, x(array, **how)) for array in arrays]))


def test_requests_that_arrive_together_are_computed_together():
    model = toys.scaled()
    client = served(model)
    model.calls.clear()
    rows = [np.full((1 + k % 3, 4), k, np.float32) for k in range(12)]
    for given, found in zip(rows, posted(client, rows)):
        np.testing.assert_array_equal(found, given * 2)
    assert len(model.calls) < 6
    assert {size for ((size, _),) in model.calls} <= {1, 2, 4, 8, 16, 32}


def test_a_batch_of_one_is_served_at_once():
    client = served(toys.scaled(), max_delay=30.0)
    start = time.perf_counter()
    posted(client, [np.ones((1, 4))])
    posted(client, [np.ones((1, 4))])
    assert time.perf_counter() - start < 5


def test_no_request_waits_longer_than_the_bound():
    client = served(toys.scaled(), max_delay=0.05)
    client.app.state.repository.find("m").line._last = 20  # the next batch hopes for as many
    start = time.perf_counter()
    posted(client, [np.ones((1, 4))])
    assert 0.03 < time.perf_counter() - start < 5


def test_batches_are_never_larger_than_the_most():
    model = toys.scaled()
    client = served(model, max_batch=4)
    model.calls.clear()
    posted(client, [np.full((1, 4), k) for k in range(30)])
    assert max(size for ((size, _),) in model.calls) <= 4


def test_without_batches_every_request_is_alone():
    model = toys.scaled()
    client = served(model, max_batch=1)
    model.calls.clear()
    posted(client, [np.ones((1, 4))] * 5)
    assert model.calls == [((1, 4),)] * 5


def test_what_is_not_finite_stays_with_its_request():
    client = served(toys.network())
    images = np.random.default_rng(0).normal(size=(8, 1, 1, 8, 8)).astype(np.float32)
    alone = posted(client, images[:1], name="image")[0].ravel()
    bodies = []
    for k in range(8):
        image = images[0] if k % 2 == 0 else np.full((1, 1, 8, 8), [np.nan, np.inf][k % 4 == 1])
        bodies.append(image.astype(np.float32))
    replies = client.loop.run_until_complete(_binary(client, bodies))
    for k, found in enumerate(replies):
        if k % 2 == 0:
            np.testing.assert_allclose(found, alone, atol=1e-5)
        else:
            assert not np.isfinite(found).all()


async def _binary(client, arrays):
    """Answers to requests made at the same time, as bytes both ways."""
    import asyncio
    import json

    async def one(array):
        stated = {"name": "image", "shape": list(array.shape), "datatype": "FP32",
                  "parameters": {"binary_data_size": array.nbytes}}  # fmt: skip
        head = json.dumps(asking(stated, parameters={"binary_data_output": True})).encode()
        headers = {"Inference-Header-Content-Length": len(head)}
        reply = await client.request("POST", INFER, [head + array.tobytes()], headers)
        assert reply.status == 200, reply.body
        cut = int(reply.headers["inference-header-content-length"])
        return np.frombuffer(reply.body[cut:], "<f4")

    return await asyncio.gather(*map(one, arrays))


def posted_images(client, arrays):
    return client.loop.run_until_complete(_binary(client, arrays))


def test_the_bits_depend_on_the_size_of_the_batch_and_on_nothing_else():
    """What is promised in docs/deploy.md: not on the neighbours, not on the place among them."""
    client = served(toys.network(), max_batch=16)
    random = np.random.default_rng(1)
    runner = client.app.state.repository.find("m").line.runner
    row = random.normal(size=(1, 1, 8, 8)).astype(np.float32)
    for size in (1, 2, 4, 8, 16):
        found = set()
        for place in range(size):
            batch = random.normal(size=(size, 1, 8, 8)).astype(np.float32) * 100
            batch[place] = row[0]
            found.add(runner.run([batch])[0][place].tobytes())
        assert len(found) == 1, size


def test_a_request_that_fails_fails_alone():
    table = rl.ones(5, 2)
    model = toys.Toy(
        lambda x: rl.nn.functional.embedding(x, table),
        [("x", ("batch", 3), rl.int64)], [("y", ("batch", 3, 2))],
    )  # fmt: skip
    client = served(model)
    rows = [[[0, 1, 2]], [[0, 99, 2]], [[4, 4, 4]], [[-7, 0, 0]]]
    replies = client.together([(INFER, x(row, "INT64")) for row in rows])
    assert [reply.status for reply in replies] == [200, 422, 200, 422]
    assert "Traceback" not in replies[1].error


def test_shapes_that_differ_are_computed_apart():
    model = toys.Toy(
        lambda x: x.cumsum(1), [("x", ("batch", "length"))], [("y", ("batch", "length"))]
    )
    client = served(model)
    model.calls.clear()
    rows = [np.arange(1.0 + k % 3)[None] for k in range(9)]
    for given, found in zip(rows, posted(client, rows)):
        np.testing.assert_array_equal(found, given.cumsum(1))
    assert len({shape for (shape,) in model.calls}) >= 3


@pytest.mark.parametrize(
    "mixing", [lambda x: x - x.mean(0), lambda x: x.softmax(0), lambda x: x.flip(0)]
)
def test_a_model_that_mixes_rows_is_not_batched(mixing):
    model = toys.Toy(mixing, [("x", ("batch", 4))], [("y", ("batch", 4))])
    client = served(model)
    said = client.get("/v2/models/m").json["parameters"]
    assert said["batched"] is False and "other rows" in said["reason"]
    rows = np.random.default_rng(0).normal(size=(6, 1, 4)).astype(np.float32)
    for given, found in zip(rows, posted(client, rows)):
        np.testing.assert_allclose(found, mixing(rl.tensor(given)).numpy(), atol=1e-6)


def test_a_fixed_first_dimension_is_not_batched():
    model = toys.Toy(lambda x: x * 2, [("x", (2, 4))], [("y", (2, 4))])
    client = served(model)
    model.calls.clear()
    posted(client, [np.ones((2, 4))] * 4)
    assert model.calls == [((2, 4),)] * 4


def test_a_program_that_changes_its_state_is_not_served():
    model = toys.scaled()
    model.changes = ("running_mean",)
    with pytest.raises(ValueError, match="running_mean"):
        served(model)


def test_a_full_queue_is_429_with_a_time_to_come_again():
    gate = threading.Event()

    def waiting(x):
        if x.sum().item() != 0:  # not while it is prepared
            gate.wait(10)
        return x * 2

    model = toys.Toy(waiting, [("x", ("batch", 4))], [("y", ("batch", 4))])
    client = served(model, max_queue=3, max_batch=1)
    threading.Timer(0.5, gate.set).start()
    replies = client.together([(INFER, x(np.ones((1, 4))))] * 12)
    statuses = [reply.status for reply in replies]
    assert set(statuses) == {200, 429}
    assert 3 <= statuses.count(200) <= 5  # those that wait, and the one that is computed
    refused = next(reply for reply in replies if reply.status == 429)
    assert int(refused.headers["retry-after"]) >= 1
    assert "try again" in refused.error
    assert posted(client, [np.ones((1, 4))])[0].tolist() == [[2.0] * 4]


def test_bodies_together_take_no_more_memory_than_allowed():
    client = served(toys.scaled(pause=0.05), max_held=2000, max_batch=1)
    body = x(np.full((1, 4), 0.123456789))  # about 130 bytes
    replies = client.together([(INFER, body)] * 60)
    assert {reply.status for reply in replies} == {200, 429}
    assert client.post(INFER, body).status == 200


def test_a_program_with_bounds_on_its_rows():
    net = rl.nn.Linear(4, 2).eval()
    program = rl.export.export(
        net, (rl.ones(3, 4),), dynamic_shapes={"input": {0: rl.export.Dim("n", min=2, max=6)}}
    )
    client = served(program)
    assert client.get("/v2/models/m").json["parameters"] == {"batched": True, "max_batch": 6}
    for rows in (1, 2, 5, 6):
        given = np.random.default_rng(rows).normal(size=(rows, 4)).astype(np.float32)
        [found] = answers([client.post(INFER, x(given, name=program.inputs[0].name))])
        np.testing.assert_allclose(found, net(rl.tensor(given)).detach().numpy(), atol=1e-6)
    assert client.post(INFER, x(np.ones((7, 4)), name=program.inputs[0].name)).status == 400


def test_models_are_computed_side_by_side():
    """Each by a thread of its own, compiled: the answers are those of the models asked alone."""
    models = {f"m{seed}": toys.network(seed) for seed in range(3)}
    client = Client(serve.application(models, Settings(max_delay=0.002)))
    images = np.random.default_rng(3).normal(size=(90, 1, 1, 8, 8)).astype(np.float32)
    asked = [
        (f"/v2/models/m{k % 3}/infer", x(image, name="image")) for k, image in enumerate(images)
    ]
    for _ in range(2):
        for k, found in enumerate(answers(client.together(asked))):
            with rl.no_grad():
                wanted = models[f"m{k % 3}"].function(rl.tensor(images[k])).numpy()
            np.testing.assert_allclose(found, wanted, atol=1e-5)


class Recurrent(rl.nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn, self.out = rl.nn.GRU(8, 33, 2, batch_first=True), rl.nn.Linear(33, 5)

    def forward(self, x):
        return self.out(self.rnn(x)[0][:, -1])


def attending():
    layer = rl.nn.TransformerEncoderLayer(32, 4, 64, batch_first=True)
    return rl.nn.TransformerEncoder(layer, 2)


def normalised():
    nn = rl.nn
    return nn.Sequential(
        nn.Conv2d(3, 17, 3, stride=2), nn.BatchNorm2d(17), nn.ReLU(), nn.Conv2d(17, 32, 3),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.LayerNorm(32), nn.Linear(32, 4),
    )  # fmt: skip


@pytest.mark.parametrize(
    "made, shape",
    [(Recurrent, (7, 8)), (attending, (9, 32)), (normalised, (3, 21, 19))],
    ids=["recurrent", "attending", "normalised"],
)
def test_the_bits_of_other_models_depend_on_the_size_alone_too(made, shape):
    axes = ({0: rl.export.Dim("batch")},)
    program = rl.export.export(made().eval(), (rl.randn(2, *shape),), dynamic_shapes=axes)
    runner = Runner(program, Signature.of(program), 8)
    runner.prepare()
    random = np.random.default_rng(0)
    row = random.normal(size=shape).astype(np.float32)
    for size in (1, 2, 4, 8):
        found = set()
        for place in range(size):
            batch = random.normal(size=(size, *shape)).astype(np.float32) * 10
            batch[place] = row
            found.add(runner.run([batch])[0][place].tobytes())
        assert len(found) == 1, size
