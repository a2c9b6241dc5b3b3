"""Where the gradient of equal extrema goes: to the first, to the last, in full to each, or in equal parts."""

import numpy as np

from golden import Family, data
from grad_pool_case import PoolGrad, add
from pool_oracles import LIBRARIES

family = Family("grad_ties", LIBRARIES, "grad")
TIES = ["first", "last", "all", "split"]


def case(x, window, strides=None, padding=None, dilations=None, type="max", note="", **more):
    for ties in TIES:
        add(family, PoolGrad(x, type, window, strides, padding, dilations, ties=ties, note=note, **more))


for dtype in ["float32", "float64"]:
    x = data((2, 5, 7, 3), dtype, "ties")
    case(x, (2, 2))
    case(x, (3, 3), (1, 1), "SAME")
    case(x, (3, 2), (2, 1), "SAME")
    case(x, (2, 3), (3, 2), "SAME_LOWER")
    case(x, (3, 3), (2, 2), [(1, 0), (0, 2)])
    case(x, (3, 3), (2, 1), "SAME", type="min")
    case(data((2, 9, 8, 2), dtype, "ties"), (3, 2), (2, 1), "SAME", (2, 3), first=True)
    case(data((2, 9, 3), dtype, "ties"), (3,), (2,), "SAME")
    case(data((2, 10, 3), dtype, "ties"), (4,), (3,), ceil=True)
    case(data((2, 4, 5, 3, 2), dtype, "ties"), (2, 2, 2), (1, 1, 1))
    case(data((2, 4, 5, 3, 2), dtype, "ties"), (2, 3, 2), (2, 1, 1), "SAME")
    case(data((1, 4, 5, 3, 2), dtype, "ties"), (2, 2, 2), (1, 2, 1), [(1, 0), (0, 1), (1, 1)], type="min")
    case(np.ones((1, 4, 4, 2), dtype), (3, 3), (1, 1), "SAME", note="constant")
    case(np.ones((1, 4, 4, 2), dtype), (3, 3), (2, 2), "SAME", note="constant", upstream="upstream")
    case(np.ones((1, 3, 3, 3, 1), dtype), (2, 2, 2), (1, 1, 1), note="constant", upstream=None)
    case(np.ones((1, 6, 1), dtype), (3,), (1,), "SAME", note="constant", upstream=None)
    case(np.full((1, 4, 5, 2), -np.inf, dtype), (3, 2), (1, 1), [(1, 1), (0, 0)], note="worst")
case(data((2, 6, 7, 3)), (3, 3), (2, 2), "SAME", note="distinct")
case(data((2, 6, 7, 3), "float32", "ties"), (6, 7), as_global=True)
case(data((0, 5, 6, 2)), (2, 2), note="batch0")

family.save()
