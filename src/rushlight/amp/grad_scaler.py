"""GradScaler: losses scaled so that small gradients of half types do not vanish."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from enum import Enum
from typing import Any

import rushlight as rl
from rushlight.tensor.tensor import Tensor

_FIX = (
    "  This may indicate your script did not use scaler.scale(loss or outputs) earlier in the"
    " iteration."
)


class OptState(Enum):
    """How far an optimizer has come since the last ``update``."""

    READY = 0
    UNSCALED = 1
    STEPPED = 2


class _Progress:
    """One optimizer since the last ``update``.

    Attributes:
        found: 1 if a gradient was infinite or NaN, else 0; None before anybody looked.
    """

    def __init__(self) -> None:
        self.stage = OptState.READY
        self.found: Tensor | None = None


class GradScaler:
    """Multiplies losses by a scale, divides gradients by it, and finds a good scale on the way.

    A step with an infinite or NaN gradient is left out, and ``update`` makes the scale smaller;
    after ``growth_interval`` good ones in a row it makes it larger.

    Args:
        device: where the gradients are; ``"cuda"`` (the default, as in PyTorch) turns scaling off
            with a warning, since there is no such device.
        init_scale: the first scale.
        growth_factor: what a larger scale is multiplied by; more than 1.
        backoff_factor: what a smaller scale is multiplied by; less than 1.
        growth_interval: how many good steps in a row make it larger.
        enabled: when False, ``scale`` returns what it is given and ``step`` only steps.
    Raises:
        AssertionError: a factor is on the wrong side of 1.
    Reference:
        Micikevicius et al. 2018, "Mixed Precision Training", section 3.2, arXiv:1710.03740.
    Example:
        >>> import rushlight as rl
        >>> weight = rl.nn.Parameter(rl.tensor([1.0]))
        >>> optimizer = rl.optim.SGD([weight], lr=0.1)
        >>> scaler = rl.amp.GradScaler("cpu", init_scale=8.0)
        >>> scaler.scale((2 * weight).sum()).backward()
        >>> weight.grad
        tensor([16.])
        >>> scaler.step(optimizer)
        >>> scaler.update()
        >>> weight
        Parameter containing:
        tensor([0.8000], requires_grad=True)
    """

    def __init__(
        self, device: str = "cuda", init_scale: float = 2.0**16, growth_factor: float = 2.0,
        backoff_factor: float = 0.5, growth_interval: int = 2000, enabled: bool = True,
    ) -> None:  # fmt: skip
        self._device = device
        self._enabled = enabled and device != "cuda"
        if enabled and not self._enabled:
            warnings.warn(
                "torch.cuda.amp.GradScaler is enabled, but CUDA is not available.  Disabling.",
                stacklevel=2,
            )
        if self._enabled and growth_factor <= 1.0:
            raise AssertionError("The growth factor must be > 1.0.")
        if self._enabled and backoff_factor >= 1.0:
            raise AssertionError("The backoff factor must be < 1.0.")
        self._init_scale = init_scale
        self._growth_factor = growth_factor
        self._backoff_factor = backoff_factor
        self._growth_interval = growth_interval
        self._init_growth_tracker = 0
        self._scale: Tensor | None = None
        self._growth_tracker: Tensor | None = None
        self._optimizers: dict[int, _Progress] = {}

    # One step of training --------------------------------------------------------------------

    def scale(self, outputs: Any) -> Any:
        """Tensors, one or in an iterable of iterables, times the scale.

        Raises:
            ValueError: there is something else among them.
        """
        if not self._enabled:
            return outputs
        if isinstance(outputs, Tensor):
            return outputs * self._begun()
        if isinstance(outputs, Iterable):
            scaled = map(self.scale, outputs)
            return type(outputs)(scaled) if isinstance(outputs, (list, tuple)) else scaled  # type: ignore[call-arg]
        raise ValueError("outputs must be a Tensor or an iterable of Tensors")

    def unscale_(self, optimizer: Any) -> None:
        """Divides the gradients of an optimizer's parameters by the scale, as ``step`` else would.

        Raises:
            RuntimeError: that was done since the last ``update``.
            ValueError: a gradient is float16.
            AssertionError: nothing has been scaled yet.
        """
        if not self._enabled:
            return
        scale, _ = self._present("unscale_")
        progress = self._progress(optimizer)
        if progress.stage is OptState.UNSCALED:
            raise RuntimeError(
                "unscale_() has already been called on this optimizer since the last update()."
            )
        if progress.stage is OptState.STEPPED:
            raise RuntimeError("unscale_() is being called after step().")
        inverse = scale.double().reciprocal().float()
        progress.found = _unscaled(optimizer, inverse)
        progress.stage = OptState.UNSCALED

    def step(self, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
        """Takes the optimizer's step, unless a gradient is infinite or NaN.

        Returns:
            What ``optimizer.step(*args, **kwargs)`` returns; None if it was left out.
        Raises:
            RuntimeError: there is a closure, or the step was taken since the last ``update``.
            AssertionError: nothing has been scaled, or no parameter has a gradient.
        """
        if not self._enabled:
            return optimizer.step(*args, **kwargs)
        if "closure" in kwargs:
            raise RuntimeError("Closure use is not currently supported if GradScaler is enabled.")
        self._present("step")
        progress = self._progress(optimizer)
        if progress.stage is OptState.STEPPED:
            raise RuntimeError("step() has already been called since the last update().")
        if progress.stage is OptState.READY:
            self.unscale_(optimizer)
        if progress.found is None:
            raise AssertionError("No inf checks were recorded for this optimizer.")
        result = None if progress.found.item() else optimizer.step(*args, **kwargs)
        progress.stage = OptState.STEPPED
        return result

    def update(self, new_scale: float | Tensor | None = None) -> None:
        """Finds the scale of the next step.

        Args:
            new_scale: that scale itself, a float or a tensor of one element.
        Raises:
            AssertionError: nothing was scaled or no gradient looked at, or ``new_scale`` is not
                such a tensor.
        """
        if not self._enabled:
            return
        scale, tracker = self._present("update")
        if new_scale is None:
            found = [each.found for each in self._optimizers.values() if each.found is not None]
            if not found:
                raise AssertionError("No inf checks were recorded prior to update.")
            self._follow(scale, tracker, any(each.item() for each in found))
        elif isinstance(new_scale, float):
            scale.fill_(new_scale)
        else:
            self._check_scale(new_scale)
            scale.copy_(new_scale)
        self._optimizers = {}

    def _follow(self, scale: Tensor, tracker: Tensor, bad: bool) -> None:
        """Makes the scale smaller or, when it is time, larger: in float64, then rounded."""
        good = 0 if bad else int(tracker.item()) + 1
        if bad:
            scale.fill_(scale.item() * self._backoff_factor)
        elif good == self._growth_interval:
            grown = rl.tensor(scale.item() * self._growth_factor, dtype=rl.float32)
            if grown.isfinite().item():
                scale.copy_(grown)
            good = 0
        tracker.fill_(good)

    def _check_scale(self, new_scale: Tensor) -> None:
        fits = new_scale.device.type == self._device and new_scale.numel() == 1
        if not fits or new_scale.requires_grad:
            raise AssertionError(
                "new_scale should be a float or a 1-element torch.cuda.FloatTensor or"
                " torch.FloatTensor with requires_grad=False."
            )

    def _begun(self) -> Tensor:
        if self._scale is None:
            self._scale = rl.full((), float(self._init_scale), dtype=rl.float32)
            self._growth_tracker = rl.full((), self._init_growth_tracker, dtype=rl.int32)
        return self._scale

    def _present(self, function: str) -> tuple[Tensor, Tensor]:
        for name in ("_scale", "_growth_tracker"):
            if getattr(self, name) is None:
                raise AssertionError(f"Attempted {function} but {name} is None.{_FIX}")
        assert self._scale is not None and self._growth_tracker is not None
        return self._scale, self._growth_tracker

    def _progress(self, optimizer: Any) -> _Progress:
        return self._optimizers.setdefault(id(optimizer), _Progress())

    # What is set, and keeping it -------------------------------------------------------------

    def get_scale(self) -> float:
        """The scale; 1 when nothing is scaled."""
        if not self._enabled:
            return 1.0
        return self._init_scale if self._scale is None else float(self._scale.item())

    def get_growth_factor(self) -> float:
        """What a larger scale is multiplied by."""
        return self._growth_factor

    def set_growth_factor(self, new_factor: float) -> None:
        """Sets what a larger scale is multiplied by."""
        self._growth_factor = new_factor

    def get_backoff_factor(self) -> float:
        """What a smaller scale is multiplied by."""
        return self._backoff_factor

    def set_backoff_factor(self, new_factor: float) -> None:
        """Sets what a smaller scale is multiplied by."""
        self._backoff_factor = new_factor

    def get_growth_interval(self) -> int:
        """How many good steps in a row make the scale larger."""
        return self._growth_interval

    def set_growth_interval(self, new_interval: int) -> None:
        """Sets how many good steps in a row make the scale larger."""
        self._growth_interval = new_interval

    def _get_growth_tracker(self) -> int:
        if not self._enabled:
            return 0
        tracker = self._growth_tracker
        return self._init_growth_tracker if tracker is None else int(tracker.item())

    def is_enabled(self) -> bool:
        """Whether losses are scaled."""
        return self._enabled

    def state_dict(self) -> dict[str, Any]:
        """Scale, factors, interval and the number of good steps in a row; nothing when disabled."""
        if not self._enabled:
            return {}
        return {
            "scale": self.get_scale(),
            "growth_factor": self._growth_factor,
            "backoff_factor": self._backoff_factor,
            "growth_interval": self._growth_interval,
            "_growth_tracker": self._get_growth_tracker(),
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Goes on from what :meth:`state_dict` gave.

        Raises:
            RuntimeError: it is empty, being of a scaler that was disabled.
        """
        if not self._enabled:
            return
        if not state_dict:
            raise RuntimeError(
                "The source state dict is empty, possibly because it was saved from a disabled"
                " instance of GradScaler."
            )
        self._init_scale = state_dict["scale"]
        self._growth_factor = state_dict["growth_factor"]
        self._backoff_factor = state_dict["backoff_factor"]
        self._growth_interval = state_dict["growth_interval"]
        self._init_growth_tracker = state_dict["_growth_tracker"]
        self._scale = self._growth_tracker = None

    def __getstate__(self) -> dict[str, Any]:
        if self._optimizers:
            raise AssertionError(
                "A GradScaler instance may only be pickled at the beginning of an iteration, or at"
                " the end after scaler.update()."
            )
        now = {"_init_scale": self.get_scale(), "_init_growth_tracker": self._get_growth_tracker()}
        kept = now if self._enabled else {}
        return {**self.__dict__, **kept, "_scale": None, "_growth_tracker": None}


def _unscaled(optimizer: Any, inverse: Tensor) -> Tensor | None:
    """Multiplies all gradients; tells whether one was not finite, None if there are none."""
    found: Tensor | None = None
    with rl.no_grad():
        for group in optimizer.param_groups:
            for parameter in group["params"]:
                grad = parameter.grad
                if grad is None:
                    continue
                if grad.dtype is rl.float16:
                    raise ValueError("Attempting to unscale FP16 gradients.")
                bad = grad.isfinite().logical_not().any()
                found = bad if found is None else found.logical_or(bad)
                grad.mul_(inverse)
    return None if found is None else found.float()
