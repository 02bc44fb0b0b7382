"""``network.c`` and ``network.h``: the whole network as C99."""

from __future__ import annotations

from dataclasses import dataclass

from n2d2py.cells.base import PROVIDER
from n2d2py.export.base import Export
from n2d2py.export.c.plan import Plan
from n2d2py.export.c.rescaling import rescaled
from n2d2py.export.c.types import SIZES, array, identifiers, type_for
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
    lookup: int
    """Bytes of the table that makes codes of bytes, 0 without one."""
    outputs: dict[str, tuple[str, str, int]]
    """C name, C type and number of codes of each output."""

    @property
    def flash(self) -> int:
        """Bytes of constants."""
        return self.lookup + sum(site.flash for site in self.sites)

    @property
    def ram(self) -> int:
        """Bytes of the arena and of the rows of unpacked weights.

        Stimulus and outputs belong to the caller; a pointer to the arena comes on top.
        """
        return self.arena + self.rows


def write_source(export: Export) -> Source:
    """The C text of an export. Raises :class:`IntegerError` for an operation without C form."""
    plan = Plan(export)
    names = identifiers(dict.fromkeys([PROVIDER, *(step.name for step in plan.steps), *export.outputs]))
    sites = [Site(plan, step, "op_" + names[step.name]) for step in plan.steps]
    functions = _functions(sites)
    lookup, table = _lookup(export, plan)
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
        *lookup,
        *_run(export, plan, sites, outputs),
    ]
    rows = 2 * row + 4 * wide
    return Source("\n".join(parts), _header(export, plan, outputs, rows), sites, plan.arena, rows, table, outputs)


def _comment(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text).replace("*/", "* /")


_HIDDEN = """\
/* The arena is found through a volatile pointer: a compiler that knows that two pointers of different types begin in
   one object may compute one from the other, and GCC 12 with -O2 then loses codes. */
static union arena_bytes *const volatile arena = &memory;
"""


def _arena(plan: Plan) -> list[str]:
    """A member for each type that lies in the arena; a result is only read by the type that it was written with."""
    types = [type_ for type_ in SIZES if type_ in {plan.type_of(step.name) for step in plan.steps}]
    members = [f"    {type_} as_{type_}[{max(plan.arena // SIZES[type_], 1)}];" for type_ in types]
    return ["static union arena_bytes {", *members, "} memory;", "", _HIDDEN] if members else []


def _functions(sites: list[Site]) -> list[str]:
    """The functions of all steps. What is alike but for its name is written once, and called by each step."""
    lines: list[str] = []
    written: dict[str, str] = {}
    for site in sites:
        own = _function(site)
        text = "\n".join(own).replace(site.c, "")
        if text in written:
            site.call = written[text]
            site.flash = site.weights_flash = 0
            continue
        written[text] = site.c
        lines += [f"/* {_comment(site.step.name)}: {_kind(site)} */", *own]
    return lines


def _kind(site: Site) -> str:
    return type(site.operation).__name__ + (" and rescaling" if site.step.rescaling else "")


def _lookup(export: Export, plan: Plan) -> tuple[list[str], int]:
    """The function that makes codes of bytes, if there is a table, and the bytes of the table."""
    lookup, dims = export.network.lookup, export.network.stimuli.dims
    if lookup is None:
        return [], 0
    type_, places = plan.type_of(PROVIDER), dims.size // dims.channels
    row = f"k / {places} * 256 + " if len(lookup.table) > 1 else ""
    text = [
        "/* Codes of bytes. */",
        *array("lookup", type_, lookup.table.ravel()),
        "",
        f"{_look_up_signature(plan)}",
        "{",
        f"    for (int k = 0; k < {dims.size}; ++k) {{",
        f"        stimulus[k] = lookup[{row}pixels[k]];",
        "    }",
        "}",
        "",
    ]
    return text, lookup.table.size * SIZES[type_]


def _bytes(export: Export) -> int:
    """How bytes become codes: by a table (2), they are codes (1), or not at all (0)."""
    grid = export.network.stimuli.grid
    assert grid is not None  # an integer network begins with codes
    return 2 if export.network.lookup is not None else int((grid.scale, grid.low, grid.high) == (1 / 255, 0, 255))


def _look_up_signature(plan: Plan) -> str:
    return f"void network_look_up(const uint8_t *pixels, {plan.type_of(PROVIDER)} *stimulus)"


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
        inputs = [plan.pointer(name) for name in site.operation.inputs]
        lines.append(f"    {site.call or site.c}({', '.join([*inputs, plan.pointer(site.step.name)])});")
        size = SIZES[site.output_type]
        count = plan.bytes_of(site.step.name) // size
        lines.append(f"    NETWORK_TRACE({number}, {plan.pointer(site.step.name)}, {count}, {site.output_type});")
    for name, (c, type_, count) in outputs.items():
        lines += [
            f"    for (int k = 0; k < {count}; ++k) {{",
            f"        output->{c}[k] = ((const {type_} *)({plan.pointer(name)}))[k];",
            "    }",
        ]
    return [*lines, "}", ""]


def _signature(plan: Plan) -> str:
    return f"void network_run(const {plan.type_of(PROVIDER)} *stimulus, network_output *output)"


def _header(export: Export, plan: Plan, outputs: dict[str, tuple[str, str, int]], rows: int) -> str:
    stimuli = export.network.edges[PROVIDER]
    look_up: list[str] = []
    if export.network.lookup is not None:
        look_up = ["/* Codes of a stimulus from its bytes, in the same order. */", _look_up_signature(plan) + ";", ""]
    lines = [
        f"/* {_comment(export.network.name)}: written by n2d2py {__version__} */",
        "#ifndef NETWORK_H",
        "#define NETWORK_H",
        "",
        "#include <stdint.h>",
        "",
        "/* A stimulus: codes channel by channel, row by row. */",
        f"#define NETWORK_CHANNELS {stimuli.dims.channels}",
        *([f"#define NETWORK_DEPTH {stimuli.dims.depth}"] if stimuli.dims.depth > 1 else []),
        f"#define NETWORK_HEIGHT {stimuli.dims.height}",
        f"#define NETWORK_WIDTH {stimuli.dims.width}",
        f"#define NETWORK_STIMULUS {stimuli.dims.size}",
        f"#define NETWORK_LOWEST {int(stimuli.low.min())}",
        f"#define NETWORK_HIGHEST {int(stimuli.high.max())}",
        f"typedef {plan.type_of(PROVIDER)} network_code;",
        "/* Codes from bytes: 0 there are none, 1 bytes are codes, 2 by network_look_up. */",
        f"#define NETWORK_BYTES {_bytes(export)}",
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
        *look_up,
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
