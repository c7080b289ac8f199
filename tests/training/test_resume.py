"""A run that was interrupted and resumed ends in the same bits as one that was not."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace

import numpy as np
import pytest
import torch

from isthmus.errors import ConfigError, DamagedFile
from isthmus.training import CHECKPOINT
from isthmus.training.checkpoint import load_checkpoint
from isthmus.training.progress import Silent

HARD = (
    "train.steps=24",
    "train.evaluate_every=5",
    "train.batch_size=48",
    "train.schedule=plateau",
    "train.checkpoint_every_s=0",
    "train.patience=none",
    "train.ema_decay=0.9",
    "net.encoder={name='mlp', hidden=[8], dropout=0.3}",
    "data.corruption={name='gaussian', std=0.1}",
    "data.shift=1",
    "data.flip=true",
    "data.rotate_degrees=10",
)
"""Everything that is random or remembers something, at once."""


class StopAt(Silent):
    """Fails after some steps, as a crash would: in the middle, with nothing tidied up."""

    def __init__(self, step: int) -> None:
        self._step = step

    def step(self, done: int) -> None:
        if done == self._step:
            raise RuntimeError("crash")


def rows(progress):
    return [replace(row, seconds=0.0, samples_per_s=0.0) for row in progress.rows]


def state(session):
    return {name: tensor.clone() for name, tensor in session.learner.state_dict().items()}


def assert_same(first, second):
    (trained, session), (again, session_again) = first, second
    assert rows(trained.progress) == rows(again.progress)
    one, two = state(session), state(session_again)
    assert one.keys() == two.keys()
    for name in one:
        assert torch.equal(one[name], two[name]), name
    for field in ("step", "best_loss", "best_step", "since_best", "reductions", "stopped"):
        assert getattr(trained.progress, field) == getattr(again.progress, field)


@pytest.mark.parametrize("optimiser", ["adamw", "sgd"])
@pytest.mark.parametrize("bottleneck", ["rate", "variational"])
def test_a_crashed_run_goes_on_as_if_nothing_had_been(run, optimiser, bottleneck):
    settings = (*HARD, f"train.optimiser={optimiser}", f"bottleneck={bottleneck}")
    whole = run(*settings).train()
    broken = run(*settings)
    for step in (2, 6, 17):
        with pytest.raises(RuntimeError, match="crash"):
            broken.train(resume=step > 2, watcher=StopAt(step))
    resumed = broken.train(resume=True)
    assert_same(whole, resumed)


def test_momentum_without_state_resumes_too(run):
    settings = (*HARD, "train.optimiser=sgd", "train.momentum=0", "train.ema_decay=none")
    whole = run(*settings).train()
    broken = run(*settings)
    with pytest.raises(RuntimeError, match="crash"):
        broken.train(watcher=StopAt(7))
    assert_same(whole, broken.train(resume=True))


def test_a_run_that_was_over_stays_over(run, monkeypatch):
    from isthmus.training import loop

    coming = iter([3.0, 4.0])
    monkeypatch.setattr(loop, "evaluate", lambda learner, held_out: (next(coming), 0.0, 0.0))
    early = run(*HARD, "train.patience=1", "train.steps=200", "train.evaluate_every=2")
    first, _ = stopped = early.train()
    assert (first.stopped, first.progress.step) == ("early", 4)
    assert_same(stopped, early.train(resume=True))


def test_ctrl_c_leaves_a_checkpoint_that_goes_on_the_same(run):
    class PressAt(Silent):
        def step(self, done):
            if done == 9:
                os.kill(os.getpid(), signal.SIGINT)

    settings = (*HARD, "train.checkpoint_every_s=1000")
    whole = run(*settings).train()
    stopped = run(*settings)
    with pytest.raises(KeyboardInterrupt):
        stopped.train(watcher=PressAt())
    assert load_checkpoint(stopped.folder).progress.step == 9
    assert_same(whole, stopped.train(resume=True))


KILLED = """
    import sys, time
    import numpy as np
    from pathlib import Path
    from isthmus.tasks.fit import fit

    class Slow:
        def start(self, steps, done): pass
        def step(self, done): time.sleep(0.01)
        def row(self, row): pass
        def stop(self): pass

    import isthmus.training.progress as progress
    progress.watcher_for = lambda quiet: Slow()
    settings, folder, resume = sys.argv[1].split(";"), Path(sys.argv[2]), sys.argv[3] == "resume"
    images = np.load(folder / "images.npy")
    fit(images, folder / "model.ism", recipe="tiny-images", settings=settings, resume=resume, force=True)
"""


def test_a_killed_process_goes_on_as_if_nothing_had_been(images, tmp_path):
    from isthmus.model import Model
    from isthmus.tasks.fit import fit
    from tiny import TINY

    settings = [*TINY, *HARD, "train.steps=60"]
    np.save(tmp_path / "images.npy", images)
    whole = fit(images, recipe="tiny-images", settings=settings, quiet=True, run=tmp_path / "whole").model

    def child(mode):
        arguments = [";".join(settings), str(tmp_path), mode]
        return subprocess.Popen([sys.executable, "-c", textwrap.dedent(KILLED), *arguments])

    checkpoint = tmp_path / "model.run" / CHECKPOINT
    killed = child("begin")
    try:
        deadline = time.monotonic() + 60
        while not checkpoint.exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.1)
        assert killed.poll() is None, "it was over before it could be killed"
    finally:
        killed.kill()
        killed.wait()
    assert 0 < load_checkpoint(checkpoint.parent).progress.step < 60
    assert not (tmp_path / "model.ism").exists()
    assert child("resume").wait(timeout=60) == 0
    resumed = Model.load(tmp_path / "model.ism")
    assert resumed.hash == whole.hash
    assert all(np.array_equal(resumed.encoder[name], whole.encoder[name]) for name in whole.encoder)


def test_the_seed_and_nothing_else_decides_the_model(images):
    from isthmus.tasks.fit import fit
    from tiny import TINY

    def made(seed):
        return fit(images, settings=[*TINY, f"train.seed={seed}", "train.steps=10"], quiet=True).model

    torch.manual_seed(99)  # what the caller did before must not matter
    first, again, other = made(1), made(1), made(2)
    assert first.hash == again.hash
    assert all(np.array_equal(first.encoder[n], again.encoder[n]) for n in first.encoder)
    assert first.hash != other.hash


def test_other_settings_are_refused_and_named(run, tmp_path):
    first = run(*HARD, folder=tmp_path / "same")
    with pytest.raises(RuntimeError, match="crash"):
        first.train(watcher=StopAt(3))
    other = run(*HARD, "train.batch_size=16", folder=first.folder)
    with pytest.raises(ConfigError, match=r"settings\.train\.batch_size was 48 and is now 16"):
        other.train(resume=True)
    fewer = run(*HARD, samples=first.samples[:200], folder=first.folder)
    with pytest.raises(ConfigError, match=r"data\.samples was 300 and is now 200"):
        fewer.train(resume=True)


def test_nothing_to_resume_is_said(run):
    with pytest.raises(ConfigError, match="Start without --resume"):
        run().train(resume=True)


def test_a_new_run_forgets_an_older_checkpoint_in_its_folder(run, tmp_path):
    run("train.steps=5", folder=tmp_path).train()
    assert (tmp_path / CHECKPOINT).exists()
    second = run("train.steps=5", folder=tmp_path)
    with pytest.raises(RuntimeError, match="crash"):
        second.train(watcher=StopAt(1))
    with pytest.raises(ConfigError, match="there is none"):
        second.train(resume=True)


@pytest.mark.parametrize("place", [0, 9, 200, 0.5, 0.99])
def test_a_damaged_checkpoint_is_found(run, place):
    broken = run("train.steps=3")
    broken.train()
    path = broken.folder / CHECKPOINT
    whole = bytearray(path.read_bytes())
    whole[int(place * len(whole)) if isinstance(place, float) else place] ^= 0x11
    path.write_bytes(whole)
    with pytest.raises(DamagedFile, match="Start without --resume"):
        broken.train(resume=True)
