"""Networks of linear layers: a classifier, and one that solves a differential equation."""

from __future__ import annotations

from typing import Any

from ..work import RATE, Work, another, labels, normal, uniform
from .framework import F, nn, optim, torch
from .steps import training


def mlp(batch: int, inputs: int = 784, hidden: int = 128, classes: int = 10) -> Work:
    """A classifier with one hidden layer, and Adam."""
    model = nn.Sequential(nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, classes))

    def loss(x: Any, y: Any) -> Any:
        return F.cross_entropy(model(x), y)

    def data(count: int) -> tuple[Any, ...]:
        return normal(count, inputs), labels(classes, count)

    optimizer = optim.Adam(model.parameters(), lr=RATE)
    return training(model, optimizer, loss, data(batch), data(another(batch)))


def pinn(points: int, hidden: int = 32) -> Work:
    """Burgers' equation ``u_t + u u_x = 0.01 u_xx``, whose second derivative is in the loss.

    Reference:
        Raissi, Perdikaris & Karniadakis 2019, section 3.1.1, arXiv:1711.10561.
    """
    model = nn.Sequential(
        nn.Linear(2, hidden), nn.Tanh(), nn.Linear(hidden, hidden), nn.Tanh(), nn.Linear(hidden, 1)
    )

    def loss(x: Any, t: Any) -> Any:
        x, t = x.requires_grad_(), t.requires_grad_()
        u = model(torch.cat([x, t], dim=1))
        u_x, u_t = torch.autograd.grad(u.sum(), (x, t), create_graph=True)
        (u_xx,) = torch.autograd.grad(u_x.sum(), x, create_graph=True)
        return ((u_t + u * u_x - 0.01 * u_xx) ** 2).mean()

    def data(count: int) -> tuple[Any, ...]:
        both = uniform(count, 2)
        return both[:, :1].copy(), both[:, 1:].copy()

    optimizer = optim.Adam(model.parameters(), lr=RATE)
    return training(model, optimizer, loss, data(points), data(another(points)))
