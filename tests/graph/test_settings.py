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


def test_unknown_data_type() -> None:
    with pytest.raises(ParameterError, match="one of Float16, Float32, Float64"):
        read_globals(ini.loads("DefaultDataType=Float8\n"))
