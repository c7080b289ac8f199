"""What the command says of itself."""

from __future__ import annotations

import re

import pytest
from terminal import call

from isthmus import __version__
from isthmus.cli.app import COMMANDS
from isthmus.config import parse_duration
from isthmus.errors import ConfigError

NAMES = [command.__name__ for command in COMMANDS]


def test_help_lists_exactly_what_works():
    told = call("--help").stdout
    listed = re.findall(r"^│ ([a-z]+) {2,}", told, flags=re.MULTILINE)
    assert listed == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_every_help_has_an_example(name: str):
    assert f"Example: isthmus {name} " in call(name, "--help").stdout


@pytest.mark.parametrize("name", NAMES)
def test_every_command_has_the_common_options(name: str):
    told = call(name, "--help").stdout
    for option in ("--json", "--quiet", "-q", "--verbose", "-v", "--debug", "--version"):
        assert option in told


def test_version():
    assert call("--version").stdout == f"isthmus {__version__}\n"
    assert call("info", "--version").stdout == f"isthmus {__version__}\n"


def test_completion_is_offered(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("shellingham.detect_shell", lambda: ("bash", "/bin/bash"))  # whatever runs the tests
    assert "=complete_bash" in call("--show-completion").output


@pytest.mark.parametrize(("text", "seconds"), [("1.5m", 90), ("2h", 7200), (" 1H 5M 3s ", 3903), (".5", 0.5)])
def test_durations(text: str, seconds: float):
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "5 minutes", "-3s", "0", "inf", "nan", "5m5m", "3s2m", 0])
def test_other_durations_are_refused(text: str):
    with pytest.raises(ConfigError, match="like 90s, 5m or 1h30m"):
        parse_duration(text)
