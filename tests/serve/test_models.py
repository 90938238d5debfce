"""Models of every kind that can be served: saved programs, ONNX files, runs."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import toys
from asgi import Client, asking, tensor

import rushlight as rl
from rushlight import nn, serve
from rushlight.export import Dim, export, save
from rushlight.serve.journal import Journal
from rushlight.serve.metrics import Metrics
from rushlight.serve.models import read
from rushlight.serve.places import Given, OneFile, Shelf, Versions, place
from rushlight.serve.repository import Repository
from rushlight.serve.settings import Settings


def served(path, name="m"):
    return Client(serve.application({name: read(path)}, Settings(max_batch=4)))


def same(client, given, wanted, names=("input", "output")):
    body = asking(tensor(names[0], given.numpy().ravel().tolist(), given.shape))
    reply = client.post("/v2/models/m/infer", body)
    assert reply.status == 200, reply.body
    found = {one["name"]: np.reshape(one["data"], one["shape"]) for one in reply.json["outputs"]}
    np.testing.assert_allclose(found[names[1]], wanted.detach().numpy(), atol=1e-5)


class Speech(nn.Module):
    """Batch and length vary, and there are two outputs."""

    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(4, 6, batch_first=True)

    def forward(self, sound):
        every, last = self.rnn(sound)
        return {"every": every, "last": last.squeeze(0)}


def test_a_program_with_two_sizes_and_two_outputs(tmp_path):
    net = Speech().eval()
    axes = {"sound": {0: Dim("batch"), 1: Dim("time", min=1)}}
    save(export(net, (rl.randn(2, 5, 4),), dynamic_shapes=axes), tmp_path / "model.pt2")
    client = served(tmp_path / "model.pt2")
    told = client.get("/v2/models/m").json
    assert told["parameters"] == {"batched": True, "max_batch": 4}
    assert [one["shape"] for one in told["outputs"]] == [[-1, -1, 6], [-1, 6]]
    names = [one["name"] for one in told["outputs"]]
    for rows, length in ((1, 5), (3, 2), (2, 9)):
        sound = rl.randn(rows, length, 4)
        wanted = net(sound)
        same(client, sound, wanted["every"], ("sound", names[0]))
        same(client, sound, wanted["last"], ("sound", names[1]))
    reply = client.post("/v2/models/m/infer", asking(tensor("sound", [], (1, 0, 4))))
    assert 400 <= reply.status < 500


def test_a_program_for_one_size_is_not_batched(tmp_path):
    net = nn.Linear(3, 2).eval()
    save(export(net, (rl.randn(1, 3),)), tmp_path / "model.pt2")
    client = served(tmp_path / "model.pt2")
    assert client.get("/v2/models/m").json["parameters"]["batched"] is False
    given = rl.randn(1, 3)
    same(client, given, net(given))


def test_an_onnx_file(tmp_path):
    pytest.importorskip("onnx", reason="onnx is not installed")
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(72, 10)).eval()
    image, path = rl.randn(2, 1, 8, 8), tmp_path / "model.onnx"
    rl.onnx.export(
        net, (image,), str(path), input_names=["image"], output_names=["scores"],
        dynamic_axes={"image": {0: "batch"}, "scores": {0: "batch"}},
    )  # fmt: skip
    client = served(path)
    assert client.get("/v2/models/m").json["parameters"]["batched"] is True
    for rows in (1, 3, 4):
        image = rl.randn(rows, 1, 8, 8)
        same(client, image, net(image), ("image", "scores"))


def test_a_program_that_gives_other_answers_than_when_it_was_exported(tmp_path):
    net = nn.Linear(3, 2).eval()
    program = export(net, (rl.randn(1, 3),))
    program.goldens[0][1][0][...] += 1
    save(program, tmp_path / "model.pt2")
    with pytest.raises(RuntimeError, match="golden"):
        read(tmp_path / "model.pt2")


@pytest.mark.parametrize("content", [b"", b"\x80\x04N.", b"PK\x03\x04", b"{}"])
def test_foreign_files_are_refused(tmp_path, content):
    for name in ("model.pt2", "model.onnx"):
        (tmp_path / name).write_bytes(content)
        with pytest.raises((RuntimeError, ValueError)):
            read(tmp_path / name)


@pytest.mark.slow
def test_the_folder_of_a_run(tmp_path, monkeypatch):
    pytest.importorskip("hydra", reason="hydra is not installed")
    from rushlight.cli import main
    from rushlight.cli.serve import _places

    monkeypatch.chdir(tmp_path)
    words = ["trainer.max_epochs=1", "hydra.run.dir=run"]
    assert main(["train", "experiment=digits_mlp", *words]) == 0
    [found] = _places(["run"])
    assert isinstance(found, OneFile) and found.name == "run"
    client = Client(serve.application({"m": found.read(found.path)}))
    example = client.get("/v2/models/m/example")
    reply = client.post("/v2/models/m/infer", example.body)
    assert len(reply.json["outputs"][0]["data"]) == 10


# Where models lie --------------------------------------------------------------------------------


def test_what_words_of_the_command_line_mean(tmp_path):
    (tmp_path / "one.pt2").touch()
    (tmp_path / "shelf" / "m" / "1").mkdir(parents=True)
    (tmp_path / "shelf" / "m" / "1" / "model.pt2").touch()
    one, shelf = tmp_path / "one.pt2", tmp_path / "shelf"
    assert place(str(one), read) == OneFile("one", one, read)
    assert place(f"two={one}", read) == OneFile("two", one, read)
    assert place(str(shelf), read) == Shelf(shelf, read)
    assert place(str(shelf / "m"), read) == Versions("m", shelf / "m", read)
    assert place(f"n={shelf / 'm'}", read) == Versions("n", shelf / "m", read)
    for wrong in ("nothing", "a/b=" + str(one), "=" + str(one), "a=nothing", f"n={shelf}"):
        with pytest.raises(ValueError):
            place(wrong, read)


def versions(folder):
    return [(one.name, one.version) for one in Shelf(folder, read).found()]


def test_only_numbers_are_versions(tmp_path):
    for name in ("1", "007", "12", "x", ".3", "-1", "²"):
        (tmp_path / "m" / name).mkdir(parents=True)
        (tmp_path / "m" / name / "model.pt2").touch()
    (tmp_path / "m" / "20").mkdir()  # without a model
    (tmp_path / "a b" / "1").mkdir(parents=True)
    (tmp_path / "a b" / "1" / "model.pt2").touch()
    (tmp_path / "file").touch()
    assert sorted(versions(tmp_path)) == [("m", "1"), ("m", "12"), ("m", "7")]
    shutil.rmtree(tmp_path / "m")
    assert versions(tmp_path) == []


def test_versions_are_ordered_as_numbers_and_all_of_them_answer():
    def times(by):
        net = nn.Linear(1, 1, bias=False).eval()
        with rl.no_grad():
            net.weight.fill_(by)
        return export(net, (rl.ones(2, 1),), dynamic_shapes={"input": {0: Dim("batch")}})

    repository = _repository({f"{k}": times(k) for k in (2, 9, 10)})
    assert repository.versions("m") == ["2", "9", "10"]
    assert repository.find("m").version == "10"
    assert repository.find("m", "9").version == "9"
    assert repository.stop(5)


class _Several(Given):
    def found(self):
        from rushlight.serve.places import Found

        for version, model in self.model.items():
            yield Found(self.name, version, (), lambda model=model: model)


def _repository(models):
    journal = Journal(requests=False)
    repository = Repository([_Several("m", models)], Settings(max_batch=2), Metrics(), journal)
    repository.look(settled=True)
    return repository


def test_a_file_that_is_being_written_is_left_alone(tmp_path):
    path = tmp_path / "m" / "1" / "model.pt2"
    path.parent.mkdir(parents=True)
    program = export(nn.ReLU(), (rl.ones(2, 3),), dynamic_shapes={"input": {0: Dim("batch")}})
    save(program, path)
    asked = []

    def noted(where: Path):
        asked.append(where)
        return read(where)

    repository = Repository(
        [Shelf(tmp_path, noted)], Settings(max_batch=1), Metrics(), Journal(requests=False)
    )
    repository.look()
    content = path.read_bytes()
    for part in (10, 100, len(content)):  # it grows between looks
        path.write_bytes(content[:part])
        repository.look()
        assert asked == []
    repository.look()
    assert len(asked) == 1
    assert [row["state"] for row in json.loads(json.dumps(repository.index()))] == ["READY"]
    repository.stop(1)


def test_a_request_follows_the_version_that_replaced_its_own():
    """It was read for a model that left before it got a place in the line."""
    client = Client(serve.application({"m": toys.scaled(2.0)}))
    repository = client.app.state.repository
    body = asking(tensor("x", [1, 1, 1, 1], (1, 4)))
    found = repository.find("m")
    repository._places[0] = Given("m", toys.scaled(3.0))
    repository.look()  # seen for the first time
    assert client.post("/v2/models/m/infer", body).json["outputs"][0]["data"][0] == 2
    find, once = repository.find, [found]
    repository.find = lambda *which: once.pop() if once else find(*which)  # what a request held
    repository.look()
    reply = client.post("/v2/models/m/versions/1/infer", body)
    assert reply.json["outputs"][0]["data"][0] == 3 and not once
