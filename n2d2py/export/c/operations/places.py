"""Operations on codes place by place."""

from __future__ import annotations

import numpy as np

from n2d2py.export.c.types import SIZES, array, literal, narrowest
from n2d2py.export.c.writing import Site, at, loops, pass_over, places
from n2d2py.integer.arithmetic import Alignment, Comparison, Pieces
from n2d2py.registry import register


def _inputs(site: Site) -> list[str]:
    """What each input has at the place, as int64."""
    texts = []
    for index, edge in enumerate(site.sources):
        name = "x" if len(site.sources) == 1 else f"x{index}"
        texts.append(f"(int64_t){name}[{pass_over(site.made.dims, edge.dims)}]")
    return texts


def _each(site: Site, body: list[str], value: str) -> list[str]:
    return loops(site.made.dims, [*body, site.store(at(site.made.dims), value, "c")])


@register("c operation", "Rectification")
def rectification(site: Site) -> list[str]:
    """Negative codes become 0."""
    (value,) = _inputs(site)
    return _each(site, [f"const int64_t code = {value};"], "code > 0 ? code : 0")


@register("c operation", "Absolute")
def absolute(site: Site) -> list[str]:
    """Codes without their sign."""
    (value,) = _inputs(site)
    return _each(site, [f"const int64_t code = {value};"], "code < 0 ? -code : code")


@register("c operation", "Maximum")
def maximum(site: Site) -> list[str]:
    """The largest input."""
    first, *others = _inputs(site)
    body = [f"int64_t most = {first};"]
    for other in others:
        body += [f"if ({other} > most) {{", f"    most = {other};", "}"]
    return _each(site, body, "most")


@register("c operation", "Product")
def product(site: Site) -> list[str]:
    """The product of the inputs."""
    return _each(site, [], " * ".join(_inputs(site)))


@register("c operation", "Pieces")
def pieces(site: Site) -> list[str]:
    """A slope below 0 and bounds."""
    operation = site.operation
    assert isinstance(operation, Pieces)
    (value,) = _inputs(site)
    body = [
        f"const int64_t code = {value};",
        f"int64_t piece = code > 0 ? code * (INT64_C(1) << {operation.shift}) : code * {literal(operation.slope)};",
    ]
    for bound, sign in ((operation.low, "<"), (operation.high, ">")):
        if bound is not None:
            body += [f"if (piece {sign} {literal(bound)}) {{", f"    piece = {literal(bound)};", "}"]
    return _each(site, body, "piece")


@register("c operation", "Comparison")
def comparison(site: Site) -> list[str]:
    """A threshold."""
    operation = site.operation
    assert isinstance(operation, Comparison)
    (value,) = _inputs(site)
    kept = {
        "Binary": (literal(operation.code), "0"),
        "BinaryInverted": ("0", literal(operation.code)),
        "ToZero": ("code", "0"),
        "ToZeroInverted": ("0", "code"),
    }[operation.operation]
    body = [f"const int64_t code = {value};"]
    return _each(site, body, f"code >= {literal(operation.first)} ? {kept[0]} : {kept[1]}")


@register("c operation", "Alignment")
def alignment(site: Site) -> list[str]:
    """A linear function of the inputs, one shift at the end; ``floor_shift`` shifts negative numbers too."""
    operation = site.operation
    assert isinstance(operation, Alignment)
    terms = []
    for index, value in enumerate(_inputs(site)):
        pre = operation.pre_shifts[index]
        rounded = f"floor_shift({value} + INT64_C({1 << pre >> 1}), {pre})" if pre else value
        factor = _spread(site, f"multipliers{index}", operation.multipliers[index])
        terms.append(f"{rounded} * {factor}")
    total = " + ".join([*terms, _spread(site, "offsets", operation.biases)])
    return _each(site, [], f"floor_shift({total}, {operation.shift})" if operation.shift else total)


def _spread(site: Site, name: str, values: np.ndarray) -> str:
    """Numbers that broadcast with (channels, [depth,] height, width): one for all, or an array and the place in it."""
    if len({*values.ravel().tolist()}) == 1:
        return literal(int(values.ravel()[0]))
    names = places(site.made.dims)
    shape = (1,) * (len(names) - values.ndim) + values.shape
    type_ = narrowest(values.ravel())
    site.add(array(f"{site.c}_{name}", type_, values.ravel()), values.size, SIZES[type_])
    parts, stride = [], 1
    for axis, count in zip(reversed(names), reversed(shape), strict=True):
        if count > 1:
            parts.append(f"{axis} * {stride}")
        stride *= count
    return f"{site.c}_{name}[{' + '.join(parts)}]"
