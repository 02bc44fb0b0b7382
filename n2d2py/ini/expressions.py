"""``$( ... )``: arithmetic in Python's notation, evaluated on the syntax tree and never executed.

N2D2 hands the text to a Python interpreter; here the operators and functions below are all that exists, and
size, depth and magnitude are bounded, so that no INI file can run code, hang or fill the memory.
"""

from __future__ import annotations

import ast
import operator
import warnings
from collections.abc import Callable
from typing import Any

MAX_LENGTH = 2000
MAX_DEPTH = 100
MAX_BITS = 2048
"""Largest integer, in bits: far beyond any parameter, and quick to compute."""

FUNCTIONS: dict[str, Callable[..., Any]] = {
    "int": int,
    "float": float,
    "max": max,
    "min": min,
    "round": round,
    "abs": abs,
}

_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
_UNARY: dict[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.UAdd: operator.pos,
    ast.USub: operator.neg,
    ast.Not: operator.not_,
}
_COMPARISON: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


def calculate(text: str) -> str:
    """The value of an expression, printed as Python 3 prints it; ``/`` is true division.

    Raises ValueError with a sentence that says what is wrong.

    >>> calculate("8 * 3 / 2"), calculate("int(64 * 0.5)"), calculate("1 if 3 > 2 else 0")
    ('12.0', '32', '1')
    """
    if len(text) > MAX_LENGTH:
        raise ValueError(f"the expression has more than {MAX_LENGTH} characters")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text.strip(), mode="eval")
    except SyntaxError as error:
        raise ValueError(f"it is not an expression: {error.msg}") from None
    except (MemoryError, RecursionError):
        raise ValueError("it is nested too deep") from None
    try:
        return str(_value(tree.body, 0))
    except OverflowError:
        raise ValueError("a number is too large or not finite") from None
    except (ArithmeticError, TypeError) as error:
        raise ValueError(f"{error}") from None
    except RecursionError:
        raise ValueError("it is nested too deep") from None


def _value(node: ast.expr, depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise ValueError("it is nested too deep")
    below = depth + 1
    match node:
        case ast.Constant(value=bool() | int() | float() | str() as value):
            return _bounded(value)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            return _binary(op, _value(left, below), _value(right, below))
        case ast.UnaryOp(op=op, operand=operand) if type(op) in _UNARY:
            return _UNARY[type(op)](_value(operand, below))
        case ast.BoolOp(op=op, values=values):
            return _boolean(op, values, below)
        case ast.Compare(left=left, ops=ops, comparators=comparators):
            return _comparison(_value(left, below), ops, comparators, below)
        case ast.IfExp(test=test, body=body, orelse=orelse):
            return _value(body if _value(test, below) else orelse, below)
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in FUNCTIONS:
            return _call(name, [_value(argument, below) for argument in args])
        case ast.Tuple():
            raise ValueError("a comma stands only between the arguments of a function; write 10000 for 10,000")
        case ast.Call(func=ast.Name(id=name)) | ast.Name(id=name):
            raise ValueError(f"{name} is not known; functions are {', '.join(FUNCTIONS)}")
    raise ValueError(f"{ast.unparse(node)} is not arithmetic")


def _binary(op: ast.operator, left: Any, right: Any) -> Any:
    if (isinstance(left, str) or isinstance(right, str)) and not isinstance(op, ast.Add):
        raise ValueError("texts can only be added and compared")
    # An integer power is the one operation whose result can be enormous while its operands are small.
    if (
        isinstance(op, ast.Pow)
        and isinstance(left, int)
        and isinstance(right, int)
        and abs(left) > 1
        and right * left.bit_length() > MAX_BITS
    ):
        raise ValueError(f"{left}**{right} is too large")
    return _bounded(_BINARY[type(op)](left, right))


def _boolean(op: ast.boolop, values: list[ast.expr], depth: int) -> Any:
    result = None
    for item in values:
        result = _value(item, depth)
        if bool(result) is isinstance(op, ast.Or):
            break
    return result


def _comparison(left: Any, ops: list[ast.cmpop], comparators: list[ast.expr], depth: int) -> bool:
    for op, node in zip(ops, comparators, strict=True):
        if type(op) not in _COMPARISON:
            raise ValueError("comparisons are == != < <= > >=")
        right = _value(node, depth)
        if not _COMPARISON[type(op)](left, right):
            return False
        left = right
    return True


def _call(name: str, arguments: list[Any]) -> Any:
    # round(n, -10**9) would compute 10 to that power.
    if name == "round" and len(arguments) > 1 and (not isinstance(arguments[1], int) or abs(arguments[1]) > MAX_BITS):
        raise ValueError("round() takes a small number of digits")
    return _bounded(FUNCTIONS[name](*arguments))


def _bounded(value: Any) -> Any:
    if isinstance(value, complex):
        raise ValueError("the result is not a real number")
    if isinstance(value, int) and value.bit_length() > MAX_BITS:
        raise ValueError("a number is too large")
    return value
