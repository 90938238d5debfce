"""``distributions`` against PyTorch's: densities, moments, divergences, samples by statistics."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
import pytest
import torch

import rushlight as rl
import rushlight.distributions

SAMPLES = 20_000


def t(f: Any, values: Any) -> Any:
    return f.tensor(np.array(values, np.float32))


def square(f: Any) -> Any:
    return t(f, [[2.0, 0.5], [0.5, 1.0]])


MADE: dict[str, Callable[[Any, Any], Any]] = {
    "normal": lambda f, D: D.Normal(t(f, [0.0, 1.0]), t(f, [1.0, 2.0])),
    "laplace": lambda f, D: D.Laplace(t(f, [0.0, 1.0]), t(f, [1.0, 2.0])),
    "cauchy": lambda f, D: D.Cauchy(t(f, [0.0, 1.0]), t(f, [1.0, 2.0])),
    "gumbel": lambda f, D: D.Gumbel(t(f, [0.0, 1.0]), t(f, [1.0, 2.0])),
    "student": lambda f, D: D.StudentT(t(f, [1.5, 3.0, 0.7]), t(f, [0.0, 1.0, 2.0]), 2.0),
    "uniform": lambda f, D: D.Uniform(t(f, [0.25, 0.0]), t(f, [1.0, 3.0])),
    "uniform inside": lambda f, D: D.Uniform(t(f, [0.6, 0.5]), t(f, [0.75, 0.9])),
    "von mises": lambda f, D: D.VonMises(t(f, [0.0, 1.0]), t(f, [1.0, 20.0])),
    "exponential": lambda f, D: D.Exponential(t(f, [0.5, 2.0])),
    "gamma": lambda f, D: D.Gamma(t(f, [0.5, 2.0]), t(f, [1.0, 3.0])),
    "chi2": lambda f, D: D.Chi2(t(f, [1.0, 5.0])),
    "inverse gamma": lambda f, D: D.InverseGamma(t(f, [0.5, 3.0]), t(f, [1.0, 2.0])),
    "beta": lambda f, D: D.Beta(t(f, [0.5, 2.0]), t(f, [1.0, 3.0])),
    "dirichlet": lambda f, D: D.Dirichlet(t(f, [[0.5, 2.0, 3.0], [1.0, 1.0, 1.5]])),
    "fisher": lambda f, D: D.FisherSnedecor(t(f, [3.0, 5.0]), t(f, [5.0, 7.0])),
    "half normal": lambda f, D: D.HalfNormal(t(f, [0.5, 2.0])),
    "half cauchy": lambda f, D: D.HalfCauchy(t(f, [0.5, 2.0])),
    "weibull": lambda f, D: D.Weibull(t(f, [0.5, 2.0]), t(f, [1.5, 3.0])),
    "pareto": lambda f, D: D.Pareto(t(f, [0.5, 2.0]), t(f, [1.5, 3.0])),
    "kumaraswamy": lambda f, D: D.Kumaraswamy(t(f, [0.5, 2.0]), t(f, [1.5, 3.0])),
    "bernoulli": lambda f, D: D.Bernoulli(t(f, [0.3, 0.9])),
    "bernoulli by logits": lambda f, D: D.Bernoulli(logits=t(f, [0.3, -2.0])),
    "continuous bernoulli": lambda f, D: D.ContinuousBernoulli(t(f, [0.3, 0.5, 0.9])),
    "two continuous bernoulli": lambda f, D: D.ContinuousBernoulli(t(f, [0.3, 0.9])),
    "geometric": lambda f, D: D.Geometric(t(f, [0.3, 0.9])),
    "binomial": lambda f, D: D.Binomial(5, t(f, [0.3, 0.9])),
    "negative binomial": lambda f, D: D.NegativeBinomial(t(f, [3.0, 5.0]), t(f, [0.3, 0.6])),
    "poisson": lambda f, D: D.Poisson(t(f, [0.5, 4.0])),
    "categorical": lambda f, D: D.Categorical(t(f, [[1, 2, 3.0], [0.1, 0.1, 5]])),
    "categorical by logits": lambda f, D: D.Categorical(logits=t(f, [[1, 2, 3.0], [0, 0, 5]])),
    "one hot": lambda f, D: D.OneHotCategorical(t(f, [[1, 2, 3.0], [0.1, 0.1, 5]])),
    "straight through": lambda f, D: D.OneHotCategoricalStraightThrough(t(f, [1, 2, 3.0])),
    "multinomial": lambda f, D: D.Multinomial(4, t(f, [[1, 2, 3.0], [0.1, 0.1, 5]])),
    "log normal": lambda f, D: D.LogNormal(t(f, [0.0, 1.0]), t(f, [1.0, 0.5])),
    "logistic normal": lambda f, D: D.LogisticNormal(t(f, [0.0, 1.0]), t(f, [1.0, 0.5])),
    "relaxed bernoulli": lambda f, D: D.RelaxedBernoulli(t(f, 0.7), t(f, [0.3, 0.8])),
    "relaxed one hot": lambda f, D: D.RelaxedOneHotCategorical(t(f, 0.7), t(f, [0.3, 0.8, 0.4])),
    "independent": lambda f, D: D.Independent(D.Normal(t(f, [[0.0, 1.0]]), t(f, [[1.0, 2.0]])), 1),
    "vectors": lambda f, D: D.MultivariateNormal(t(f, [0.0, 1.0]), square(f)),
    "vectors by precision": lambda f, D: D.MultivariateNormal(
        t(f, [0.0, 1.0]), precision_matrix=square(f)
    ),
    "vectors by factor": lambda f, D: D.MultivariateNormal(
        t(f, [[0.0, 1.0], [2, 3]]), scale_tril=t(f, [[2.0, 0], [0.5, 1.0]])
    ),
    "low rank": lambda f, D: D.LowRankMultivariateNormal(
        t(f, [0.0, 1.0, 2.0]), t(f, [[2.0], [0.5], [-1.0]]), t(f, [0.5, 1.0, 2.0])
    ),
    "low rank batch": lambda f, D: D.LowRankMultivariateNormal(
        t(f, [[0.0, 1.0], [2, 3]]), t(f, [[2.0, 0.3], [0.5, 1.0]]), t(f, [0.5, 1.0])
    ),
    "generalized pareto": lambda f, D: D.GeneralizedPareto(
        t(f, [0.5, 1.0, 0.0, 2.0]), t(f, [1.0, 2.0, 0.5, 1.0]), t(f, [0.1, -0.5, 0.0, -1.0])
    ),
    "heavy generalized pareto": lambda f, D: D.GeneralizedPareto(0.0, 1.0, t(f, [0.4, 1.5])),
    "wishart": lambda f, D: D.Wishart(t(f, [3.0, 4.5]), covariance_matrix=square(f)),
    "wishart by factor": lambda f, D: D.Wishart(4.0, scale_tril=t(f, [[2.0, 0], [0.5, 1.0]])),
    "wishart by precision": lambda f, D: D.Wishart(t(f, 2.5), precision_matrix=square(f)),
    "correlations": lambda f, D: D.LKJCholesky(3, t(f, [0.5, 1.0, 4.0])),
    "two correlations": lambda f, D: D.LKJCholesky(2, 1.5),
    "mixture": lambda f, D: D.MixtureSameFamily(
        D.Categorical(t(f, [1.0, 2.0])), D.Normal(t(f, [0.0, 3.0]), t(f, [1.0, 0.5]))
    ),
    "mixture of vectors": lambda f, D: D.MixtureSameFamily(
        D.Categorical(t(f, [1.0, 2.0])),
        D.Independent(D.Normal(t(f, [[0.0, 3.0], [1, 2]]), t(f, [[1.0, 0.5], [1, 1]])), 1),
    ),
    "transformed": lambda f, D: D.TransformedDistribution(
        D.Normal(t(f, [0.0, 1.0]), t(f, [1.0, 2.0])),
        [D.AffineTransform(1.0, 2.0), D.SigmoidTransform()],
    ),
    "logistic": lambda f, D: D.TransformedDistribution(
        D.Uniform(t(f, 0.0), t(f, 1.0)),
        [D.SigmoidTransform().inv, D.AffineTransform(t(f, [1.0, 2]), t(f, [2.0, -1.0]))],
    ),
}
# PyTorch's mode of Kumaraswamy is NaN wherever the second concentration is above 1.
ODD = {("kumaraswamy", "mode")}
# Their means or variances do not exist, or converge slowly.
WILD = {
    "heavy generalized pareto",
    "cauchy",
    "half cauchy",
    "student",
    "fisher",
    "pareto",
    "inverse gamma",
}


def found(name: str, f: Any) -> Any:
    return MADE[name](f, f.distributions)


def outcome(call: Callable[[], Any]) -> Any:
    """A tensor's values, or the kind of refusal."""
    try:
        return call().detach().numpy()
    except (NotImplementedError, ValueError, AttributeError) as fault:
        return NotImplementedError if isinstance(fault, NotImplementedError) else type(fault)


def agree(ours: Callable[[], Any], theirs: Callable[[], Any]) -> None:
    a, b = outcome(ours), outcome(theirs)
    if isinstance(b, type):
        assert a is b
        return
    assert not isinstance(a, type), a
    assert a.shape == b.shape
    np.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-5)  # lgamma's float32 in both


@pytest.mark.parametrize("name", MADE)
def test_moments_and_entropy(name: str) -> None:
    p, q = found(name, rl), found(name, torch)
    assert tuple(p.batch_shape) == tuple(q.batch_shape)
    assert tuple(p.event_shape) == tuple(q.event_shape)
    assert p.has_rsample == q.has_rsample
    assert p.has_enumerate_support == q.has_enumerate_support
    for each in ("mean", "mode", "variance", "stddev"):
        if (name, each) not in ODD:
            agree(lambda each=each: getattr(p, each), lambda each=each: getattr(q, each))
    agree(p.entropy, q.entropy)
    agree(p.enumerate_support, q.enumerate_support)


@pytest.mark.parametrize("name", MADE)
def test_densities(name: str) -> None:
    p, q = found(name, rl), found(name, torch)
    torch.manual_seed(0)
    x = q.sample((3,))
    own = rl.tensor(x.numpy())
    agree(lambda: p.log_prob(own), lambda: q.log_prob(x))
    agree(lambda: p.cdf(own), lambda: q.cdf(x))
    share = torch.rand(3, *q.batch_shape)
    agree(lambda: p.icdf(rl.tensor(share.numpy())), lambda: q.icdf(share))
    wide, theirs = p.expand((4, *p.batch_shape)), q.expand((4, *q.batch_shape))
    one = x[:1].expand(4, *x.shape[1:])
    agree(lambda: wide.log_prob(rl.tensor(one.numpy())), lambda: theirs.log_prob(one))


@pytest.mark.parametrize("name", MADE)
def test_samples_have_the_moments(name: str) -> None:
    p, q = found(name, rl), found(name, torch)
    rl.manual_seed(0)
    torch.manual_seed(0)
    x, y = p.sample((SAMPLES,)), q.sample((SAMPLES,))
    assert tuple(x.shape) == tuple(y.shape)
    assert bool(p.support.check(x).all())
    if name in WILD:
        middle, spread = (y.quantile(share, 0).numpy() for share in (0.5, 0.75))
        # The median of n samples is off by about a distance of quartiles over sqrt(n).
        assert bool(x.isfinite().all())
        np.testing.assert_allclose(
            np.median(x.numpy(), 0), middle, atol=10 * (spread - middle).max() / SAMPLES**0.5
        )
        return
    x, y = x.double().numpy(), y.double().numpy()
    error = y.std(0) / SAMPLES**0.5
    assert (np.abs(x.mean(0) - y.mean(0)) < 8 * error + 1e-9).all()
    np.testing.assert_allclose(x.std(0), y.std(0), rtol=0.1, atol=0.03)


@pytest.mark.parametrize(
    "name", [name for name in MADE if found(name, torch).has_rsample and name != "straight through"]
)
def test_gradients_flow_through_samples(name: str) -> None:
    p = found(name, rl)
    inner = p
    while hasattr(inner, "base_dist"):
        inner = inner.base_dist
    for holder in (inner, getattr(inner, "_dirichlet", inner), getattr(inner, "_bernoulli", inner),
                   getattr(inner, "_categorical", inner)):  # fmt: skip
        parameters = [x for x in holder.__dict__.values() if isinstance(x, rl.Tensor)]
        for x in parameters:
            x.requires_grad_()
        if parameters:
            break
    if name.startswith(("vectors", "wishart")) or name in ("chi2", "continuous bernoulli"):
        return  # made of what was given before gradients were asked for
    p.rsample((3,)).sum().backward()
    grads = [x.grad for x in parameters if x.grad is not None]
    assert grads and all(bool(g.isfinite().all()) for g in grads)


def test_the_gradient_of_gamma_variates_is_pytorchs() -> None:
    a = np.repeat(np.array([0.05, 0.3, 1.0, 5.0, 50.0, 3000.0], np.float32), 200)
    rl.manual_seed(1)
    concentration = rl.tensor(a, requires_grad=True)
    drawn = rl._standard_gamma(concentration)
    drawn.sum().backward()
    expected = torch._standard_gamma_grad(torch.tensor(a), torch.tensor(drawn.detach().numpy()))
    # PyTorch's are rational approximations, good to some thousandths.
    np.testing.assert_allclose(concentration.grad.numpy(), expected.numpy(), rtol=5e-3, atol=1e-6)


PAIRS = [
    "normal", "laplace", "cauchy", "gumbel", "uniform", "uniform inside", "exponential", "gamma",
    "beta", "dirichlet", "half normal", "pareto", "bernoulli", "geometric", "binomial", "poisson",
    "categorical", "one hot", "vectors", "independent", "log normal",
    "low rank batch", "two continuous bernoulli",
]  # fmt: skip


# PyTorch's are infinite where the uniform one ends just where the other does.
TOUCHING = {"uniform", "two continuous bernoulli"}


@pytest.mark.parametrize("second", PAIRS)
@pytest.mark.parametrize("first", PAIRS)
def test_divergences(first: str, second: str) -> None:
    if {first, second} == TOUCHING:
        p, q = found(first, rl), found(second, rl)
        assert rl.distributions.kl_divergence(p, q).isinf().sum() == 1
        return
    agree(
        lambda: rl.distributions.kl_divergence(found(first, rl), found(second, rl)),
        lambda: torch.distributions.kl_divergence(found(first, torch), found(second, torch)),
    )


def test_the_divergence_of_wisharts_is_that_of_the_formula() -> None:
    """PyTorch's sums over the batch where the degrees of freedom have one."""
    p, q = found("wishart", rl), found("wishart by precision", rl)
    n, m = p.df.double().numpy(), q.df.double().numpy()
    a, b = (x.covariance_matrix.double().numpy() for x in (p, q))
    x = torch.tensor(n / 2)
    slope = torch.digamma(x) + torch.digamma(x - 0.5)
    gammas = torch.mvlgamma(torch.tensor(m / 2), 2) - torch.mvlgamma(x, 2)
    trace = np.trace(np.linalg.solve(b, a), axis1=-2, axis2=-1)
    volumes = np.log(np.linalg.det(b)) - np.log(np.linalg.det(a))
    wanted = m / 2 * volumes + n / 2 * (trace - 2) + gammas.numpy() + (n - m) / 2 * slope.numpy()
    ours = rl.distributions.kl_divergence(p, q)
    np.testing.assert_allclose(ours.detach().numpy(), wanted, rtol=1e-4)


REFUSALS: dict[str, Callable[[Any, Any], Any]] = {
    "scale": lambda f, D: D.Normal(0.0, -1.0),
    "outside": lambda f, D: D.Exponential(1.0).log_prob(f.tensor(-1.0)),
    "no tensor": lambda f, D: D.Normal(0.0, 1.0).log_prob(3.0),
    "both": lambda f, D: D.Bernoulli(0.5, 0.5),
    "neither": lambda f, D: D.Categorical(),
    "a number": lambda f, D: D.Categorical(f.tensor(1.0)),
    "probability": lambda f, D: D.Bernoulli(1.5),
    "order": lambda f, D: D.Uniform(1.0, 0.0),
    "shapes": lambda f, D: D.Normal(f.zeros(3), f.ones(3)).log_prob(f.zeros(2)),
    "event": lambda f, D: D.Dirichlet(f.ones(3)).log_prob(f.ones(2) / 2),
    "matrix": lambda f, D: D.MultivariateNormal(f.zeros(2), -f.eye(2)),
    "two matrices": lambda f, D: D.MultivariateNormal(f.zeros(2), f.eye(2), f.eye(2)),
    "too many dimensions": lambda f, D: D.Independent(D.Normal(0.0, 1.0), 1),
    "mixture": lambda f, D: D.MixtureSameFamily(
        D.Categorical(f.ones(3)), D.Normal(f.zeros(2), f.ones(2))
    ),
    "few degrees": lambda f, D: D.Wishart(1.0, f.eye(2)),
    "two matrices for one": lambda f, D: D.Wishart(3.0, f.eye(2), f.eye(2)),
    "a vector for a matrix": lambda f, D: D.Wishart(3.0, f.ones(2)),
    "one correlation": lambda f, D: D.LKJCholesky(1),
    "no factor": lambda f, D: D.LowRankMultivariateNormal(f.zeros(2), f.ones(2), f.ones(2)),
    "long factor": lambda f, D: D.LowRankMultivariateNormal(f.zeros(2), f.ones(3, 1), f.ones(2)),
    "long diagonal": lambda f, D: D.LowRankMultivariateNormal(f.zeros(2), f.ones(2, 1), f.ones(3)),
    "below the threshold": lambda f, D: D.GeneralizedPareto(1.0, 1.0, 0.1).log_prob(f.zeros(())),
    "no triangle": lambda f, D: D.CorrCholeskyTransform()(f.zeros(5)),
    "no divergence": lambda f, D: D.kl_divergence(D.Normal(0.0, 1.0), D.Poisson(1.0)),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_faults_are_pytorchs(name: str) -> None:
    with pytest.raises(Exception) as expected:
        REFUSALS[name](torch, torch.distributions)
    with pytest.raises(expected.type):
        REFUSALS[name](rl, rl.distributions)


TRANSFORMS: dict[str, Callable[[Any], Any]] = {
    "exp": lambda D: D.ExpTransform(), "sigmoid": lambda D: D.SigmoidTransform(),
    "tanh": lambda D: D.TanhTransform(), "softplus": lambda D: D.SoftplusTransform(),
    "affine": lambda D: D.AffineTransform(1.0, -2.0),
    "affine vectors": lambda D: D.AffineTransform(1.0, 3.0, event_dim=1),
    "stick": lambda D: D.StickBreakingTransform(),
    "composed": lambda D: D.ComposeTransform([D.AffineTransform(0.0, 2.0), D.TanhTransform()]),
    "independent": lambda D: D.IndependentTransform(D.ExpTransform(), 1),
    "inverse": lambda D: D.ExpTransform().inv.inv,
    "reshaped": lambda D: D.ReshapeTransform((3,), (3, 1)),
    "correlations": lambda D: D.CorrCholeskyTransform(),
    "stacked": lambda D: D.StackTransform(
        [D.ExpTransform(), D.TanhTransform(), D.SigmoidTransform()], -1
    ),
    "cut": lambda D: D.CatTransform([D.ExpTransform(), D.TanhTransform()], -1, [2, 1]),
}  # fmt: skip


@pytest.mark.parametrize("name", TRANSFORMS)
def test_transforms(name: str) -> None:
    ours, theirs = TRANSFORMS[name](rl.distributions), TRANSFORMS[name](torch.distributions)
    x = np.random.default_rng(0).standard_normal((4, 3)).astype(np.float32)
    y, z = ours(rl.tensor(x)), theirs(torch.tensor(x))
    np.testing.assert_allclose(y.numpy(), z.numpy(), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(ours.inv(y).numpy(), x, rtol=1e-3, atol=1e-4)
    assert ours.forward_shape((4, 3)) == tuple(theirs.forward_shape((4, 3)))
    agree(
        lambda: ours.log_abs_det_jacobian(rl.tensor(x), y),
        lambda: theirs.log_abs_det_jacobian(torch.tensor(x), z),
    )


@pytest.mark.parametrize(
    "region",
    ["real", "positive", "nonnegative", "unit_interval", "simplex", "lower_cholesky",
     "positive_definite", "corr_cholesky"],
)  # fmt: skip
def test_ways_to_a_region(region: str) -> None:
    D = rl.distributions
    constraint = getattr(D.constraints, region)
    x = rl.tensor(np.random.default_rng(0).standard_normal((5, 3, 3)))
    for registry in (D.biject_to, D.transform_to):
        assert bool(constraint.check(registry(constraint)(x)).all())


def test_counts_and_variates_are_functions_of_the_seed() -> None:
    def drawn() -> list[Any]:
        rl.manual_seed(3)
        rate = rl.full((50,), 2.5)
        return [
            rl.poisson(rate).tolist(), rl.binomial(rate.round(), rl.tensor(0.4)).tolist(),
            rl._standard_gamma(rate).tolist(), rl.poisson(rate).tolist(),
        ]  # fmt: skip

    first = drawn()
    assert first == drawn()
    assert first[0] != first[3]


def test_every_divergence_and_name_of_pytorchs_is_there() -> None:
    from torch.distributions import kl

    theirs = {(a.__name__, b.__name__) for a, b in kl._KL_REGISTRY}
    ours = {(a.__name__, b.__name__) for a, b in rl.distributions.kl._REGISTRY}
    assert theirs - ours == set()
    for module in ("distributions", "distributions.constraints", "distributions.transforms"):
        there, here = (import_module(f"{T.__name__}.{module}") for T in (torch, rl))
        assert [name for name in there.__all__ if not hasattr(here, name)] == []
