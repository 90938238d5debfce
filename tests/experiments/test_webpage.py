"""What the page of an exported experiment is given."""

from __future__ import annotations

import functools

import numpy as np

import rushlight as rl
from rushlight.experiments.classifier import Classifier
from rushlight.experiments.digits import Digits
from rushlight.experiments.networks import cnn, mlp
from rushlight.experiments.webpage import first_values, page_of
from rushlight.train.datasets import digits

ADAM = functools.partial(rl.optim.Adam, lr=1e-3)


def test_scans_of_some_classes_travel_with_labels_that_are_their_places() -> None:
    data = Digits(classes=[7, 2])
    page = page_of(Classifier(mlp(64, [8], 2), ADAM), data)
    about = page.about
    assert (page.kind, about["classes"], about["size"]) == ("digits", ["7", "2"], 8)
    count = about["train"]
    labels = np.frombuffer(page.data, np.uint8, count, 64 * count)
    images = np.frombuffer(page.data, np.uint8, 64 * count).reshape(count, 8, 8)
    right = digits().train
    assert set(labels.tolist()) == {0, 1} and images.max() == 16
    assert np.array_equal(images[labels == 0], right.images[right.labels == 7][:, 0])
    assert np.array_equal(images[labels == 1], right.images[right.labels == 2][:, 0])
    held = len(page.data) - 65 * count
    assert held == 65 * about["held"] and about["held"] > 50


def test_any_other_task_has_a_form() -> None:
    assert page_of(Classifier(mlp(64, [8], 2), ADAM), object()).kind == "form"


def test_first_values_are_drawn_again_and_leave_the_network_alone() -> None:
    rl.manual_seed(0)
    network = cnn([4, 6], 10)
    network(rl.randn(3, 1, 8, 8) + 5)  # moves the running means
    before = {name: tensor.numpy().copy() for name, tensor in network.state_dict().items()}
    fresh = first_values(network)
    assert list(fresh) == list(before)
    weight = "features.0.weight"
    assert not np.array_equal(fresh[weight], before[weight])
    assert abs(fresh[weight]).max() <= 1 / 3  # 1 / sqrt(fan_in)
    assert not fresh["features.1.running_mean"].any() and before["features.1.running_mean"].any()
    for name, tensor in network.state_dict().items():
        assert np.array_equal(tensor.numpy(), before[name])
