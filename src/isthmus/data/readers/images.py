"""Folders of images, one file a sample; and what they share with zips of images."""

from __future__ import annotations

import copy
import math
import os
from abc import abstractmethod
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import numpy as np

from isthmus.data.beside import beside, linked_folders
from isthmus.data.metadata import ALL, NONE, Metadata, is_time, too_much
from isthmus.data.names import ends_in, fault_in, files_under, prepare_outputs
from isthmus.data.palettes import Palette
from isthmus.data.readers.arrays import take
from isthmus.data.readers.image_names import STORED, other_names, restored_bytes, restored_names
from isthmus.data.readers.pixels import SUFFIXES, Header, decode, describe_file, peek, read_palette
from isthmus.data.readers.stored import KEPT, PALETTE, WORDS
from isthmus.data.source import Layout, Member, Skipped, Source
from isthmus.errors import BadItem, NoData
from isthmus.files import set_modified, write_bytes
from isthmus.limits import DEFAULT_LIMITS
from isthmus.spec import DataSpec


class ImageSource(Source):
    """Image files by name, wherever their bytes are; subclasses say where.

    Opening reads every header; pixels are decoded only when asked for.
    """

    def __init__(self, names: Sequence[str], *, name: str, reader: str, skip_bad: bool) -> None:
        """Look at every file in `names`; a subclass sets what `load` needs before it calls this."""
        self.name = name
        headers, self.skipped = self._survey(names, skip_bad)
        if not headers:
            raise NoData(f"{name} holds no readable image; images end in {', '.join(SUFFIXES)}.")
        self._names = list(headers)
        self._headers = _of_one_shape(list(headers.values()))
        self._reader, self._stored = reader, ""
        self._settle()

    def _settle(self) -> None:
        """Say what the samples are, and how they are written back."""
        shapes = self.shapes()
        self.spec = _spec(shapes, self._headers[0].dtype)
        options = self._options(other_names(self._names, self.spec, self._stored))
        if self._stored:
            options[STORED] = self._stored
        self.layout = Layout(self._reader, tuple(map(Member, self._names)), options)
        self.raw_bytes = sum(map(math.prod, shapes)) * np.dtype(self.spec.dtype).itemsize

    def as_stored(self) -> ImageSource:
        """See Source; where all images are of one kind that can be kept as it is."""
        kinds = {header.stored for header in self._headers}
        if len(kinds) > 1 or not kinds <= set(KEPT):
            return self
        source = copy.copy(self)
        (source._stored,) = kinds
        source._settle()
        return source

    def changed(self) -> tuple[str, ...]:
        """See Source."""
        notices = []
        for kind, words in WORDS.items():
            names = [
                name
                for name, header in zip(self._names, self._headers, strict=True)
                if header.stored == kind != self._stored
            ]
            if names:
                notices.append(_changed(names, words, self._headers[0].colours))
        more = [name for name, header in zip(self._names, self._headers, strict=True) if header.is_first]
        if more:
            notices.append(_changed(more, "that hold several pictures", "their first"))
        return tuple(notices)

    @abstractmethod
    def load(self, name: str) -> BinaryIO:
        """Open one file for reading and seeking; raise BadItem if that fails."""

    def read(self, indices: Sequence[int] | np.ndarray) -> list[np.ndarray]:
        """See Source; raises BadItem for a file that is cut short."""
        return [self._decode(self._names[i], self._headers[i]) for i in indices]

    def shapes(self) -> Sequence[tuple[int, ...]]:
        """See Source."""
        return [header.stored_shape if self._stored else header.shape for header in self._headers]

    @abstractmethod
    def modified_s(self, name: str) -> int | None:
        """When one file was last changed, as Metadata counts; None where nobody knows."""

    def described(self, level: str) -> tuple[Layout, tuple[str, ...]]:
        """See Source; opens every file once more. Raises UseError where it is more than an archive holds."""
        layout = self.layout
        if self._stored == PALETTE:
            layout = layout.colour(map(self._palette, self._names))
        if level == NONE:
            return layout, ()
        held: dict[bytes, bytes] = {}  # equal blocks are one object, as most profiles are
        held_bytes, told, notes = 0, [], []
        for name in self._names:
            metadata, long = self._describe(name, level)
            notes += [f"{name}: its {part} is longer than 1 MiB and was left out" for part in long]
            held_bytes += sum(len(part) for part in {metadata.exif, metadata.profile} if part not in held)
            if held_bytes > DEFAULT_LIMITS.metadata_bytes:
                raise too_much(len(self._names))
            exif, profile = (held.setdefault(part, part) for part in (metadata.exif, metadata.profile))
            told.append(replace(metadata, exif=exif, profile=profile))
        return layout.describe(told), tuple(notes)

    def _palette(self, name: str) -> Palette | None:
        with self.load(name) as file:
            return read_palette(file)

    def _describe(self, name: str, level: str) -> tuple[Metadata, tuple[str, ...]]:
        with self.load(name) as file:
            metadata, long = describe_file(file)
        when = self.modified_s(name) if level == ALL else None
        return replace(metadata, modified_s=when).keep(level), long

    def _options(self, renamed: Mapping[str, str]) -> dict[str, object]:
        return {"renamed": dict(renamed)} if renamed else {}

    def _decode(self, name: str, header: Header) -> np.ndarray:
        with self.load(name) as file:
            pixels = decode(file, name, as_stored=bool(self._stored))
        if not self._stored and header.channels == 4 and pixels.shape[2:] == (3,):
            pixels = np.dstack([pixels, np.full(pixels.shape[:2], 255, pixels.dtype)])
        shape = header.stored_shape if self._stored else header.shape
        if (pixels.shape, pixels.dtype.name) != (shape, header.dtype):
            raise BadItem(f"{name} has changed since it was opened. Start again.")
        return pixels

    def _survey(self, names: Sequence[str], skip_bad: bool) -> tuple[dict[str, Header], tuple[Skipped, ...]]:
        """Return the headers of the images to use, and what was left out."""
        headers: dict[str, Header] = {}
        bad: list[Skipped] = []
        for name in names:
            try:
                headers[name] = self._check(name, fully=skip_bad)
            except BadItem as reason:
                if not skip_bad:
                    raise
                bad.append(Skipped(name, str(reason)))
        for odd, sentence in _odd_ones(headers).items():
            if not skip_bad:
                raise BadItem(sentence)
            bad.append(Skipped(odd, sentence))
            del headers[odd]
        return headers, tuple(bad)

    def _check(self, name: str, *, fully: bool) -> Header:
        if fault := fault_in(name):
            raise BadItem(f"The name {name!r} {fault}, so it could not be written back. Rename it.")
        with self.load(name) as file:
            header = peek(file, name)
            if fully:  # so that what is skipped is known before anything is done with the rest
                decode(file, name)
        return header


class Images(ImageSource):
    """A folder with its sub-folders, in the order of their relative names; or files one by one."""

    @classmethod
    def matches(cls, source: object) -> bool:
        """See Source."""
        if isinstance(source, list):
            return bool(source) and all(cls.matches(item) and item.is_file() for item in source)
        return isinstance(source, Path) and (source.is_dir() or (source.is_file() and is_image(source.name)))

    @classmethod
    def open(cls, source: Path | list[Path], *, skip_bad: bool = False, trainable: bool = True) -> Images:
        """See Source."""
        return cls(source, skip_bad)

    @classmethod
    def write(
        cls,
        layout: Layout,
        spec: DataSpec,
        samples: Iterable[np.ndarray],
        directory: Path,
        *,
        force: bool = False,
    ) -> list[Path]:
        """See Source; photographs that were .jpg come back as .png, since JPEG would lose more."""
        paths = prepare_outputs(restored_names(layout, spec), directory, force=force)
        remaining = iter(samples)
        for path, member in zip(paths, layout.members, strict=True):
            write_bytes(path, restored_bytes(take(remaining, spec), path.name, layout, member), force=force)
            set_modified(path, member.metadata.modified_s)
        return paths

    def __init__(self, source: Path | list[Path], skip_bad: bool) -> None:
        if isinstance(source, list):
            self._root, names = _common_root(source)
        else:
            self._root = source if source.is_dir() else source.parent
            names = _walk(source) if source.is_dir() else [source.name]
        title = self._root if isinstance(source, list) else source
        base = title.resolve().name if title.is_dir() else title.stem
        super().__init__(names, name=base or "images", reader="images", skip_bad=skip_bad)
        if isinstance(source, Path) and source.is_dir():
            self.ignored = (*beside(files_under(source), set(names), "an image"), *linked_folders(source))
        self.file_bytes = sum((self._root / name).stat().st_size for name in self._names)

    def load(self, name: str) -> BinaryIO:
        """See ImageSource."""
        path = self._root / name
        if path.exists() and not path.is_file():  # such as a pipe, which may never end
            raise BadItem(f"{name} is no ordinary file. Leave such files out with --skip-bad.")
        try:
            return path.open("rb")
        except OSError as refusal:
            raise BadItem(f"{name} cannot be opened: {refusal.strerror}.") from refusal

    def modified_s(self, name: str) -> int | None:
        """See ImageSource."""
        seconds = (self._root / name).stat().st_mtime_ns // 10**9
        return seconds if is_time(seconds) else None


def is_image(name: str) -> bool:
    """Whether a file is an image by its name; hidden ones, such as thumbnails, are not."""
    return ends_in(name, SUFFIXES)


def _walk(folder: Path) -> list[str]:
    found = files_under(folder)
    images = sorted(filter(is_image, found))
    if not images:
        held = Counter(PurePosixPath(name).suffix or "no suffix" for name in found).most_common(3)
        listed = ", ".join(f"{count} × {suffix}" for suffix, count in held) or "nothing"
        raise NoData(f"{folder} must hold images ({', '.join(SUFFIXES)}); it holds {listed}.")
    return images


def _common_root(files: list[Path]) -> tuple[Path, list[str]]:
    resolved = [file.resolve() for file in files]
    root = Path(os.path.commonpath([file.parent for file in resolved]))
    return root, [file.relative_to(root).as_posix() for file in resolved]


def _odd_ones(headers: Mapping[str, Header]) -> dict[str, str]:
    """Return the images unlike most others, in order, each with the sentence that says so."""
    kinds = Counter(header.kind for header in headers.values()).most_common()
    if len(kinds) < 2 or all(header.stored == PALETTE for header in headers.values()):
        return {}
    usual, count = kinds[0]
    return {
        name: f"{name} is {header.kind}, but {count} of {len(headers)} images are {usual}, and all must "
        "be alike. Convert it, or leave such images out with --skip-bad."
        for name, header in headers.items()
        if header.kind != usual
    }


def _of_one_shape(headers: list[Header]) -> list[Header]:
    """The same; images with palettes have alpha where any of them has."""
    if all(header.stored == PALETTE for header in headers):
        channels = max(header.channels for header in headers)
        return [replace(header, channels=channels) for header in headers]
    return headers


def _spec(shapes: Sequence[tuple[int, ...]], dtype: str) -> DataSpec:
    fixed = len(set(shapes)) == 1
    shape = shapes[0] if fixed else (None, None, *shapes[0][2:])
    axes = ("height", "width", "channel")[: len(shape)]
    high = float(np.iinfo(dtype).max)
    return DataSpec(modality="image", axes=axes, shape=shape, dtype=dtype, low=0.0, high=high)


def _changed(names: Sequence[str], what: str, seen: str) -> str:
    count = "1 image" if len(names) == 1 else f"{len(names):,} images"
    return f"changed: {count} {what} will come back as {seen}, first {names[0]}"
