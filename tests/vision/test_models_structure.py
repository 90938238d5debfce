"""Every builder: torchvision's parameters in torchvision's order, its text and its weights."""

import copy
import pickle

import pytest
from zoo import ours, skeleton

from peers import torchvision
from rushlight.vision import models


def names():
    return models.list_models()


def described(model):
    return [(key, tuple(v.shape), str(v.dtype)) for key, v in model.state_dict().items()]


@pytest.mark.parametrize("name", names())
def test_parameters_are_the_same(name):
    mine, theirs = ours(name), skeleton(name)
    assert described(mine) == described(theirs)
    assert repr(mine) == repr(theirs)
    trained = [(key, p.requires_grad) for key, p in theirs.named_parameters()]
    assert [(key, p.requires_grad) for key, p in mine.named_parameters()] == trained
    assert [key for key, _ in mine.named_modules()] == [key for key, _ in theirs.named_modules()]


def enums():
    return [torchvision.models.get_model_weights(name) for name in names()]


@pytest.mark.parametrize("theirs", enums(), ids=lambda enum: enum.__name__)
def test_weights_are_the_same(theirs):
    mine = models.get_weight(f"{theirs.__name__}.DEFAULT").__class__
    assert list(mine.__members__) == list(theirs.__members__)
    for key, value in theirs.__members__.items():
        assert mine[key].name == value.name
        assert mine[key].url == value.url
        said = {name: v for name, v in value.meta.items() if name != "_docs"}
        assert repr(sorted(mine[key].meta.items())) == repr(sorted(said.items()))
        assert pickle.loads(pickle.dumps(mine[key])) is mine[key]
        assert copy.deepcopy(mine[key]) is mine[key]


@pytest.mark.parametrize("theirs", enums(), ids=lambda enum: enum.__name__)
def test_transforms_are_the_same(theirs):
    pytest.importorskip("rushlight.vision.transforms.functional")
    mine = models.get_weight(f"{theirs.__name__}.DEFAULT").__class__
    for key, value in theirs.__members__.items():
        assert repr(mine[key].transforms()) == repr(value.transforms())
        assert mine[key].value == mine[key].value


# Named by torchvision, and not here: video, optical flow and quantised networks.
ABSENT = {"optical_flow", "quantization", "video"}


@pytest.mark.parametrize("package", ["", "segmentation", "detection"])
def test_every_public_name_is_here(package):
    theirs, mine = (m if not package else getattr(m, package) for m in (torchvision.models, models))
    names = {name for name in vars(theirs) if not name.startswith("_")}
    assert {name for name in names if not hasattr(mine, name)} <= ABSENT


def test_every_builder_is_here():
    elsewhere = ("mc3", "mvit", "r2plus1d", "r3d", "raft", "s3d", "swin3d", "quantized")
    theirs = [one for one in torchvision.models.list_models() if not one.startswith(elsewhere)]
    assert models.list_models() == theirs
