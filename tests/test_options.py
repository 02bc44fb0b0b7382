"""The command line: N2D2's options in any order, and clear answers to what cannot be meant."""

import pytest

from n2d2py import options
from n2d2py.errors import UsageError
from n2d2py.integer import requantize
from n2d2py.learn import metrics


def test_options_stand_anywhere_on_the_line():
    before = options.parse(["-seed", "1", "-test", "LeNet.ini", "-w", "weights"])
    after = options.parse(["LeNet.ini", "-w", "weights", "-test", "-seed", "1"])
    assert before.network == after.network == "LeNet.ini"
    for name in ("seed", "test", "w"):
        assert before[name] == after[name]
    assert (before["seed"], before["test"], before["w"]) == (1, True, "weights")


def test_defaults_are_those_of_n2d2():
    line = options.parse(["net.ini"])
    expected = {
        "seed": 0,
        "learn": 0,
        "learn-epoch": 0,
        "log": 1000,
        "log-epoch": 1,
        "report": 100,
        "ws": 10000,
        "valid-metric": "Sensitivity",
        "stop-valid": 0,
        "test": False,
        "w": "",
        "act-rescaling-mode": "Floating-point",
        "wt-round-mode": "NONE",
    }
    assert {name: line[name] for name in expected} == expected


def test_echo_names_each_given_option_with_its_value():
    lines = options.parse(["net.ini", "-learn-epoch", "100", "-test"]).echo()
    assert lines[0].startswith("Option -learn-epoch: ")
    assert lines[0].endswith("[100]")
    assert lines[1].startswith("Option -test: ")
    assert "[" not in lines[1]


@pytest.mark.parametrize(
    ("words", "what", "remedy"),
    [
        (["net.ini", "-learn-epochs", "1"], "Unknown option(s): -learn-epochs", "did you mean -learn-epoch?"),
        (["a.ini", "b.ini"], "Unknown option(s): b.ini", "one network file"),
        (["net.ini", "-seed"], "option -seed needs a value", "an integer of at least 0"),
        (["net.ini", "-w", "-test"], "option -w needs a value", "a text"),
        (["net.ini", "-seed", "-1"], "unreadable value '-1'", "an integer of at least 0"),
        (["net.ini", "-learn", "many"], "unreadable value 'many'", "-learn"),
        (["net.ini", "-valid-metric", "F1"], "unreadable value 'F1'", "F1Score"),
        (["net.ini", "-test", "-test"], "option -test is given twice", ""),
        (["net.ini", "-find-lr", "100"], "-find-lr: known from N2D2, not there yet", "n2d2py -h"),
    ],
)
def test_what_a_line_cannot_mean_is_told_with_a_remedy(words, what, remedy):
    with pytest.raises(UsageError) as raised:
        options.parse(words)
    assert what in str(raised.value)
    assert remedy in str(raised.value)
    assert raised.value.exit_status == 2


def test_the_surface_is_frozen():
    now = sorted(option.name for option in options.OPTIONS if not option.later)
    assert now == sorted(
        "h v seed learn learn-epoch log log-epoch log-test report ws valid-metric stop-valid test fuse qat-sat "
        "act-rescaling-mode wt-round-mode b-round-mode c-round-mode w w-ignore log-kernels dev fetch strict "
        "traceback pre-samples log-db-stats workers on-bad-stimulus check report-net report-csv explain list "
        "resume checkpoint-every checkpoints l compile sync-bn multidev tf32 amp recipe "
        "zoo log-levels history tensorboard class-report db-export export nbbits verify "
        "calib calib-reload calibOnly wt-clipping-mode act-clipping-mode act-quantile-value act-rescale-per-output "
        "no-unsigned no-cle".split()
    )


def test_help_lists_every_option():
    text = options.help_text()
    assert all(f"-{option.name}" in text for option in options.OPTIONS)


def test_the_metrics_of_the_line_are_those_of_the_confusion_matrix():
    assert tuple(metrics.METRICS) == options.METRICS


def test_the_rescaling_modes_of_the_line_are_those_of_the_integer_network():
    assert sorted(requantize.MODES) == sorted(options.RESCALING_MODES)
