import pytest
import torch

from n2d2py.quant.grid import Coded, Grid

from .networks import checked, codes, one, same_in_evaluation, two

SHAPE = (2, 4, 8, 8)


def reference(operation, mode, weights, shifts):
    def numbers(given, usual, count):
        return list(given) + [usual] * (count - len(given))

    def compute(*inputs):
        terms = []
        for index, x in enumerate(inputs):
            if mode == "PerChannel":
                w = torch.tensor(numbers(weights, 1.0, 4)).view(4, 1, 1)
                s = torch.tensor(numbers(shifts, 0.0, 4)).view(4, 1, 1)
            else:
                w, s = numbers(weights, 1.0, 2)[index], numbers(shifts, 0.0, 2)[index]
            terms.append((w, x, s))
        if operation == "Sum":
            return sum(w * x + s for w, x, s in terms)
        if operation == "AbsSum":
            return sum(w * x.abs() for w, x, s in terms)
        if operation == "EuclideanSum":
            return sum(w**2 * x**2 + s**2 for w, x, s in terms).sqrt()
        if operation == "Prod":
            return terms[0][1] * terms[1][1]
        return torch.maximum(terms[0][1], terms[1][1])

    return compute


CASES = [
    ("Sum", (), ()),
    ("Sum", (1.0, -1.0), ()),
    ("Sum", (0.5,), (0.25, -2.0)),
    ("AbsSum", (), ()),
    ("AbsSum", (2.0, -0.5), ()),
    ("EuclideanSum", (), ()),
    ("EuclideanSum", (2.0, 0.5), (0.1, 3.0)),
    ("Prod", (), ()),
    ("Max", (), ()),
]


@pytest.mark.parametrize("points", [False, True])
@pytest.mark.parametrize("mode", ["PerLayer", "PerInput", "PerChannel"])
@pytest.mark.parametrize(("operation", "weights", "shifts"), CASES)
def test_against_the_formula(operation, weights, shifts, mode, points):
    section = f"Type=ElemWise\nOperation={operation}\nCoeffMode={mode}\n"
    section += f"Weights={' '.join(map(str, weights))}\n" if weights else ""
    section += f"Shifts={' '.join(map(str, shifts))}\n" if shifts else ""
    second = (2, 4, 1, 1) if points else SHAPE
    layer = two(section, points=points)
    checked(layer, SHAPE, second, reference=reference(operation, mode, weights, shifts), tolerance=1e-5)


def test_three_inputs_and_an_activation():
    layer = two("Type=ElemWise\nActivationFunction=Rectifier")
    x = [torch.randn(SHAPE) for _ in range(3)]
    assert torch.allclose(layer(*x), (x[0] + x[1] + x[2]).relu(), atol=1e-6)


@pytest.mark.parametrize("operation", ["Sum", "Prod", "Max"])
def test_the_only_input_stays_what_it_is(operation):
    layer = one(f"Type=ElemWise\nNbOutputs=2\nOperation={operation}\nActivationFunction=Rectifier")
    x = torch.randn(2, 2, 8, 8)
    before = x.clone()
    assert torch.equal(layer(x), before.relu())
    assert torch.equal(x, before)


def test_of_equal_values_the_first_learns():
    layer = two("Type=ElemWise\nOperation=Max")
    x, y = torch.zeros(SHAPE, requires_grad=True), torch.zeros(SHAPE, requires_grad=True)
    layer(x, y).sum().backward()
    assert x.grad.unique().tolist() == [1.0]
    assert not y.grad.any()


def test_the_gradient_of_a_length_of_0_is_0():
    layer = two("Type=ElemWise\nOperation=EuclideanSum")
    x, y = torch.zeros(SHAPE, requires_grad=True), torch.zeros(SHAPE, requires_grad=True)
    layer(x, y).sum().backward()
    assert not x.grad.any()
    assert not y.grad.any()


@pytest.mark.parametrize(
    ("section", "grid"),
    [
        ("Operation=Sum", Grid(0.25, -7, 18)),
        ("Operation=Sum\nWeights=1 -1", Grid(0.25, -3, 22)),
        ("Operation=Sum\nWeights=2 3", Grid(0.25, -21, 39)),
        ("Operation=Sum\nWeights=1 0 -2 1\nCoeffMode=PerChannel", Grid(0.25, -37, 29)),
        ("Operation=Max", Grid(0.25, -7, 15)),
    ],
)
def test_codes_of_one_scale_stay_codes(section, grid):
    layer = two(f"Type=ElemWise\n{section}")
    coded = same_in_evaluation(layer, codes(SHAPE, 0, 15), codes(SHAPE, -7, 3, seed=1))
    assert coded.grid == grid


def test_the_step_of_codes_is_kept_by_a_plain_sum():
    layer = two("Type=ElemWise")
    coded = same_in_evaluation(layer, codes(SHAPE, -3, 3, step=2), codes(SHAPE, -3, 3, step=2, seed=1))
    assert coded.grid == Grid(0.25, -6, 6, 2)


@pytest.mark.parametrize(
    ("section", "grid"),
    [
        ("Operation=Prod", Grid(0.0625, -105, 45)),
        ("Operation=AbsSum", Grid(0.25, 0, 22)),
        ("Operation=EuclideanSum", None),
    ],
)
def test_other_operations(section, grid):
    layer = two(f"Type=ElemWise\n{section}")
    assert same_in_evaluation(layer, codes(SHAPE, 0, 15), codes(SHAPE, -7, 3, seed=1)).grid == grid


@pytest.mark.parametrize("section", ["Weights=0.5", "Shifts=1", "CoeffMode=PerChannel\nWeights=1 0.3 -2 0.1"])
def test_sums_with_real_coefficients_are_wide_codes(section):
    layer = two(f"Type=ElemWise\n{section}")
    coded = same_in_evaluation(layer, codes(SHAPE, 0, 15), codes(SHAPE, -7, 3, seed=1))
    assert coded.grid is not None
    assert coded.grid.magnitude < 1 << 27
    assert torch.equal(coded.values, coded.values.round())


def test_codes_of_two_scales_are_summed_as_wide_codes():
    layer = two("Type=ElemWise")
    left, right = codes(SHAPE, 0, 15), codes(SHAPE, 0, 15, scale=0.2)
    coded = same_in_evaluation(layer, left, right)
    assert coded.grid.scale == 2.0**-24
    integers = left.values.long() * (1 << 22) + right.values.long() * round(0.2 * (1 << 24))
    assert torch.equal(coded.values.long(), integers)
    quantized = two("Type=ElemWise\nActivationFunction=Rectifier\nQAct=SAT\nQAct.Range=15\nQAct.Alpha=4.1")
    coded = quantized.evaluate(left, right)
    assert coded.grid == Grid(float(torch.tensor(4.1)) / 15, 0, 15)
    sums = left.values.double() * 0.25 + right.values.double() * 0.2
    assert torch.equal(coded.values.double(), torch.round(sums.clamp(0, 4.1) * (15 / 4.1)))


def test_a_point_of_codes():
    layer = two("Type=ElemWise", points=True)
    coded = same_in_evaluation(layer, codes(SHAPE, 0, 15), codes((2, 4, 1, 1), 0, 15, seed=1))
    assert coded.grid == Grid(0.25, 0, 30)


def test_reals():
    layer = two("Type=ElemWise")
    x, y = torch.randn(SHAPE), torch.randn(SHAPE)
    assert torch.equal(layer.eval().evaluate(Coded(x), Coded(y)).values, x + y)
