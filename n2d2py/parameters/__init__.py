"""A parameter is declared once, in the class that uses it, and everything else follows from the declaration.

::

    @register("activation", "Rectifier")
    @dataclass(frozen=True, kw_only=True)
    class Rectifier(Record):
        leak_slope: float = parameter("LeakSlope", real, 0.0, "slope for negative inputs")

From it come reading (:func:`read`), checking, "did you mean", ``-explain`` and the reference pages. No other
place looks up a key by its name. Four forms of declaration exist: :func:`parameter` (one key),
:func:`axes` (one number per axis, with N2D2's three ways of writing it), :func:`choice` (the name of a
registered type, with the parameters of that type below a prefix), and a class of one's own that derives from
:class:`Declaration`.
"""

from n2d2py.parameters.declaration import REQUIRED, Declaration, declare
from n2d2py.parameters.keys import Keys, MissingKeyError
from n2d2py.parameters.part import choice
from n2d2py.parameters.plain import axes, parameter
from n2d2py.parameters.record import Record, check, check_available, declarations, given, known_keys, read, written

__all__ = [
    "REQUIRED",
    "Declaration",
    "Keys",
    "MissingKeyError",
    "Record",
    "axes",
    "check",
    "check_available",
    "choice",
    "declarations",
    "declare",
    "given",
    "known_keys",
    "parameter",
    "read",
    "written",
]
