"""Every error raised on purpose.

    IsthmusError                    exit code
    ├── UseError                        2      the command or call cannot be carried out as given
    │   ├── ConfigError                        a setting outside what it must be
    │   ├── UnknownName                        no such net, loss, recipe …
    │   ├── MissingExtra                       an optional package is not installed
    │   └── OutputExists                       would overwrite; --force allows it
    ├── DataError                       2      the samples themselves
    │   ├── NoData                             nothing readable there
    │   ├── BadItem                            one unreadable or ill-formed item
    │   └── SpecMismatch                       data of another kind than the model's
    ├── FileError                       2      an .ism or .isz file
    │   ├── NotOurFile                         wrong magic
    │   ├── NewerFormat                        written by a later version
    │   ├── DamagedFile                        a checksum, size or field is wrong  (exit code 1)
    │   ├── TooLarge                           would take more than the limits allow
    │   └── ModelNeeded                        the archive names a model it does not hold
    ├── CheckFailed                     1      verify, or a training run, found the answer to be no
    │   └── Diverged                           the loss became NaN or infinite
    └── MachineError                    3      disk, memory, network, arithmetic that is not exact
        └── Offline                            a download was needed and no mirror answered

A message is one sentence or three: what must be, what was, what to do.
"""

# ruff: noqa: N818 - a name says what is wrong, as StopIteration does


class IsthmusError(Exception):
    """The root: catch this to catch everything raised on purpose."""

    exit_code = 2


class UseError(IsthmusError):
    """The command or call cannot be carried out as given."""


class ConfigError(UseError):
    """A setting is outside what it must be."""


class UnknownName(UseError):
    """No part of that name is registered."""


class MissingExtra(UseError):
    """An optional package is not installed."""


class OutputExists(UseError):
    """The output is there already, and `force` was not given."""


class DataError(IsthmusError):
    """The samples are not what they must be."""


class NoData(DataError):
    """Nothing readable was found at the source."""


class BadItem(DataError):
    """One item is unreadable, or unlike the others in a way that cannot be bridged."""


class SpecMismatch(DataError):
    """The data are of another kind than those the model was trained on."""


class FileError(IsthmusError):
    """An .ism or .isz file cannot be used."""


class NotOurFile(FileError):
    """The file does not start with our magic."""


class NewerFormat(FileError):
    """The file was written by a later version of Isthmus."""


class DamagedFile(FileError):
    """A checksum, a size or a field contradicts the rest of the file."""

    exit_code = 1


class TooLarge(FileError):
    """Reading the file would take more than the limits allow; nothing was allocated."""


class ModelNeeded(FileError):
    """The archive names its model instead of holding it, and that model was not given."""


class CheckFailed(IsthmusError):
    """What was asked was checked, and the answer is no."""

    exit_code = 1


class Diverged(CheckFailed):
    """The training loss became NaN or infinite."""


class MachineError(IsthmusError):
    """Disk, memory or network did not allow it, or floats do not carry integers exactly here."""

    exit_code = 3


class Offline(MachineError):
    """A download was needed and no mirror answered."""
