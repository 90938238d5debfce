"""Layers inside of networks, and old ways of calling builders."""

import contextlib
import copy
import functools
import hashlib
import http.server
import importlib
import io
import threading

import numpy as np
import pytest
import torch
from zoo import close, image, pair, torchvision

import rushlight as rl
from rushlight import nn
from rushlight.execute import tier
from rushlight.vision import models
from rushlight.vision.models.feature_extraction import (
    create_feature_extractor,
    get_graph_node_names,
)  # fmt: skip


@pytest.fixture(autouse=True, scope="module")
def by_reference():
    with tier.only("reference") if tier.chosen() == "auto" else contextlib.nullcontext():
        yield


NODES = {"layer1.0.relu": "first", "layer1.0.relu_1": "again", "layer2": "block", "fc": "end"}


def test_features_are_those_of_torchvision():
    mine, theirs = (model.eval() for model in pair(lambda m: m.resnet18(num_classes=3)))
    x = image(2, 3, 32, 32)
    got = create_feature_extractor(mine, NODES)(rl.from_numpy(x))
    theirs_too = importlib.import_module("torchvision.models.feature_extraction")
    wanted = theirs_too.create_feature_extractor(theirs, dict(NODES))(torch.from_numpy(x))
    assert list(got) == list(wanted)
    for name, value in wanted.items():
        close(got[name], value, 1e-4)


def test_an_extractor_shares_the_layers():
    net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    inner = create_feature_extractor(net, ["1"])
    assert list(inner.state_dict()) == list(net.state_dict())
    assert [id(p) for p in inner.parameters()] == [id(p) for p in net.parameters()]
    inner(rl.ones(4, 2))["1"].sum().backward()
    assert net[0].weight.grad is not None and net[2].weight.grad is None
    assert not net[1]._forward_hooks
    other = copy.deepcopy(inner)
    with rl.no_grad():
        net[0].weight.zero_()
        net[0].bias.zero_()
    assert (inner(rl.ones(1, 2))["1"] == 0).all()
    assert other.double()(rl.ones(1, 2).double())["1"].dtype == rl.float64


def test_nodes_of_training_and_evaluation():
    net = models.resnet18(num_classes=3)
    inner = create_feature_extractor(net, train_return_nodes=["bn1"], eval_return_nodes=["conv1"])
    assert list(inner(rl.zeros(2, 3, 32, 32))) == ["bn1"]
    assert list(inner.eval()(rl.zeros(2, 3, 32, 32))) == ["conv1"]
    assert not net.training


def test_names_are_paths_of_layers():
    train, evaluation = get_graph_node_names(models.resnet18())
    assert train == evaluation
    assert train[:3] == ["conv1", "bn1", "relu"] and train[-1] == "fc"


@pytest.mark.parametrize(
    "kwargs, message",
    [
        ({}, "Either `return_nodes`"),
        ({"train_return_nodes": ["fc"]}, "then both should be specified"),
        ({"return_nodes": ["fc"], "train_return_nodes": ["fc"]}, "then both should be specified"),
        ({"return_nodes": ["layer9"]}, "node: 'layer9' is not present in model"),
        ({"return_nodes": [""]}, "is not present"),
    ],
)
def test_nodes_that_are_not_there(kwargs, message):
    with pytest.raises(ValueError, match=message):
        create_feature_extractor(models.resnet18(), **kwargs)


def test_a_node_that_is_not_used():
    inner = create_feature_extractor(models.resnet18(), ["fc_1"])
    with pytest.raises(ValueError, match="was not used"):
        inner(rl.zeros(2, 3, 32, 32))


def test_intermediate_layers():
    net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    inner = models._utils.IntermediateLayerGetter(net, {"1": "hidden"})
    assert list(inner) == ["0", "1"]
    assert list(inner(rl.zeros(4, 2))) == ["hidden"]
    with pytest.raises(ValueError, match="not present in model"):
        models._utils.IntermediateLayerGetter(net, {"9": "hidden"})


def files(monkeypatch, theirs):
    """Weights come from memory; the URLs that were asked for."""
    asked = []

    def load(url, *args, **kwargs):
        asked.append((url, kwargs))
        file = io.BytesIO()
        torch.save(theirs.state_dict(), file)
        file.seek(0)
        return rl.load(file)

    monkeypatch.setattr(rl.hub, "load_state_dict_from_url", load)
    return asked


def warned(call):
    with pytest.warns(UserWarning) as caught:
        result = call()
    return result, [str(one.message) for one in caught if "since 0.13" in str(one.message)]


OLD = [
    ((), {"pretrained": True}),
    ((), {"pretrained": False}),
    ((True,), {}),
    ((False, True), {}),
    ((), {"weights": True}),
]


@pytest.mark.parametrize("args, kwargs", OLD, ids=str)
def test_old_arguments_warn_in_the_same_words(monkeypatch, args, kwargs):
    theirs = torchvision.models.squeezenet1_1()
    monkeypatch.setattr(
        torchvision.models.WeightsEnum, "get_state_dict", lambda *_, **__: theirs.state_dict()
    )
    asked = files(monkeypatch, theirs)
    _, wanted = warned(lambda: torchvision.models.squeezenet1_1(*args, **kwargs))
    model, got = warned(lambda: models.squeezenet1_1(*args, **kwargs))
    assert got == wanted
    loaded = True in args[:1] or True in kwargs.values()
    assert len(asked) == loaded
    if loaded:
        assert asked[0][0] == models.SqueezeNet1_1_Weights.IMAGENET1K_V1.url
        assert asked[0][1] == {"progress": True, "check_hash": True}
        weight = model.features[0].weight.detach().numpy()
        np.testing.assert_array_equal(weight, theirs.features[0].weight.detach().numpy())


def test_weights_by_name_and_what_they_fix(monkeypatch):
    asked = files(monkeypatch, torchvision.models.squeezenet1_1())
    models.get_model("SqueezeNet1_1", weights="DEFAULT")
    models.get_model("squeezenet1_1", weights="SqueezeNet1_1_Weights.IMAGENET1K_V1")
    assert len(asked) == 2
    with pytest.raises(ValueError, match="'num_classes' expected value 1000 but got 5"):
        models.squeezenet1_1(weights="DEFAULT", num_classes=5)
    with pytest.raises(KeyError, match="NONE"):
        models.squeezenet1_1(weights="NONE")
    with pytest.raises(TypeError, match="expected SqueezeNet1_1_Weights but received"):
        models.squeezenet1_1(weights=models.AlexNet_Weights.DEFAULT)
    with pytest.raises(ValueError, match="Unknown model resnet17"):
        models.get_model("resnet17")
    with pytest.raises(ValueError, match="No weights available for model vit_h_14"):
        models.vit_h_14(pretrained=True)


def test_old_names_in_files_of_densenet(monkeypatch):
    theirs = torchvision.models.DenseNet(8, (2, 1, 1, 1), 16)
    state = {}
    for key, value in theirs.state_dict().items():
        for kind in ("norm", "relu", "conv"):
            key = key.replace(f".{kind}1.", f".{kind}.1.").replace(f".{kind}2.", f".{kind}.2.")
        state[key] = value
    renamed = models.densenet.published.rename(state)
    assert set(renamed) == set(theirs.state_dict())


@pytest.mark.parametrize("keep", [True, False])
def test_classifiers_half_way_of_published_weights(monkeypatch, keep):
    asked = files(monkeypatch, torchvision.models.GoogLeNet(init_weights=False))
    if keep:
        with pytest.warns(UserWarning, match="NOT pretrained"):
            model = models.googlenet(weights="DEFAULT", aux_logits=True)
    else:
        model = models.googlenet(weights="DEFAULT")
    assert asked and model.transform_input
    assert (model.aux1 is not None) == (model.aux2 is not None) == model.aux_logits == keep


def test_models_by_name():
    assert "resnet18" in models.list_models()
    assert models.list_models(models.segmentation, include="fcn*") == [
        "fcn_resnet101",
        "fcn_resnet50",
    ]
    assert models.list_models(models, include=["vgg1*", "alex*"], exclude="*_bn") == [
        "alexnet", "vgg11", "vgg13", "vgg16", "vgg19",
    ]  # fmt: skip
    assert models.get_model_weights(models.resnet18) is models.ResNet18_Weights
    assert models.get_model_builder("RESNET18") is models.resnet18
    assert models.get_weight("DeepLabV3_ResNet50_Weights.DEFAULT").url.startswith("https://")
    with pytest.raises(ValueError, match="Invalid weight name provided: 'ResNet18'"):
        models.get_weight("ResNet18")
    with pytest.raises(ValueError, match="couldn't be retrieved"):
        models.get_weight("ResNet17_Weights.DEFAULT")
    with pytest.raises(ValueError, match="already registered"):
        models.register_model("resnet18")(lambda: None)


@pytest.fixture
def served(tmp_path):
    """A folder, and the address at which its files are."""
    handler = functools.partial(QuietHandler, directory=str(tmp_path))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield tmp_path, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.mark.parametrize("damaged", [False, True])
def test_weights_are_fetched_and_checked(monkeypatch, served, damaged):
    folder, address = served
    theirs = torchvision.models.squeezenet1_1()
    torch.save(theirs.state_dict(), folder / "weights.pth")
    digits = hashlib.sha256((folder / "weights.pth").read_bytes()).hexdigest()[:8]
    name = f"squeezenet-{'00000000' if damaged else digits}.pth"
    (folder / "weights.pth").rename(folder / name)
    monkeypatch.setattr(models.SqueezeNet1_1_Weights.DEFAULT.value, "url", f"{address}/{name}")
    before = rl.hub.get_dir()
    rl.hub.set_dir(str(folder / "hub"))
    try:
        if damaged:
            with pytest.raises(RuntimeError):
                models.squeezenet1_1(weights="DEFAULT", progress=False)
            return
        model = models.squeezenet1_1(weights="DEFAULT", progress=False)
    finally:
        rl.hub.set_dir(before)
    wanted = theirs.features[0].weight.detach().numpy()
    np.testing.assert_array_equal(model.features[0].weight.detach().numpy(), wanted)
