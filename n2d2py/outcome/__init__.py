"""What a run finds out, and writes into the working directory: pictures, logs and tables of ``report/``."""

from n2d2py.outcome.learned import Curves, write_learning
from n2d2py.outcome.seen import draw_graph, write_anchors, write_network, write_stimuli
from n2d2py.outcome.tested import help_to_test, report_numbers, scores, test
from n2d2py.outcome.weights import write_weights

__all__ = [
    "Curves",
    "draw_graph",
    "help_to_test",
    "report_numbers",
    "scores",
    "test",
    "write_anchors",
    "write_learning",
    "write_network",
    "write_stimuli",
    "write_weights",
]
