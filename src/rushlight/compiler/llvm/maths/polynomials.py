"""Coefficients of polynomials, lowest degree first, as ``scripts/polynomials.py`` writes them.

Each is the minimax approximation of what its comment says on the interval named there, with
coefficients rounded to the format it is used in. The error is what the polynomial alone adds to a
result, in units of half its last place.
"""

# (exp(r) - 1 - r) / r**2; the error is relative to exp(r) - 1.
# float, -0.346608 to 0.346608, degree 4, error 0.28.
EXPM1_FLOAT = (
    0.4999999701976776,
    0.1666654348373413,
    0.04166720062494278,
    0.008366520516574383,
    0.0013882557395845652,
)

# (exp(r) - 1 - r) / r**2; the error is relative to exp(r) - 1.
# double, -0.346608 to 0.346608, degree 9, error 0.31.
EXPM1_DOUBLE = (
    0.5000000000000006,
    0.16666666666666588,
    0.04166666666657678,
    0.008333333333389596,
    0.0013888888931558585,
    0.00019841269718888976,
    2.480150528065897e-05,
    2.7557407652071018e-06,
    2.7626035299986715e-07,
    2.505374119481922e-08,
)

# (log(1 + f) - f) / f**2; the error is relative to log(1 + f).
# float, -0.25 to 0.5, degree 8, error 0.13.
LOG_FLOAT = (
    -0.5,
    0.3333345353603363,
    -0.250000536441803,
    0.19990608096122742,
    -0.16647784411907196,
    0.14482080936431885,
    -0.13162103295326233,
    0.10447975993156433,
    -0.04490704834461212,
)

# (2 atanh(s) - 2 s) / s**3 of s**2; the error is relative to 2 atanh(s).
# double, 0.0 to 0.04, degree 6, error 0.17.
ATANH_DOUBLE = (
    0.6666666666666821,
    0.3999999999791855,
    0.2857142914954832,
    0.22222154964955526,
    0.1818578410948747,
    0.15260130398873506,
    0.15299810043397993,
)

# (sin(r) - r) / r**3 of r**2; the error is relative to sin(r).
# float, 0.0 to 0.625516, degree 2, error 0.15.
SIN_FLOAT = (
    -0.16666656732559204,
    0.008332218043506145,
    -0.00019520201021805406,
)

# (sin(r) - r) / r**3 of r**2; the error is relative to sin(r).
# double, 0.0 to 0.625516, degree 5, error 0.049.
SIN_DOUBLE = (
    -0.16666666666666655,
    0.008333333333326233,
    -0.0001984126983205819,
    2.7557314291578074e-06,
    -2.5050832003556466e-08,
    1.5900210427391664e-10,
)

# (cos(r) - 1 + r**2 / 2) / r**4 of r**2; the error is relative to cos(r).
# float, 0.0 to 0.625516, degree 2, error 0.019.
COS_FLOAT = (
    0.0416666604578495,
    -0.001388783915899694,
    2.4483364541083574e-05,
)

# (cos(r) - 1 + r**2 / 2) / r**4 of r**2; the error is relative to cos(r).
# double, 0.0 to 0.625516, degree 5, error 0.013.
COS_DOUBLE = (
    0.041666666666666664,
    -0.00138888888888848,
    2.4801587295805946e-05,
    -2.755731605992327e-07,
    2.0875939122465995e-09,
    -1.1370027958828053e-11,
)

# (tanh(x) - x) / x**3 of x**2; the error is relative to tanh(x).
# float, 0.0 to 0.3025, degree 4, error 0.086.
TANH_FLOAT = (
    -0.33333325386047363,
    0.13332825899124146,
    -0.05387340486049652,
    0.021147578954696655,
    -0.006370570044964552,
)

# (tanh(x) - x) / x**3 of x**2; the error is relative to tanh(x).
# double, 0.0 to 0.3025, degree 10, error 0.055.
TANH_DOUBLE = (
    -0.3333333333333333,
    0.13333333333331102,
    -0.05396825396601093,
    0.02186948844270937,
    -0.008863233438215734,
    0.0035920997326670005,
    -0.0014555885666753712,
    0.000588619548800707,
    -0.00023379933694310954,
    8.388170276024486e-05,
    -1.9825895592154132e-05,
)

# (log(erfc(x)) / x + 2 / sqrt(pi)) / x; the error is relative to erf(x).
# float, 0.0 to 3.95, degree 8, error 0.14.
ERF_FLOAT = (
    -0.6366193890571594,
    -0.10277767479419708,
    0.01914895512163639,
    0.00018205375818070024,
    -0.0017139350529760122,
    0.0006833852385170758,
    -0.00014612848463002592,
    1.7251721146749333e-05,
    -8.785492013885232e-07,
)
