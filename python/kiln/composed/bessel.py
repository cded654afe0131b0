"""Bessel functions of the orders 0 and 1, by polynomials that were interpolated at Chebyshev's nodes with 60 digits: in x^2 up to 8, of modulus and phase beyond."""
import math

from .. import _core
from .._arguments import ops, rounded_once
from .._core import Array
from .elementwise import pieces

_where, _INF, _NAN = _core.where, float("inf"), float("nan")
_END = 8.0  # of the polynomials in x^2

# Each over [-1, 1], the lowest power first. J: over the product of the two zeros below 8. Y: less 2/pi log(x) J (and 2/(pi x) of Y1). P, Q: Hankel's, over (8/x)^2.
_J0 = (0.0011434937743762546, -0.002119794289479692, 0.0015636431645931662, -0.0006415390646406127, 0.00016977200713997845, -3.1573425402231249e-5, 4.3669323246404955e-6,
       -4.6771280215004412e-7, 3.9988393455463594e-8, -2.7948629190183005e-9, 1.6276489334191208e-10, -8.023536504698471e-12, 3.3923485209602276e-13,
       -1.2440365199268068e-14, 3.995431878450121e-16, -1.1360491593488979e-17, 2.8657307288902632e-19)
_J1 = (0.00019498936985895624, -0.00026975227467163681, 0.00015860016799369873, -5.4080032390855068e-5, 1.224217365301561e-5, -1.98909351591414e-6, 2.4425222607519925e-7,
       -2.3521922546334384e-8, 1.8268547695516135e-9, -1.1696932385905797e-10, 6.2847337863717717e-12, -2.8755486561821196e-13, 1.1343174530679343e-14,
       -3.8985644671015554e-16, 1.1781240746709251e-17, -3.1622441364751902e-19, 7.5559701325430372e-21)
_Y0 = (-0.38225065445942502, -0.82843589036045877, 1.6470964788745467, 0.14412632369302442, -1.0775477338215995, 0.67217707834317233, -0.21895747096171651,
       0.046367047681347098, -0.0070257410572698259, 0.00080615860605506437, -7.279541882784614e-5, 5.3213186337351181e-6, -3.2185077885089355e-7, 1.6391065268257769e-8,
       -7.130516933709929e-10, 2.6818221380030414e-11, -8.8105289803365838e-13, 2.5580393998502989e-14, -6.5740257157735632e-16)
_Y1 = (0.070759858821180053, -0.24337743079193114, 0.023367571720993585, 0.23507209206669754, -0.19639839859930425, 0.078547869222425443, -0.01962875683309943,
       0.0034224907399180456, -0.00044381734351146774, 4.4674330129144127e-5, -3.6009998744473718e-6, 2.3804929913660285e-7, -1.3153322399152461e-8,
       6.1697426133323359e-10, -2.4887660208109366e-11, 8.7288101351943751e-13, -2.687122706001865e-14, 7.3390608902298238e-16, -1.7813894174933314e-17)
_P0 = (0.99945727578825195, -0.00053636731921300464, 6.1374160801608497e-6, -2.0527448156495067e-7, 1.2803760619529231e-8, -1.2121181917899887e-9, 1.5501058085561606e-10,
       -2.488275527812745e-11, 4.772925905800956e-12, -1.0635980595216019e-12, 2.6594866926829669e-13, -6.4238633170286656e-14, 1.839323047121498e-14,
       -1.1778137922744417e-14, 4.285344320644563e-15)
_Q0 = (-0.12444091103610815, 0.00054665192794752599, -1.1817110661178996e-5, 5.6849718819458207e-7, -4.5349728729154897e-8, 5.1462314473929086e-9,
       -7.5763089835759635e-10, 1.3623551327470024e-10, -2.871340122554895e-11, 6.9508845092529123e-12, -1.864509534041415e-12, 4.6123132250707981e-13,
       -1.3804814538584404e-13, 1.0162670211167594e-13, -3.8659683226954667e-14)
_P1 = (1.0009070262780822, 0.00089880494167055784, -7.9596946984925209e-6, 2.453676622286961e-7, -1.4708512124130545e-8, 1.3603057890123778e-9, -1.7131594957408771e-10,
       2.7204123552148816e-11, -5.1763021233265068e-12, 1.1461306026400313e-12, -2.8514106190225238e-13, 6.8719168688927925e-14, -1.9616275715581791e-14,
       1.2466964342989235e-14, -4.5247520559705569e-15)
_Q1 = (0.37421499221959182, -0.00076971670576436993, 1.4569614809828341e-5, -6.6335685612520342e-7, 5.1361060343864872e-8, -5.7208907261085694e-9, 8.3160547682628273e-10,
       -1.4816645190838213e-10, 3.1010145209892632e-11, -7.4641600520405211e-12, 1.993145349755006e-12, -4.9233393898515182e-13, 1.4696599919708492e-13,
       -1.073572214809827e-13, 4.0747053846272145e-14)
_K0 = (-0.30362077291575547, 0.34049732101338059, 0.071777010342405114, 0.0050533926431960922, 0.00018280555827901257, 4.054506619949891e-6, 6.093361934166002e-8,
       6.6230132727944644e-10, 5.4521075897646803e-12, 3.5186315158015952e-14, 1.8282920316203465e-16)
_K1 = (-0.057455856135205324, -0.10866462148495122, -0.013254642948920608, -0.00067247466096531528, -1.9109762342337996e-5, -3.4958297951001923e-7,
       -4.4737089991965937e-9, -4.2354774875777509e-11, -3.0890071516792657e-13, -1.7896636751789105e-15, -8.4370969270293796e-18)
_L0 = (1.2185953385133905, -0.031071461824889561, 0.0030328918102739683, -0.00047976905676177955, 9.9560547483317908e-5, -2.4735204698561511e-5, 7.0022445014698547e-6,
       -2.1911758298158814e-6, 7.4279077849294855e-7, -2.6892228821011845e-7, 1.0289639495514684e-7, -4.1261776930562585e-8, 1.7243919486226528e-8,
       -7.5365879195713391e-9, 3.3817802903756824e-9, -1.3876925452165377e-9, 6.3545605976942184e-10, -6.1995537716038502e-10, 3.3601958167193267e-10,
       2.3064033964405704e-10, -1.4728446385638881e-10, -2.7185436429990797e-10, 1.6222643666724994e-10, 1.1023898044608678e-10, -6.6676768057522317e-11,
       -2.8693049171860142e-11, 1.7088091602994507e-11)
_L1 = (1.363151890371342, 0.10334973775386528, -0.0055667298800731187, 0.00073572415490332614, -0.0001395902196312159, 3.2843865706808905e-5, -8.9612061439834403e-6,
       2.7300393116802701e-6, -9.0672034696127863e-7, 3.2299816462037964e-7, -1.2196887950672389e-7, 4.8378023865569846e-8, -2.0031192903927541e-8, 8.6805110065754757e-9,
       -3.8676438707598798e-9, 1.5871116313418612e-9, -7.2374650981386153e-10, 6.8578592482831518e-10, -3.6979880002823808e-10, -2.4610190645570502e-10,
       1.5739303945667333e-10, 2.9452698914215643e-10, -1.7540377251019759e-10, -1.1908900034003334e-10, 7.1921009035841006e-11, 3.1091862819223164e-11,
       -1.8483036069674821e-11)
_ZEROS = ((2.404825557695773, 5.520078110286311), (3.8317059702075125, 7.015586669815619))  # of J0 and J1
_ZERO_RESTS = ((-1.176691651530894e-16, 8.088597146146722e-17), (-1.526918409008806e-16, -9.414165653410389e-17))


def _sum(t, coefficients):
    """A polynomial by Horner's rule."""
    total = coefficients[-1]
    for c in coefficients[-2::-1]:
        total = total * t + c
    return total


def _near(size, order):
    """J up to 8: its zeros are factors, so that it is exact beside them."""
    u = size * size
    result = _sum(u * (1 / 32) - 1.0, _J1 if order else _J0)
    for zero, rest in zip(_ZEROS[order], _ZERO_RESTS[order]):
        result = result * ((size - zero) - rest) * (size + zero)
    return result * size if order else result


def _far(size, order, second):
    """J or Y beyond 8: sqrt(2 / (pi x)) (P cos w -+ Q sin w) with w = x - (2 order + 1) pi / 4, by the sine and cosine of x."""
    v = 8.0 / size
    t = v * v * 2.0 - 1.0
    p, q = _sum(t, _P1 if order else _P0), _sum(t, _Q1 if order else _Q0) * (v * 0.125)
    s, c = ops["sin"](size), ops["cos"](size)
    cos_w, sin_w = (c + s, s - c) if order == 0 else (s - c, -(s + c))
    wave = p * sin_w + q * cos_w if second else p * cos_w - q * sin_w
    return wave / ops["sqrt"](size * math.pi)


def _first(x, order):
    size = ops["abs"](x)
    inside = ops["less"](size, _END)
    low, high = pieces(size, _END)
    result = _where(inside, _near(low, order), _far(_where(ops["isinf"](size), 1e300 if x.dtype.name == "float64" else 1e38, high), order, False))
    result = _where(ops["isinf"](size), 0.0, result)
    return ops["copysign"](_core.full((), 1, x.dtype), x) * result if order else result


def _second(x, order):
    inside = ops["less"](x, _END)
    y, z = pieces(x, _END)
    t, log = y * y * (1 / 32) - 1.0, ops["log"](y)
    if order:
        near = _sum(t, _Y1) * y + (log * _near(y, 1) - 1.0 / y) * (2 / math.pi)
    else:
        near = _sum(t, _Y0) + log * _near(y, 0) * (2 / math.pi)
    far = _far(ops["minimum"](z, 1e300 if x.dtype.name == "float64" else 1e38), order, True)
    result = _where(ops["isinf"](x), 0.0, _where(inside, near, far))
    return _where(ops["less"](x, 0), _NAN, _where(ops["equal"](x, 0), -_INF, _where(ops["isnan"](x), x, result)))


@rounded_once
def j0(x, /) -> Array:
    """The Bessel function of the first kind of order 0: within 6 units in the last place of the larger of the result and sqrt(2 / (pi |x|)), the height of its wave; 0 at infinity."""
    return _first(x, 0)


@rounded_once
def j1(x, /) -> Array:
    """The Bessel function of the first kind of order 1, as ``j0``."""
    return _first(x, 1)


@rounded_once
def y0(x, /) -> Array:
    """The Bessel function of the second kind of order 0, as ``j0``; -inf at 0, nan below."""
    return _second(x, 0)


@rounded_once
def y1(x, /) -> Array:
    """The Bessel function of the second kind of order 1, as ``y0``."""
    return _second(x, 1)


def _modified(x, order, scaled):
    """K: less the logarithm times I up to 2, from there on over exp(-x) / sqrt(x)."""
    from .._special import i0, i1
    y, z = pieces(x, 2.0)
    t, log = y * y * 0.5 - 1.0, ops["log"](y * 0.5)
    near = log * i1(y) + 1.0 / y + _sum(t, _K1) * y if order else _sum(t, _K0) - log * i0(y)
    far = _sum(4.0 / z - 1.0, _L1 if order else _L0) / ops["sqrt"](z)
    if scaled:
        near = near * ops["exp"](y)
    else:
        half = ops["exp"](z * -0.5)  # the whole would leave the range before the result does
        far = far * half * half
    result = _where(ops["less"](x, 2.0), near, far)
    return _where(ops["less"](x, 0), _NAN, _where(ops["equal"](x, 0), _INF, _where(ops["isnan"](x), x, result)))


@rounded_once
def k0(x, /) -> Array:
    """The modified Bessel function of the second kind of order 0, within 16 units in the last place; inf at 0, nan below."""
    return _modified(x, 0, False)


@rounded_once
def k1(x, /) -> Array:
    """The modified Bessel function of the second kind of order 1, as ``k0``."""
    return _modified(x, 1, False)


@rounded_once
def k0e(x, /) -> Array:
    """``k0`` times exp(x)."""
    return _modified(x, 0, True)


@rounded_once
def k1e(x, /) -> Array:
    """``k1`` times exp(x)."""
    return _modified(x, 1, True)
