"""Training a part of a network first, and the rest of it later."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

import rushlight as rl
from rushlight import nn, optim

from ..notes import MisconfigurationException, note, warn
from .callback import Callback

if TYPE_CHECKING:
    from ..module import LightningModule
    from ..trainer import Trainer

Modules = nn.Module | Iterable[Any]
NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)


def multiplicative(epoch: int) -> float:
    """Twice the rate, each epoch."""
    return 2.0


class BaseFinetuning(Callback):
    """The base of callbacks that freeze and unfreeze parts of a model.

    Override :meth:`freeze_before_training` and :meth:`finetune_function`.
    """

    def __init__(self) -> None:
        self._internal_optimizer_metadata: dict[int, list[dict[str, Any]]] = {}
        self._restarting = False

    def freeze_before_training(self, pl_module: LightningModule) -> None:
        """Freezes what is not to be trained at first."""
        raise NotImplementedError

    def finetune_function(
        self, pl_module: LightningModule, epoch: int, optimizer: optim.Optimizer
    ) -> None:
        """Called when an epoch begins: unfreezes what is to be trained from here on."""
        raise NotImplementedError

    # What to call in them.

    @staticmethod
    def flatten_modules(modules: Modules) -> list[nn.Module]:
        """All modules in ``modules`` that have parameters of their own, or no parts."""
        if isinstance(modules, nn.ModuleDict):
            modules = modules.values()
        if isinstance(modules, Iterable):
            parts = [one for part in modules for one in BaseFinetuning.flatten_modules(part)]
        else:
            parts = list(modules.modules())
        return [one for one in parts if not list(one.children()) or one._parameters]

    @staticmethod
    def filter_params(
        modules: Modules, train_bn: bool = True, requires_grad: bool = True
    ) -> Iterator[rl.Tensor]:
        """The parameters that take gradients, or those that do not."""
        for part in BaseFinetuning.flatten_modules(modules):
            if isinstance(part, NORMS) and not train_bn:
                continue
            for parameter in part.parameters(recurse=False):
                if parameter.requires_grad == requires_grad:
                    yield parameter

    @staticmethod
    def make_trainable(modules: Modules) -> None:
        """Unfreezes parameters."""
        for part in BaseFinetuning.flatten_modules(modules):
            if isinstance(part, NORMS):
                part.track_running_stats = True
            for parameter in part.parameters(recurse=False):
                parameter.requires_grad = True

    @staticmethod
    def freeze_module(module: nn.Module) -> None:
        """Freezes the parameters of one module."""
        if isinstance(module, NORMS):
            module.track_running_stats = False
        for parameter in module.parameters(recurse=False):
            parameter.requires_grad = False

    @staticmethod
    def freeze(modules: Modules, train_bn: bool = True) -> None:
        """Freezes parameters; batch norms stay trainable unless ``train_bn`` is False."""
        for part in BaseFinetuning.flatten_modules(modules):
            if isinstance(part, NORMS) and train_bn:
                BaseFinetuning.make_trainable(part)
            else:
                BaseFinetuning.freeze_module(part)

    @staticmethod
    def filter_on_optimizer(
        optimizer: optim.Optimizer, params: Iterable[rl.Tensor]
    ) -> list[rl.Tensor]:
        """Those of ``params`` that the optimizer does not have."""
        has = {id(one) for group in optimizer.param_groups for one in group["params"]}
        given = list(params)
        new = [one for one in given if id(one) not in has]
        if len(new) < len(given):
            warn(
                "The provided params to be frozen already exist within another group of this"
                " optimizer. Those parameters will be skipped.\nHINT: Did you init your optimizer"
                f" in `configure_optimizer` as such:\n {type(optimizer)}(filter(lambda p:"
                " p.requires_grad, self.parameters()), ...) "
            )
        return new

    @staticmethod
    def unfreeze_and_add_param_group(
        modules: Modules,
        optimizer: optim.Optimizer,
        lr: float | None = None,
        initial_denom_lr: float = 10.0,
        train_bn: bool = True,
    ) -> None:
        """Unfreezes modules and gives them to the optimizer as a group of their own.

        Args:
            lr: its rate; by default the first group's divided by ``initial_denom_lr``.
        """
        BaseFinetuning.make_trainable(modules)
        rate = optimizer.param_groups[0]["lr"] / initial_denom_lr if lr is None else float(lr)
        params = BaseFinetuning.filter_params(modules, train_bn=train_bn, requires_grad=True)
        new = BaseFinetuning.filter_on_optimizer(optimizer, params)
        if new:
            optimizer.add_param_group({"params": new, "lr": rate})

    # When.

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        self.freeze_before_training(pl_module)

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """In a resumed run, makes the optimizers' groups as they were."""
        if not self._restarting:
            return
        self._restarting = False
        parameters = dict(pl_module.named_parameters())
        for index, groups in self._internal_optimizer_metadata.items():
            for group in groups:
                self._unfreeze(pl_module, group["params"])
            trainer.optimizers[index].param_groups = [
                {**group, "params": [parameters[name] for name in group["params"]]}
                for group in groups
            ]

    @staticmethod
    def _unfreeze(pl_module: LightningModule, names: list[str]) -> None:
        for name in names:
            owner = pl_module.get_submodule(name.rpartition(".")[0])
            if isinstance(owner, NORMS):
                owner.track_running_stats = True
            owner.get_parameter(name.rpartition(".")[2]).requires_grad = True

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        for index, optimizer in enumerate(trainer.optimizers):
            self.finetune_function(pl_module, trainer.current_epoch, optimizer)
            names = {id(one): name for name, one in pl_module.named_parameters()}
            self._internal_optimizer_metadata[index] = [
                {**group, "params": [names[id(one)] for one in group["params"]]}
                for group in optimizer.param_groups
            ]

    def state_dict(self) -> dict[str, Any]:
        return {"internal_optimizer_metadata": self._internal_optimizer_metadata}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._restarting = True
        self._internal_optimizer_metadata = state_dict["internal_optimizer_metadata"]


class BackboneFinetuning(BaseFinetuning):
    """Trains all but ``model.backbone`` first, then the backbone too, at a rate that grows.

    Args:
        unfreeze_backbone_at_epoch: when.
        lambda_func: by which factor its rate grows, from the epoch.
        backbone_initial_ratio_lr: its first rate, as a share of the first group's.
        backbone_initial_lr: its first rate, given outright.
        should_align: whether it stops growing at the first group's rate.
        initial_denom_lr: accepted; only used where no rate is given.
        train_bn: whether batch norms of the backbone are trained.
        verbose: whether to tell the rates.
        rounding: to how many digits.
    """

    def __init__(
        self,
        unfreeze_backbone_at_epoch: int = 10,
        lambda_func: Callable[[int], float] = multiplicative,
        backbone_initial_ratio_lr: float = 10e-2,
        backbone_initial_lr: float | None = None,
        should_align: bool = True,
        initial_denom_lr: float = 10.0,
        train_bn: bool = True,
        verbose: bool = False,
        rounding: int = 12,
    ) -> None:
        super().__init__()
        self.unfreeze_backbone_at_epoch = unfreeze_backbone_at_epoch
        self.lambda_func = lambda_func
        self.backbone_initial_ratio_lr = backbone_initial_ratio_lr
        self.backbone_initial_lr = backbone_initial_lr
        self.should_align, self.initial_denom_lr = should_align, initial_denom_lr
        self.train_bn, self.verbose, self.rounding = train_bn, verbose, rounding
        self.previous_backbone_lr: float | None = None

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if not isinstance(getattr(pl_module, "backbone", None), nn.Module):
            raise MisconfigurationException(
                "The LightningModule should have a nn.Module `backbone` attribute"
            )
        super().on_fit_start(trainer, pl_module)

    def freeze_before_training(self, pl_module: LightningModule) -> None:
        self.freeze(pl_module.backbone)

    def finetune_function(
        self, pl_module: LightningModule, epoch: int, optimizer: optim.Optimizer
    ) -> None:
        current = optimizer.param_groups[0]["lr"]
        if epoch < self.unfreeze_backbone_at_epoch:
            return
        if epoch == self.unfreeze_backbone_at_epoch:
            given = self.backbone_initial_lr
            rate = current * self.backbone_initial_ratio_lr if given is None else given
            self.unfreeze_and_add_param_group(
                pl_module.backbone,
                optimizer,
                rate,
                train_bn=self.train_bn,
                initial_denom_lr=self.initial_denom_lr,
            )
        else:
            assert self.previous_backbone_lr is not None
            rate = self.lambda_func(epoch + 1) * self.previous_backbone_lr
            if self.should_align and rate > current:
                rate = current
            optimizer.param_groups[-1]["lr"] = rate
        self.previous_backbone_lr = rate
        if self.verbose:
            note(
                f"Current lr: {round(current, self.rounding)}, Backbone lr:"
                f" {round(rate, self.rounding)}"
            )

    def state_dict(self) -> dict[str, Any]:
        return {**super().state_dict(), "previous_backbone_lr": self.previous_backbone_lr}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.previous_backbone_lr = state_dict["previous_backbone_lr"]
        super().load_state_dict(state_dict)
