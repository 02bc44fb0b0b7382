"""The digits of scikit-learn: 1,797 handwritten digits of 8 x 8 pixels that need no download."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from n2d2py.data.content import Content
from n2d2py.data.databases.base import Database
from n2d2py.data.databases.idx import DIGITS
from n2d2py.data.partition import half_up
from n2d2py.data.random import Generator
from n2d2py.errors import DataError
from n2d2py.kinds import real_between
from n2d2py.parameters import parameter
from n2d2py.registry import register

LEARN, TEST = 1437, 360
"""How many stimuli are to learn and to validate; the others, the last of the file, are the test set."""


@register("database", "Digits_Database")
@dataclass(frozen=True, kw_only=True)
class DigitsDatabase(Database):
    """scikit-learn's ``load_digits``: 1,437 stimuli to learn and to validate, the last 360 to test.

    Its values 0 to 16 are scaled to 0 to 255 and rounded, half to even. Not a database of N2D2.
    """

    validation: float = parameter(
        "Validation", real_between(0, 1), 0.0, "share of the learning stimuli that become the validation set"
    )

    def load(self, generator: Generator) -> Content:
        self.check_plain()
        try:
            from sklearn.datasets import load_digits
        except ImportError:
            raise DataError(
                "Digits_Database needs scikit-learn, which is not installed",
                place=self.place(),
                remedy="pip install scikit-learn",
            ) from None
        digits = load_digits()
        images = np.rint(digits.images * (255 / 16)).astype(np.uint8)
        learn = len(images) - TEST
        content = self.begin(generator, DIGITS)
        content.append(images[:learn], digits.target[:learn], stem="digits-train")
        content.partition.split(1 - self.validation, self.validation, 0, self.place("validation"))
        content.append(images[learn:], digits.target[learn:], stem="digits-test")
        content.partition.split(0, 0, 1)
        return content

    def nominal_size(self) -> int | None:
        return half_up(LEARN * (1 - self.validation))
