"""What a run promises: the best weights, a reason when it stops, figures that are true."""

import csv
import itertools
import math

import pytest
import torch

from isthmus.config import OPTIMISERS, SCHEDULES
from isthmus.errors import ConfigError, Diverged
from isthmus.training import CHECKPOINT, loop
from isthmus.training.history import read_history
from isthmus.training.loop import evaluate
from isthmus.training.progress import Silent


@pytest.mark.parametrize(("optimiser", "schedule"), list(itertools.product(OPTIMISERS, SCHEDULES)))
def test_every_optimiser_lowers_the_loss_under_every_schedule(run, optimiser, schedule):
    rate = {"sgd": 0.1}.get(optimiser, 0.01)
    for clip_norm, clip_value in itertools.product(("none", 1.0), ("none", 0.1)):
        trained, _ = run(
            "train.steps=16",
            "train.evaluate_every=4",
            f"train.optimiser={optimiser}",
            f"train.schedule={schedule}",
            f"train.learning_rate={rate}",
            f"train.clip_norm={clip_norm}",
            f"train.clip_value={clip_value}",
        ).train()
        assert trained.stopped == "all steps"
        first, *_, last = trained.progress.rows
        assert last.held_out_distortion < first.held_out_distortion
        assert (first.gradient_norm > 0) == (clip_norm != "none")


@pytest.fixture
def held_out_losses(monkeypatch):
    """Let the looks at held-out data find these losses, whatever the net does."""

    def script(*losses):
        coming = iter(losses)
        monkeypatch.setattr(loop, "evaluate", lambda learner, held_out: (next(coming), 0.0, 0.0))

    return script


STEADY = ("train.evaluate_every=2", "train.ema_decay=none")


def test_the_best_weights_are_kept_not_the_last(run, held_out_losses):
    made = run("train.steps=10", *STEADY)
    session = made.session()
    seen = []

    class Watch(Silent):
        def row(self, row):
            seen.append({name: tensor.clone() for name, tensor in session.learner.state_dict().items()})

    held_out_losses(5.0, 2.0, 1.0, 3.0, 1.0)
    trained = session.train(session.plan(resume=False), Watch())
    progress = trained.progress
    assert (progress.best_loss, progress.best_step, progress.since_best) == (1.0, 6, 2)
    assert [row.best for row in progress.rows] == [True, True, True, False, False]
    for name, tensor in session.learner.state_dict().items():
        assert torch.equal(tensor, seen[2][name])
    assert not torch.equal(seen[2]["net.encoder.code.weight"], seen[4]["net.encoder.code.weight"])


def test_the_weights_that_were_judged_are_the_ones_that_are_kept(run):
    trained, session = run("train.steps=30", "train.evaluate_every=5", "train.ema_decay=0.9").train()
    again = evaluate(session.learner, session._held_out)
    assert again is not None
    assert again[0] == trained.progress.best_loss


def test_it_stops_early_when_the_held_out_loss_no_longer_falls(run, held_out_losses):
    held_out_losses(3.0, 2.0, 2.5, 2.0, 2.1)
    trained, _ = run("train.steps=400", *STEADY, "train.patience=3").train()
    assert (trained.stopped, trained.progress.step, trained.progress.best_step) == ("early", 10, 4)


def test_a_held_out_loss_of_nan_is_an_error_too(run, held_out_losses):
    held_out_losses(1.0, math.nan)
    with pytest.raises(Diverged, match="by step 4 it was nan"):
        run("train.steps=10", *STEADY).train()


@pytest.mark.parametrize(("steps", "held_out"), [(1, 0.1), (2, 0.0), (7, 0.1), (40, 0.0)])
def test_a_loss_that_explodes_is_an_error_with_its_reason(run, steps, held_out):
    exploding = run(
        f"train.steps={steps}",
        f"data.held_out={held_out}",
        "train.learning_rate=1e30",
        "train.optimiser=sgd",
        "train.clip_norm=none",
        "train.checkpoint_every_s=0",
    )
    with pytest.raises(Diverged, match=r"lower train\.learning_rate \(it was 1e\+30\)"):
        exploding.train()


def test_a_diverged_run_leaves_no_model(images, tmp_path):
    from isthmus.tasks.fit import fit
    from tiny import TINY

    with pytest.raises(Diverged):
        fit(images, tmp_path / "m.ism", settings=[*TINY, "train.learning_rate=1e30"], quiet=True)
    assert not (tmp_path / "m.ism").exists()


class Clock(Silent):
    """Lets time pass as it likes."""

    def __init__(self, monkeypatch, seconds_per_step: float) -> None:
        self._now, self._each = 0.0, seconds_per_step
        monkeypatch.setattr(loop.time, "monotonic", lambda: self._now)

    def step(self, done: int) -> None:
        self._now += self._each


@pytest.mark.parametrize("held_out", [0.0, 0.1])
@pytest.mark.parametrize("evaluate_every", [1, 4, 7, 100])
def test_a_run_that_takes_longer_than_its_budget_stops_with_the_best_weights(
    run, monkeypatch, evaluate_every, held_out
):
    late = run("train.steps=100", f"data.held_out={held_out}")
    session = late.session()
    plan = session.plan(resume=False)
    clock = Clock(monkeypatch, seconds_per_step=1.0)
    from dataclasses import replace

    trained = session.train(replace(plan, budget_s=6.5, evaluate_every=evaluate_every), clock)
    monkeypatch.undo()
    assert trained.stopped == "budget"
    assert trained.progress.step == 7
    steps = [row.step for row in trained.progress.rows]
    assert steps == sorted({*range(evaluate_every, 8, evaluate_every), 7}), "one look at a step, no more"
    assert all(row.train_loss > 0 for row in trained.progress.rows)


def test_the_last_look_is_taken_once_even_when_it_ends_after_the_budget(run, monkeypatch):
    ending = run("train.steps=5")
    session = ending.session()
    from dataclasses import replace

    plan = replace(session.plan(resume=False), budget_s=4.5)
    trained = session.train(plan, Clock(monkeypatch, seconds_per_step=1.0))
    monkeypatch.undo()
    assert trained.stopped == "all steps"
    assert [row.step for row in trained.progress.rows] == [5]


def test_history_comes_back_and_csv_says_the_same(run):
    made = run("train.steps=12", "train.evaluate_every=4")
    trained, _ = made.train()
    assert read_history(made.folder) == trained.progress.rows
    with (made.folder / "history.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    assert [int(row["step"]) for row in table] == [4, 8, 12]
    assert [float(row["held_out_loss"]) for row in table] == [r.held_out_loss for r in trained.progress.rows]


def test_history_without_held_out_data_comes_back(run):
    made = run("train.steps=4", "data.held_out=0.0")
    trained, _ = made.train()
    assert read_history(made.folder) == trained.progress.rows
    assert trained.progress.rows[0].held_out_loss is None
    assert math.isfinite(trained.progress.best_loss)


def test_a_row_tells_the_learning_rate_that_was_used(run, held_out_losses):
    """Even at the look after which the plateau schedule lowers it."""
    held_out_losses(3.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0, 2.0, 3.0)
    plateau = ("train.schedule=plateau", "train.warmup=0", "train.learning_rate=1.0", "train.patience=none")
    trained, _ = run("train.steps=18", *STEADY, *plateau).train()
    assert [row.learning_rate for row in trained.progress.rows] == [1, 1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25]


def test_samples_per_second_counts_the_samples_there_are(run, images):
    """A batch larger than the data holds all of them, and no more."""
    small = run("train.steps=4", "train.batch_size=4096", samples=images[:20])
    trained, session = small.train()
    assert session._feed.batch_size == 18
    assert trained.progress.rows[-1].samples_per_s > 0


@pytest.mark.parametrize("precision", ["bfloat16", "float32"])
def test_either_precision_runs_whichever_ran_before(run, precision):
    trained, session = run("train.steps=16", "train.evaluate_every=4", f"train.precision={precision}").train()
    first, *_, last = trained.progress.rows
    assert last.held_out_loss < first.held_out_loss
    assert session.accelerator.mixed_precision == ("bf16" if precision == "bfloat16" else "no")
    assert {p.dtype for p in session.learner.parameters()} == {torch.float32}


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is such a device here")
def test_a_device_that_is_not_there_is_refused(run):
    with pytest.raises(ConfigError, match=r"train\.device must be auto or cpu on this machine; got 'cuda'"):
        run("train.device=cuda").train()


def test_streamed_samples_train_the_same_net_as_samples_in_memory(run):
    trained, session = run("train.steps=12").train()
    streamed, other = run("train.steps=12", "data.memory_limit_mb=0").train()
    assert [r.held_out_loss for r in trained.progress.rows] == [
        r.held_out_loss for r in streamed.progress.rows
    ]
    for name, tensor in session.learner.state_dict().items():
        assert torch.equal(tensor, other.learner.state_dict()[name])


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("bottleneck.nonsense=1", "no option 'nonsense'. Known: rate_weight"),
        ("bottleneck.rate_weight=abc", "does not take"),
        ("loss.distortion={name='huber', delta='x'}", "delta|does not take"),
        ("data.corruption={name='gaussian', nonsense=1}", "does not take"),
        ("data.transform={name='unit', nonsense=1}", "does not take"),
        ("net.encoder.nonsense=1", "option of net.encoder"),
    ],
)
def test_an_option_that_a_part_does_not_take_is_refused(run, setting, message):
    with pytest.raises(ConfigError, match=message):
        run(setting).train()


def test_a_checkpoint_is_written_at_the_end(run):
    made = run("train.steps=2")
    made.train()
    assert (made.folder / CHECKPOINT).stat().st_size > 0
