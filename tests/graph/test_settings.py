"""The provider's section as the graph needs it."""

from __future__ import annotations

import pytest

from n2d2py import ini
from n2d2py.errors import GraphError, ParameterError
from n2d2py.graph.settings import provider_section, read_globals, read_provider


def test_sizes_may_come_from_a_config_section() -> None:
    document = ini.loads("[env]\nSizeX=4\nSizeY=5\nConfigSection=c\n[c]\nDataSignedMapping=1\n")
    provider = read_provider(document)
    assert provider.dims == (4, 5, 1)
    assert provider.data_signed_mapping
    assert provider_section(document) == "env"


def test_no_section_of_stimuli() -> None:
    with pytest.raises(GraphError) as error:
        provider_section(ini.loads("[a]\n", file="net.ini"))
    assert "Missing [sp] section." in str(error.value)
    assert "at: net.ini" in str(error.value)


def test_defaults_of_the_global_section() -> None:
    settings = read_globals(ini.loads("ProgramMethod(RRAM)=Ideal\n$X=1\n"))
    assert (settings.default_model, settings.default_data_type) == ("Frame", "Float32")


@pytest.mark.parametrize(
    "line", ["ProgramMethod=Ideal", "ProgramMethod(RRAM)=Ideal", "ProgramMethod(PCM)=Ideal", "CheckWeightRange=0"]
)
def test_global_keys_of_spiking_networks_are_known(line: str) -> None:
    document = ini.loads(line + "\n")
    read_globals(document)
    assert document.unused() == []


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("ProgramMethod(FLASH)=Ideal", "unknown parameter ProgramMethod.FLASH.(.|\n)*mean ProgramMethod"),
        ("CheckWeightRange=2", "unreadable value '2' for CheckWeightRange(.|\n)*0 or 1"),
        ("InsertBatchNormAfterConv=yes", "unreadable value 'yes'(.|\n)*0 or 1"),
    ],
)
def test_global_keys_that_cannot_be(line: str, said: str) -> None:
    with pytest.raises(ParameterError, match=said) as error:
        read_globals(ini.loads(line + "\n", file="net.ini"))
    assert "at: net.ini:1, global section" in str(error.value)


def test_unknown_data_type() -> None:
    with pytest.raises(ParameterError, match="one of Float16, Float32, Float64"):
        read_globals(ini.loads("DefaultDataType=Float8\n"))


def test_channel_transformations_make_the_channels() -> None:
    text = "[sp]\nSizeX=4\nSizeY=5\nNbChannels=7\n"
    made = "[sp.ChannelTransformation-r]\n[sp.ChannelOnTheFlyTransformation-g]\n"
    made += "[sp.ChannelTransformation-r2]\nChannel=0\n"
    assert read_provider(ini.loads(text + made)).dims == (4, 5, 2)
    assert read_provider(ini.loads("[sp]\nSize=4 5 7\n" + made)).dims == (4, 5, 2)
    assert read_provider(ini.loads(text + "[sp.ChannelsTransformation]\n")).dims == (4, 5, 7)
