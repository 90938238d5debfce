"""Images resampled, read through a grid and cut in windows, beside PyTorch's."""

from __future__ import annotations

import itertools
import warnings

import numpy as np
import pytest
import torch

import rushlight as rl

F, G = rl.nn.functional, torch.nn.functional


def both(*shape, dtype=np.float32, low=-1.0, high=1.0, seed=0):
    values = np.random.default_rng(seed).uniform(low, high, shape).astype(dtype)
    return rl.tensor(values), torch.from_numpy(values)


def alike(ours, theirs, rtol=2e-5, atol=2e-6):
    assert tuple(ours.shape) == tuple(theirs.shape)
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=rtol, atol=atol)


@pytest.mark.parametrize("mode", ["nearest", "nearest-exact", "linear"])
def test_every_pair_of_sizes(mode):
    for inputs, outputs in itertools.product((1, 2, 3, 5, 8, 17), (1, 2, 3, 7, 10, 24)):
        x, y = both(1, 1, inputs, seed=inputs)
        alike(F.interpolate(x, outputs, mode=mode), G.interpolate(y, outputs, mode=mode))


@pytest.mark.parametrize("mode", ["nearest", "nearest-exact", "linear"])
@pytest.mark.parametrize("scale", [0.3, 0.5, 1 / 3, 1.0, 1.1, 2.0, 2.6, 7.0])
def test_every_scale(mode, scale):
    for inputs in (4, 7, 31):
        x, y = both(1, 1, inputs, seed=inputs)
        alike(
            F.interpolate(x, scale_factor=scale, mode=mode),
            G.interpolate(y, scale_factor=scale, mode=mode),
        )


@pytest.mark.parametrize("mode", ["bilinear", "bicubic", "lanczos"])
@pytest.mark.parametrize("size", [(3, 5), (4, 30), (16, 2), (9, 11)])
def test_antialiasing(mode, size):
    x, y = both(2, 1, 9, 11)
    for corners in (False, True) if mode != "lanczos" else (False,):
        keywords = {"size": size, "mode": mode, "antialias": True, "align_corners": corners}
        alike(F.interpolate(x, **keywords), G.interpolate(y, **keywords), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("channels", [3, 5])
@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
@pytest.mark.parametrize("corners", [False, True])
@pytest.mark.parametrize("antialias", [False, True])
def test_bytes_are_pytorchs_to_the_last(channels, mode, corners, antialias):
    x, y = both(2, channels, 11, 13, dtype=np.uint8, low=0, high=256)
    for size in ((7, 9), (20, 23), (11, 13), (5, 30), (2, 3)):
        keywords = {"mode": mode, "align_corners": corners, "antialias": antialias}
        ours, theirs = F.interpolate(x, size, **keywords), G.interpolate(y, size, **keywords)
        np.testing.assert_array_equal(ours.numpy(), theirs.numpy())


def test_nearest_takes_bytes_and_gives_new_memory():
    x = rl.arange(4).to(rl.uint8).reshape(1, 1, 2, 2)
    y = F.interpolate(x, scale_factor=2)
    assert y.dtype is rl.uint8 and y[0, 0, 3].tolist() == [2, 2, 3, 3]
    same = F.interpolate(x, 2)
    same.zero_()
    assert x.sum().item() == 6


def test_half_types_are_interpolated_in_single_precision():
    x, y = both(1, 2, 5, 5)
    for size in ((3, 8), (10, 10)):
        ours = F.interpolate(x.bfloat16(), size, mode="bilinear").float()
        theirs = G.interpolate(y.bfloat16(), size, mode="bilinear").float()
        alike(ours, theirs, rtol=1e-2, atol=1e-2)


@pytest.mark.parametrize("mode", ["bilinear", "nearest", "bicubic"])
@pytest.mark.parametrize("padding", ["zeros", "border", "reflection"])
def test_places_that_are_no_numbers_or_far_outside(mode, padding):
    places = [np.nan, np.inf, -np.inf, 1e9, -1e9, 5.0, -1.0, 1.0]
    grid = np.array([[x, 0.25] for x in places], np.float32).reshape(1, 1, -1, 2)
    x, y = both(1, 1, 3, 4)
    ours = F.grid_sample(x, rl.tensor(grid), mode, padding, False).numpy()
    theirs = G.grid_sample(y, torch.from_numpy(grid), mode, padding, False).numpy()
    kept = slice(5, None) if mode == "bicubic" else slice(3, None)  # those PyTorch says anything of
    np.testing.assert_allclose(ours[..., kept], theirs[..., kept], rtol=1e-5, atol=1e-5)


def test_what_lies_outside_does_not_leak_in():
    x = rl.full((1, 1, 2, 2), float("inf"))
    grid = rl.full((1, 1, 1, 2), 4.0)
    assert F.grid_sample(x, grid, align_corners=False).item() == 0


def test_a_missing_choice_of_corners_is_warned_of_at_the_users_line():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        F.grid_sample(rl.ones(1, 1, 2, 2), rl.zeros(1, 1, 1, 2))
        F.affine_grid(rl.zeros(1, 2, 3), (1, 1, 2, 2))
        F.upsample_nearest(rl.ones(1, 1, 2, 2), 4)
    assert len(caught) == 3
    assert all(warning.filename == __file__ for warning in caught)


def test_fold_undoes_unfold():
    x, _ = both(2, 3, 7, 6)
    windows = F.unfold(x, (3, 2), (2, 1), (1, 0), (2, 1))
    ones = F.unfold(rl.ones_like(x), (3, 2), (2, 1), (1, 0), (2, 1))
    times = F.fold(ones, (7, 6), (3, 2), (2, 1), (1, 0), (2, 1))
    back = F.fold(windows, (7, 6), (3, 2), (2, 1), (1, 0), (2, 1))
    np.testing.assert_allclose(back.numpy(), (x * times).numpy(), rtol=1e-6)


def test_a_grid_of_nearest_elements_has_zeros_for_a_gradient():
    x, grid = rl.rand(1, 1, 3, 3), rl.zeros(1, 2, 2, 2, requires_grad=True)
    F.grid_sample(x, grid, "nearest", align_corners=False).sum().backward()
    assert grid.grad.abs().sum().item() == 0


def test_a_batch_of_images_is_resampled_at_once():
    x = rl.rand(5, 1, 2, 4, 4)

    def enlarged(image):
        return F.interpolate(image, scale_factor=1.5, mode="bilinear")

    y = rl.func.vmap(enlarged)(x)
    names = str(rl.show(y))
    assert names.count("resample ") == 2 and "stack" not in names
    np.testing.assert_array_equal(y.numpy(), enlarged(x.view(5, 2, 4, 4)).view(y.shape).numpy())
