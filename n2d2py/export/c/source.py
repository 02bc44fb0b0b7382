"""``network.c`` and ``network.h``: the whole network as C99."""

from __future__ import annotations

from dataclasses import dataclass

from n2d2py.cells.base import PROVIDER
from n2d2py.export.base import Export
from n2d2py.export.c.plan import Plan
from n2d2py.export.c.rescaling import rescaled
from n2d2py.export.c.types import SIZES, identifiers, type_for
from n2d2py.export.c.writing import KIND, Site
from n2d2py.registry import find, known
from n2d2py.version import __version__

_LEVEL_INDEX = """\
/* Index number bit / bits of a packed array, lowest bits first. */
static int level_index(const uint8_t *packed, size_t bit, unsigned bits)
{
    const uint8_t *const at = packed + bit / 8;
    const uint32_t word = (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16;
    return (int)((word >> (bit % 8)) & ((1u << bits) - 1u));
}
"""

_FLOOR_SHIFT = """\
/* value / 2^shift, rounded toward minus infinity; C99 leaves the shift of a negative number to the compiler. */
static int64_t floor_shift(int64_t value, int shift)
{
    return value >= 0 ? value >> shift : -1 - ((-1 - value) >> shift);
}
"""


@dataclass(frozen=True, eq=False)
class Source:
    """The two files, and the sites that they were written at."""

    code: str
    header: str
    sites: list[Site]
    arena: int
    rows: int
    outputs: dict[str, tuple[str, str, int]]
    """C name, C type and number of codes of each output."""

    @property
    def flash(self) -> int:
        """Bytes of constants."""
        return sum(site.flash for site in self.sites)

    @property
    def ram(self) -> int:
        """Bytes of the arena and of the rows of unpacked weights; stimulus and outputs belong to the caller."""
        return self.arena + self.rows


def write_source(export: Export) -> Source:
    """The C text of an export. Raises :class:`IntegerError` for an operation without C form."""
    plan = Plan(export)
    names = identifiers(dict.fromkeys([PROVIDER, *(step.name for step in plan.steps), *export.outputs]))
    sites = [Site(plan, step, "op_" + names[step.name]) for step in plan.steps]
    functions = [line for site in sites for line in _function(site)]
    row = max((site.row for site in sites if not site.wide_row), default=0)
    wide = max((site.row for site in sites if site.wide_row), default=0)
    outputs = {
        name: (names[name], plan.type_of(plan.place_of(name)), export.network.edges[name].dims.size)
        for name in export.outputs
    }
    parts = [
        f"/* {_comment(export.network.name)}: written by n2d2py {__version__}. INI file: {export.ini_hash} */",
        '#include "network.h"',
        "",
        "#include <stddef.h>",
        "",
        *_arena(plan),
        *([f"static int16_t row[{row}];", ""] if row else []),
        *([f"static int32_t wide_row[{wide}];", ""] if wide else []),
        *([_LEVEL_INDEX] if row or wide else []),
        *([_FLOOR_SHIFT] if any("floor_shift(" in line for line in functions) else []),
        *functions,
        *_run(export, plan, sites, outputs),
    ]
    rows = 2 * row + 4 * wide
    return Source("\n".join(parts), _header(export, plan, outputs, rows), sites, plan.arena, rows, outputs)


def _comment(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text).replace("*/", "* /")


def _arena(plan: Plan) -> list[str]:
    """A member for each type that lies in the arena; a result is only read by the type that it was written with."""
    types = [type_ for type_ in SIZES if type_ in {plan.type_of(step.name) for step in plan.steps}]
    members = [f"    {type_} {type_}[{max(plan.arena // SIZES[type_], 1)}];" for type_ in types]
    members = [line.replace(f" {type_}[", f" as_{type_}[") for line, type_ in zip(members, types, strict=True)]
    return ["static union {", *members, "} arena;", ""] if members else []


def _function(site: Site) -> list[str]:
    operation = site.operation
    kind = type(operation).__name__
    if not known(KIND, kind):
        raise site.no_form()
    body = find(KIND, kind)(site)
    helper: list[str] = []
    if site.step.rescaling is not None:
        made = site.made
        # Sums reach the helper in the type that holds every one of them.
        sums = type_for(min(int(made.low.min()), -(1 << 31)), max(int(made.high.max()), (1 << 31) - 1))
        helper = rescaled(site, site.step.rescaling, sums, site.output_type)
    alone = len(operation.inputs) == 1
    inputs = [f"const {site.input_type(k)} *x{'' if alone else k}" for k in range(len(operation.inputs))]
    return [
        f"/* {_comment(site.step.name)}: {kind}{' and rescaling' if site.step.rescaling else ''} */",
        *site.constants,
        *helper,
        f"static void {site.c}({', '.join(inputs)}, {site.output_type} *y)",
        "{",
        *("    " + line for line in body),
        "}",
        "",
    ]


def _run(export: Export, plan: Plan, sites: list[Site], outputs: dict[str, tuple[str, str, int]]) -> list[str]:
    lines = [_signature(plan), "{"]
    for number, site in enumerate(sites):
        inputs = [_pointer(plan, name) for name in site.operation.inputs]
        lines.append(f"    {site.c}({', '.join([*inputs, _pointer(plan, site.step.name)])});")
        size = SIZES[site.output_type]
        count = plan.bytes_of(site.step.name) // size
        lines.append(f"    NETWORK_TRACE({number}, {_pointer(plan, site.step.name)}, {count}, {site.output_type});")
    for name, (c, type_, count) in outputs.items():
        lines += [
            f"    for (int k = 0; k < {count}; ++k) {{",
            f"        output->{c}[k] = ((const {type_} *)({_pointer(plan, name)}))[k];",
            "    }",
        ]
    return [*lines, "}", ""]


def _pointer(plan: Plan, name: str) -> str:
    return plan.pointer(name).replace("arena.", "arena.as_")


def _signature(plan: Plan) -> str:
    return f"void network_run(const {plan.type_of(PROVIDER)} *stimulus, network_output *output)"


def _header(export: Export, plan: Plan, outputs: dict[str, tuple[str, str, int]], rows: int) -> str:
    stimuli = export.network.edges[PROVIDER]
    lines = [
        f"/* {_comment(export.network.name)}: written by n2d2py {__version__} */",
        "#ifndef NETWORK_H",
        "#define NETWORK_H",
        "",
        "#include <stdint.h>",
        "",
        "/* A stimulus: codes channel by channel, row by row. */",
        f"#define NETWORK_CHANNELS {stimuli.dims.channels}",
        f"#define NETWORK_HEIGHT {stimuli.dims.height}",
        f"#define NETWORK_WIDTH {stimuli.dims.width}",
        f"#define NETWORK_STIMULUS {stimuli.dims.size}",
        f"#define NETWORK_LOWEST {int(stimuli.low.min())}",
        f"#define NETWORK_HIGHEST {int(stimuli.high.max())}",
        f"typedef {plan.type_of(PROVIDER)} network_code;",
        "",
        "/* Static memory in bytes, beside stimulus and outputs. */",
        f"#define NETWORK_RAM {plan.arena + rows}",
        "",
        "/* Codes of the outputs; the comment gives their dimensions and the real value of a code. */",
        "typedef struct {",
    ]
    for name, (c, type_, count) in outputs.items():
        edge = export.network.edges[name]
        assert edge.grid is not None  # outputs are integers
        shape = "x".join(map(str, edge.dims.shape))
        lines.append(f"    {type_} {c}[{count}]; /* {_comment(name)}: {shape}, scale {edge.grid.scale!r} */")
    lines += [
        "} network_output;",
        "",
        "/* One stimulus through the network. Not reentrant: the memory between the layers is static. */",
        _signature(plan) + ";",
        "",
        "/* What is called after each step: its number, its codes, their count and type. Nothing by default. */",
        "#ifdef NETWORK_TRACED",
        "void network_trace(int step, const void *codes, int count, int size, int is_signed);",
        "#define NETWORK_TRACE(step, codes, count, type) \\",
        "    network_trace(step, codes, count, (int)sizeof(type), (type)-1 < (type)1)",
        "#else",
        "#define NETWORK_TRACE(step, codes, count, type) ((void)0)",
        "#endif",
        "",
        "#endif",
        "",
    ]
    return "\n".join(lines)
