"""tf.nn.pool with dilation (VALID, stride 1: all that TensorFlow has), and the same windows with SAME, strides, pads."""

from golden import Family, data
from pool_case import Pool, add
from pool_oracles import LIBRARIES

family = Family("pool_nd", LIBRARIES)

for shape, window, dilations in [
        ((2, 11, 3), (2,), (3,)), ((1, 9, 2), (3,), (2,)), ((3, 8, 1), (2,), (7,)),
        ((1, 7, 9, 2), (2, 2), (2, 2)), ((2, 8, 7, 3), (3, 2), (1, 3)), ((1, 9, 9, 1), (3, 3), (4, 4)),
        ((1, 6, 11, 5), (1, 4), (2, 3)), ((1, 9, 8, 2), (2, 3), (3, 2)), ((2, 7, 6, 2), (4, 3), (2, 2)),
        ((1, 5, 6, 7, 2), (2, 2, 2), (2, 2, 2)), ((1, 6, 5, 7, 1), (2, 1, 3), (3, 2, 3)),
        ((2, 5, 5, 5, 1), (3, 2, 2), (2, 1, 4))]:
    ones = (1,) * len(window)
    for kind in ["mixed", "negative"]:
        x = data(shape, "float32", kind)
        note = "negative" if kind == "negative" else ""
        for type in ["max", "avg"]:
            add(family, Pool(x, type, window, ones, None, dilations, note=note))
    # where TensorFlow refuses: the rule that padding is skipped
    x = data(shape)
    for type in ["max", "avg"]:
        add(family, Pool(x, type, window, ones, "SAME", dilations))
        add(family, Pool(x, type, window, (2, 1, 2)[:len(window)], None, dilations))
        add(family, Pool(x, type, window, (2, 3, 2)[:len(window)], "SAME", dilations, first=True))
        add(family, Pool(x, type, window, (1, 2, 1)[:len(window)], "SAME_LOWER", dilations))
    add(family, Pool(x, "min", window, ones, None, dilations))
    add(family, Pool(x, "sum", window, ones, "SAME", dilations))
    add(family, Pool(data(shape, "int64", "small"), "max", window, ones, "SAME", dilations))
    add(family, Pool(data(shape, "float64"), "avg", window, ones, None, dilations))

family.save()
