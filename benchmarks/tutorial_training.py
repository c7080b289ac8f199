"""The article's own training loop against ours: same network, batch size, data, machine and run.

The article prints a 784-128-64-784-64-128-784 network, Adam at 0.01, and a loop over a data set
that gives one PIL image at a time as a tensor. Its code lacks the loaders and views the output as
28 × 28 where the loss needs 784; the least repair is below. Its printed 600 steps an epoch imply
batches of 100. Epochs of both alternate, with the network's matrix products alone between them,
so that a change in the machine's speed meets all of them.

    make bench NAME=tutorial-training
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from statistics import median

import numpy as np

from isthmus.threads import let_waiting_threads_spin_briefly

let_waiting_threads_spin_briefly()  # before PyTorch loads, as the command does

import torch
from common import data_root, machine, publish
from PIL import Image
from torch import nn, optim

from isthmus.data import fit_transform, open_source
from isthmus.recipes import load_recipe
from isthmus.training.loop import train
from isthmus.training.plan import Plan
from isthmus.training.progress import Silent
from isthmus.training.session import Session, has_bfloat16

BATCH = 100
WIDTHS = (784, 128, 64, 784, 64, 128, 784)


class Autoencoder(nn.Module):
    """As printed in the article."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 28 * 28)
        )
        self.decoder = nn.Sequential(
            nn.Linear(28 * 28, 64),
            nn.ReLU(),
            nn.Linear(64, 128),
            nn.ReLU(),
            nn.Linear(128, 784),
            nn.Sigmoid(),
        )

    def forward(self, x):
        encoded = self.encoder(x.view(-1, 784))
        decoded = self.decoder(encoded.view(-1, 28 * 28))
        return decoded.view(-1, 28 * 28)  # the repair: the loss compares with 784 values


class OneByOne(torch.utils.data.Dataset):
    """What datasets.MNIST with transforms.ToTensor() does for one sample, check by check."""

    def __init__(self, images, labels):
        self.images, self.labels = torch.from_numpy(images), torch.from_numpy(labels)

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        picture, label = Image.fromarray(self.images[index].numpy()), int(self.labels[index])
        kinds = {"I": np.int32, "I;16": np.int16, "F": np.float32}
        tensor = torch.from_numpy(np.array(picture, kinds.get(picture.mode, np.uint8), copy=True))
        tensor = tensor.view(picture.size[1], picture.size[0], len(picture.getbands()))
        tensor = tensor.permute((2, 0, 1)).contiguous()
        return tensor.to(dtype=torch.get_default_dtype()).div(255), label


class Article:
    """The article's loop, an epoch at a time."""

    def __init__(self, images):
        labels = np.zeros(len(images), np.int64)
        self.loader = torch.utils.data.DataLoader(OneByOne(images, labels), batch_size=BATCH, shuffle=True)
        self.autoencoder = Autoencoder()
        self.criterion = nn.MSELoss()
        self.optimizer = optim.Adam(self.autoencoder.parameters(), lr=0.01)

    def epoch(self):
        for i, (images, _) in enumerate(self.loader):
            images = images.view(-1, 28 * 28)
            self.optimizer.zero_grad()
            output = self.autoencoder(images)
            loss = self.criterion(output, images)
            loss.backward()
            self.optimizer.step()
            if i % 100 == 0:
                print(f"Step [{i + 1}/{len(self.loader)}], Loss: {loss.item():.4f}", file=sys.stderr)


class Products:
    """The matrix products of one training step: forward, and backward but for the first input."""

    def __init__(self):
        self.values = [torch.rand(BATCH, width) for width in WIDTHS]
        self.weights = [torch.rand(b, a) for a, b in pairwise(WIDTHS)]

    def epoch(self, steps=600):
        for _ in range(steps):
            for value, weight in zip(self.values, self.weights, strict=False):
                torch.mm(value, weight.t())
            for i, weight in reversed(list(enumerate(self.weights))):
                torch.mm(self.values[i + 1].t(), self.values[i])
                if i:
                    torch.mm(self.values[i + 1], weight)


class Between(Silent):
    """Times each of our epochs, and lets the others run between two of them."""

    def __init__(self, others):
        self.others, self.ours = others, []
        self.theirs = {name: [] for name in others}

    def start(self, steps, done):
        self.since = time.perf_counter()

    def row(self, row):
        self.ours.append(time.perf_counter() - self.since)
        for name, other in self.others.items():
            started = time.perf_counter()
            other.epoch()
            self.theirs[name].append(time.perf_counter() - started)
        self.since = time.perf_counter()


def our_epochs(source, others, *, precision, compiled, epochs, threads):
    """Seconds of each epoch, ours and the others', through the product's own loop."""
    config = load_recipe("tutorial-mlp").with_train(precision=precision)
    folder = Path(tempfile.mkdtemp())
    transform = fit_transform(config.data.transform, source.spec, source.read(range(100)))
    session = Session(source, config, transform, np.arange(len(source)), np.arange(0), folder)
    plan = Plan(600 * epochs, 600, 600, threads, compiled, None, None)
    between = Between(others)
    between.start(plan.steps, 0)
    train(session.learner, session._feed, [], config.train, plan, accelerator=session.accelerator,
          folder=folder, identity={}, watcher=between)  # fmt: skip
    shutil.rmtree(folder)
    return between.ours, between.theirs


def measure(source, images, threads, *, precision, compiled):
    torch.set_num_threads(threads)
    others = {"article": Article(images), "products": Products()}
    ours, theirs = our_epochs(
        source, others, precision=precision, compiled=compiled, epochs=5, threads=threads
    )
    ours, article, products = ours[1:], theirs["article"][1:], theirs["products"][1:]  # the first warms up
    return {
        "threads": threads,
        "ours_samples_per_s": round(60_000 / median(ours)),
        "article_samples_per_s": round(60_000 / median(article)),
        "times_the_article": round(median(a / o for a, o in zip(article, ours, strict=True)), 2),
        "step_ms": round(median(ours) / 600 * 1e3, 3),
        "products_ms": round(median(products) / 600 * 1e3, 3),
        "step_over_products": round(median(o / p for o, p in zip(ours, products, strict=True)), 2),
    }


def main():
    before = machine()
    source = open_source(data_root() / "mnist" / "train-images-idx3-ubyte.gz")
    images = source.stack(range(len(source)))
    ways = [("float32", False), ("auto", False)]
    if shutil.which("g++") or shutil.which("clang++"):
        ways += [("float32", True), ("auto", True)]
    figures = {"auto_is_bfloat16": has_bfloat16(cpu=True)}
    for threads in sorted({1, os.cpu_count()}):
        for precision, compiled in ways:
            name = f"{precision}{', compiled' * compiled}, {threads} thread{'s' * (threads > 1)}"
            figures[name] = measure(source, images, threads, precision=precision, compiled=compiled)
    publish("tutorial-training", figures, machine_then=before)


if __name__ == "__main__":
    main()
