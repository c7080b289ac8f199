"""Folders of images, one file a sample; and what they share with zips of images."""

from __future__ import annotations

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
from isthmus.data.readers.arrays import take
from isthmus.data.readers.pixels import (
    SUFFIXES,
    Header,
    decode,
    describe_file,
    encode,
    peek,
    restored_suffix,
)
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
        self._headers = list(headers.values())
        self.spec = _spec(self._headers)
        members = tuple(Member(item) for item in self._names)
        self.layout = Layout(reader, members, self._options(_renamed(self._names, self.spec)))
        values = sum(int(np.prod(header.shape)) for header in self._headers)
        self.raw_bytes = values * np.dtype(self.spec.dtype).itemsize

    @abstractmethod
    def load(self, name: str) -> BinaryIO:
        """Open one file for reading and seeking; raise BadItem if that fails."""

    def read(self, indices: Sequence[int] | np.ndarray) -> list[np.ndarray]:
        """See Source; raises BadItem for a file that is cut short."""
        return [self._decode(self._names[i], self._headers[i]) for i in indices]

    def shapes(self) -> Sequence[tuple[int, ...]]:
        """See Source."""
        return [header.shape for header in self._headers]

    @abstractmethod
    def modified_s(self, name: str) -> int | None:
        """When one file was last changed, as Metadata counts; None where nobody knows."""

    def described(self, level: str) -> tuple[Layout, tuple[str, ...]]:
        """See Source; opens every file once more. Raises UseError where it is more than an archive holds."""
        if level == NONE:
            return self.layout, ()
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
        return self.layout.describe(told), tuple(notes)

    def _describe(self, name: str, level: str) -> tuple[Metadata, tuple[str, ...]]:
        with self.load(name) as file:
            metadata, long = describe_file(file)
        when = self.modified_s(name) if level == ALL else None
        return replace(metadata, modified_s=when).keep(level), long

    def _options(self, renamed: Mapping[str, str]) -> dict[str, object]:
        return {"renamed": dict(renamed)} if renamed else {}

    def _decode(self, name: str, header: Header) -> np.ndarray:
        with self.load(name) as file:
            pixels = decode(file, name)
        if (pixels.shape, pixels.dtype.name) != (header.shape, header.dtype):
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
            self._decode(name, header)
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
            sample, suffix = take(remaining, spec), _suffix(path.name, spec)
            write_bytes(path, encode(sample, suffix, member.metadata), force=force)
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
        try:
            return (self._root / name).open("rb")
        except OSError as refusal:
            raise BadItem(f"{name} cannot be opened: {refusal.strerror}.") from refusal

    def modified_s(self, name: str) -> int | None:
        """See ImageSource."""
        seconds = (self._root / name).stat().st_mtime_ns // 10**9
        return seconds if is_time(seconds) else None


def is_image(name: str) -> bool:
    """Whether a file is an image by its name; hidden ones, such as thumbnails, are not."""
    return ends_in(name, SUFFIXES)


def restored_names(layout: Layout, spec: DataSpec) -> list[str]:
    """Return the name that each member gets when it is written back."""
    renamed = layout.options.get("renamed", {})
    return [renamed.get(member.name) or _restored(member.name, spec) for member in layout.members]


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
    if len(kinds) < 2:
        return {}
    usual, count = kinds[0]
    return {
        name: f"{name} is {header.kind}, but {count} of {len(headers)} images are {usual}, and all must "
        "be alike. Convert it, or leave such images out with --skip-bad."
        for name, header in headers.items()
        if header.kind != usual
    }


def _spec(headers: Sequence[Header]) -> DataSpec:
    first = headers[0]
    fixed = all(header.shape == first.shape for header in headers)
    shape = first.shape if fixed else (None, None, *first.shape[2:])
    axes = ("height", "width", "channel")[: len(shape)]
    high = float(np.iinfo(first.dtype).max)
    return DataSpec(modality="image", axes=axes, shape=shape, dtype=first.dtype, low=0.0, high=high)


def _suffix(name: str, spec: DataSpec) -> str:
    return restored_suffix(PurePosixPath(name).suffix, spec.channels, spec.dtype)


def _restored(name: str, spec: DataSpec) -> str:
    """Return photo.png for photo.jpg, and photo.tif for itself."""
    suffix = PurePosixPath(name).suffix
    kept = suffix.lower().replace(".tiff", ".tif") == _suffix(name, spec)
    return name if kept else name.removesuffix(suffix) + ".png"


def _renamed(names: Sequence[str], spec: DataSpec) -> dict[str, str]:
    """Return other names for images that would otherwise be restored over one another.

    Settled when the whole source is known, so that one item restored alone gets the same name.
    """
    taken = {name.casefold() for name in names if _restored(name, spec) == name}
    renamed: dict[str, str] = {}
    for name in names:
        plain = restored = _restored(name, spec)
        if plain == name:
            continue
        while restored.casefold() in taken:
            restored = (name if restored == plain else restored) + ".png"
        taken.add(restored.casefold())
        if restored != plain:
            renamed[name] = restored
    return renamed
