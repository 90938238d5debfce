"""Probability distributions: samples, densities, entropies and divergences, with gradients."""

from . import constraints, kl_mixed, kl_vectors, transforms
from .classes import Categorical, Multinomial, OneHotCategorical, OneHotCategoricalStraightThrough
from .composite import Independent, MixtureSameFamily, TransformedDistribution
from .continuous_bernoulli import ContinuousBernoulli
from .counts import Bernoulli, Binomial, Geometric, NegativeBinomial, Poisson
from .distribution import Distribution, ExponentialFamily
from .gamma import Chi2, FisherSnedecor, Gamma, InverseGamma
from .generalized_pareto import GeneralizedPareto
from .kl import kl_divergence, register_kl
from .lkj_cholesky import LKJCholesky
from .location import Cauchy, Gumbel, Laplace, Normal, StudentT, Uniform, VonMises
from .low_rank import LowRankMultivariateNormal
from .multivariate_normal import MultivariateNormal
from .positive import Exponential, HalfCauchy, HalfNormal, Pareto, Weibull
from .registry import biject_to, transform_to
from .shares import Beta, Dirichlet, Kumaraswamy
from .transformed import (
    LogisticNormal,
    LogNormal,
    RelaxedBernoulli,
    RelaxedOneHotCategorical,
)
from .transforms import (
    AbsTransform,
    AffineTransform,
    CatTransform,
    ComposeTransform,
    CorrCholeskyTransform,
    CumulativeDistributionTransform,
    ExpTransform,
    IndependentTransform,
    LowerCholeskyTransform,
    PositiveDefiniteTransform,
    PowerTransform,
    ReshapeTransform,
    SigmoidTransform,
    SoftmaxTransform,
    SoftplusTransform,
    StackTransform,
    StickBreakingTransform,
    TanhTransform,
    Transform,
    identity_transform,
)
from .wishart import Wishart

__all__ = [name for name in dir() if name[0] != "_"]
