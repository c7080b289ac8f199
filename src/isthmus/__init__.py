"""Isthmus: train an autoencoder on your own data; compress, restore and describe it.

    from isthmus import Autoencoder, load

    ae = Autoencoder(budget="5m").fit(X)
    blob = ae.compress(X)          # real bytes, the model's among them
    X2 = ae.decompress(blob)
    Z = ae.transform(X)            # features
    ae.save("mine.ism"); ae = load("mine.ism")

Everything is imported on first use, so `import isthmus` stays quick.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from isthmus._version import __version__

if TYPE_CHECKING:
    from isthmus.data import open_source
    from isthmus.errors import IsthmusError
    from isthmus.estimator import Autoencoder, load
    from isthmus.model import Model
    from isthmus.model.denoiser import Denoiser
    from isthmus.model.detector import Detector
    from isthmus.model.series_detector import SeriesDetector
    from isthmus.outliers import OutlierDetector
    from isthmus.spec import DataSpec
    from isthmus.tasks.clean import Cleaner, clean
    from isthmus.tasks.compress import compress, decompress
    from isthmus.tasks.denoise import denoise, fit_denoiser
    from isthmus.tasks.detect import detect, fit_detector
    from isthmus.tasks.evaluate import evaluate
    from isthmus.tasks.features import embed
    from isthmus.tasks.fit import fit
    from isthmus.tasks.info import info
    from isthmus.tasks.series.detect import detect_series, fit_series_detector
    from isthmus.tasks.verify import verify

__all__ = [
    "Autoencoder",
    "Cleaner",
    "DataSpec",
    "Denoiser",
    "Detector",
    "IsthmusError",
    "Model",
    "OutlierDetector",
    "SeriesDetector",
    "__version__",
    "clean",
    "compress",
    "decompress",
    "denoise",
    "detect",
    "detect_series",
    "embed",
    "evaluate",
    "fit",
    "fit_denoiser",
    "fit_detector",
    "fit_series_detector",
    "info",
    "load",
    "open_source",
    "verify",
]

_PLACES = {
    "Autoencoder": "isthmus.estimator",
    "Cleaner": "isthmus.tasks.clean",
    "DataSpec": "isthmus.spec",
    "Denoiser": "isthmus.model.denoiser",
    "Detector": "isthmus.model.detector",
    "IsthmusError": "isthmus.errors",
    "Model": "isthmus.model",
    "OutlierDetector": "isthmus.outliers",
    "SeriesDetector": "isthmus.model.series_detector",
    "clean": "isthmus.tasks.clean",
    "compress": "isthmus.tasks.compress",
    "decompress": "isthmus.tasks.compress",
    "denoise": "isthmus.tasks.denoise",
    "detect": "isthmus.tasks.detect",
    "detect_series": "isthmus.tasks.series.detect",
    "embed": "isthmus.tasks.features",
    "evaluate": "isthmus.tasks.evaluate",
    "fit": "isthmus.tasks.fit",
    "fit_denoiser": "isthmus.tasks.denoise",
    "fit_detector": "isthmus.tasks.detect",
    "fit_series_detector": "isthmus.tasks.series.detect",
    "info": "isthmus.tasks.info",
    "load": "isthmus.estimator",
    "open_source": "isthmus.data",
    "verify": "isthmus.tasks.verify",
}


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'isthmus' has no attribute {name!r}")
    return getattr(importlib.import_module(_PLACES[name]), name)


def __dir__() -> list[str]:
    return __all__
