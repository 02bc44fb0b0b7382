"""What all databases have in common."""

from __future__ import annotations

from dataclasses import dataclass

from n2d2py.data.content import Content
from n2d2py.data.random import Generator
from n2d2py.errors import ParameterError
from n2d2py.kinds import boolean, list_of, one_of, text, unsigned
from n2d2py.parameters import Record, parameter


@dataclass(frozen=True, kw_only=True)
class Database(Record):
    """A collection of labelled stimuli, and how it is divided into learning, validation and test sets."""

    random_partitioning: bool = parameter(
        "RandomPartitioning", boolean, True, "1: the stimuli of each set are drawn at random; 0: in loading order"
    )
    default_label: str = parameter("DefaultLabel", text, "", "label of pixels outside of all regions of interest")
    rois_margin: int = parameter("ROIsMargin", unsigned, 0, "unlabelled ring around each region", unit="pixels")
    data_file_label: bool = parameter("DataFileLabel", boolean, True, "read for N2D2's files; has no effect")
    composite_label: str = parameter(
        "CompositeLabel",
        one_of("None", "Auto", "Default", "Disjoint", "Combine"),
        "Auto",
        "when a stimulus has one label a pixel; None and Auto give one label a stimulus here",
    )
    target_data_path: str = parameter("TargetDataPath", text, "", "folder of images that are the targets")
    multi_channel_match: str = parameter("MultiChannelMatch", text, "", "pattern of files that hold one channel")
    multi_channel_replace: tuple[str, ...] = parameter(
        "MultiChannelReplace", list_of(text), (), "names of the files of the other channels"
    )

    def load(self, generator: Generator) -> Content:
        """All stimuli, partitioned with draws from ``generator``. Raises DataError if the data are not there."""
        raise NotImplementedError

    def check_plain(self) -> None:
        """Refuse what only databases of image files have: raises :class:`ParameterError`."""
        per_pixel = self.composite_label not in ("None", "Auto")
        for name, key, given in (
            ("default_label", f"DefaultLabel={self.default_label}", bool(self.default_label)),
            ("composite_label", f"CompositeLabel={self.composite_label}", per_pixel),
            ("target_data_path", "TargetDataPath", bool(self.target_data_path)),
            ("multi_channel_match", "MultiChannelMatch", bool(self.multi_channel_match)),
            ("multi_channel_replace", "MultiChannelReplace", bool(self.multi_channel_replace)),
        ):
            if given:
                raise ParameterError(
                    f"{key} is not possible with this database",
                    place=self.place(name),
                    expected="a database whose stimuli are files of their own, not one file with one label each",
                )
