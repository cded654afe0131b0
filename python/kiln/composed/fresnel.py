"""Fresnel's integrals, by polynomials that were interpolated at Chebyshev's nodes with 60 digits. Computed in float64."""
import math

from .. import _core
from .._arguments import ops
from .._core import Array
from .elementwise import pieces
from .gammas import _product, _sum, in_double

_where = _core.where
_END = 1.6  # of the polynomials in x^4

# C / x and S / x^3 in x^4 up to there, over [-1, 1], the lowest power first; beyond, pi x f and pi^2 x^3 g of the auxiliary functions, in (1.6 / x)^2 from 1/4 on and below.
_C = (0.4434581121445708, -0.3498350978515388, 0.16644305991154654, -0.035626646649955504, 0.004287818385201311, -0.0003307760776428215,
      1.776427735141959e-05, -7.028320154164008e-07, 2.134645071556086e-08, -5.135328119512125e-10, 1.0029391921169303e-11, -1.6221128929292933e-13,
      2.2085618021555883e-15, -2.5673101300316712e-17, 2.57604881971146e-19)
_S = (0.288939362640846, -0.1761356501395447, 0.050132952592302285, -0.007629278744901796, 0.0007142320312442508, -4.516895088622293e-05,
      2.057811858202122e-06, -7.07444123159191e-08, 1.9005637160535816e-09, -4.1002414497065204e-11, 7.260216299984853e-13, -1.0741411228391197e-14,
      1.3477626503082092e-16, -1.4528015162966723e-18, 1.359117530838997e-20)
_F_NEAR = (0.9845045932259813, -0.016297091573535743, -0.0027797849844758147, 0.0007404322112245263, -9.952891276397427e-05, -5.968419937148322e-07,
           5.653058830204478e-06, -2.3056069570683053e-06, 6.254918699178146e-07, -1.1341741439277301e-07, 1.6134257376121415e-09, 1.0396406812303173e-08,
           -6.15084826010352e-09, 2.5164168558288975e-09, -8.195254949301397e-10, 1.9119913592046675e-10, -2.7153152007722185e-11, 7.167072057282413e-12,
           5.566585348165416e-12, -1.1359483479661924e-11, 4.081322067980175e-12)
_F_FAR = (0.9992812816150238, -0.001425730654528782, -0.0006899672986914808, 2.1911435795653895e-05, 4.323003366202199e-06, -5.92743592267069e-07,
          -2.8059160179168612e-08, 1.9753647328870897e-08, -2.1484138459592033e-09, -4.5214085634421723e-10, 2.1282811187141488e-10, -2.6537601313494322e-11,
          -7.28281309424255e-12, 4.437949269967999e-12, -8.951020258345022e-13, -1.4296953598916734e-13, 1.48160960598284e-13, -2.129284799638549e-14,
          -5.714417803758447e-15)
_G_NEAR = (0.9301809546475287, -0.06742317461711199, -0.0064946028101161455, 0.003855973308341309, -0.0009057075820670837, 0.00010649591552145943,
           1.969227777908252e-05, -1.790432852729187e-05, 7.230779256025408e-06, -2.1011155561595245e-06, 4.1532233528196355e-07, -7.010719061022366e-09,
           -4.530203524829547e-08, 2.985346272832264e-08, -1.3350563326956722e-08, 4.328494238038038e-09, -1.2565001586710326e-09, 6.646190090732423e-10,
           -1.3427119126049454e-10, -1.8867843486229172e-10, 8.780335898779402e-11)
_G_FAR = (0.9964298203059663, -0.0070370611583522695, -0.003318367878683363, 0.00018796407749930102, 3.297959436975572e-05, -6.856889440118327e-06,
          -8.821798214911215e-08, 2.619301219653825e-07, -4.466177813089874e-08, -4.334299979056184e-09, 3.886202812834713e-09, -7.845758090252959e-10,
          -6.783832533985919e-11, 9.3715804805242e-11, -2.903664698111793e-11, 1.4109119154159768e-12, 3.4833134188914545e-12, -1.574684060112234e-12,
          -5.1756294451544515e-14, 1.4664579714890915e-13)


def _turn(x):
    """The sine and cosine of pi x^2 / 2, by the exact distance of the square to the next whole number."""
    square, rest = _product(x, x)
    whole = ops["round"](square)
    angle = ((square - whole) + rest) * (math.pi / 2)
    s, c = ops["sin"](angle), ops["cos"](angle)
    quarter = ops["remainder"](whole, 4.0)
    odd = ops["not_equal"](ops["remainder"](quarter, 2.0), 0)
    sine, cosine = _where(odd, c, s), _where(odd, -s, c)
    behind = ops["greater_equal"](quarter, 2.0)
    return _where(behind, -sine, sine), _where(behind, -cosine, cosine)


def _integrals(x):
    """S and C of numbers that are not negative."""
    low, high = pieces(ops["minimum"](x, 1e18), _END)
    square = low * low
    t = square * square * (2 / _END ** 4) - 1.0
    near = _sum(t, _S) * square * low, _sum(t, _C) * low
    v = _END / high
    v = v * v
    beside, beyond = pieces(v, 0.25)
    a, b, is_far = beyond * (8 / 3) - 5 / 3, beside * 8.0 - 1.0, ops["less"](v, 0.25)
    f = _where(is_far, _sum(b, _F_FAR), _sum(a, _F_NEAR)) / (high * math.pi)
    g = _where(is_far, _sum(b, _G_FAR), _sum(a, _G_NEAR)) / (high * math.pi * high * math.pi * high)
    s, c = _turn(high)
    inside = ops["less"](x, _END)
    return _where(inside, near[0], 0.5 - (f * c + g * s)), _where(inside, near[1], 0.5 + (f * s - g * c))


def _odd(which):
    def integral(x):
        result = _integrals(ops["abs"](x))[which]
        return _where(ops["isnan"](x), x, ops["copysign"](result, x))

    integral.__name__ = integral.__qualname__ = ("fresnel_s", "fresnel_c")[which]
    return in_double(integral)


_sine_integral, _cosine_integral = _odd(0), _odd(1)


def fresnel(z, /) -> tuple[Array, Array]:
    """Fresnel's integrals S and C, of sin(pi t^2 / 2) and cos(pi t^2 / 2) up to ``z``: within 8 units in the last place; 1/2 at infinity. Of real numbers."""
    return _sine_integral(z), _cosine_integral(z)
