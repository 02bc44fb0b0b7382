"""The operations of the integer graph: what they take and hold, and their formulas in words.

What they compute is defined by :mod:`~n2d2py.integer.interpreter`.
"""

from n2d2py.integer.operations.base import Along, Edge, Operation, Pair
from n2d2py.integer.operations.plain import Concatenation, Identity, Lookup, Rectification, Softmax
from n2d2py.integer.operations.pooling import MaxPool, Pooling, SumPool
from n2d2py.integer.operations.requantization import Requantization
from n2d2py.integer.operations.weighted import Convolution, Deconvolution, FullyConnected, Weighted

__all__ = [
    "Along",
    "Concatenation",
    "Convolution",
    "Deconvolution",
    "Edge",
    "FullyConnected",
    "Identity",
    "Lookup",
    "MaxPool",
    "Operation",
    "Pair",
    "Pooling",
    "Rectification",
    "Requantization",
    "Softmax",
    "SumPool",
    "Weighted",
]
