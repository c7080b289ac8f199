"""What is decided before training: steps from a budget, looks that cost little, an untouched learner."""

import functools

import pytest
import torch

from isthmus.training import loop
from isthmus.training import plan as module
from isthmus.training.plan import Plan, duration, make_plan


class Machine:
    """Something on which a step takes `step_s` and a look `look`, with a clock that follows."""

    def __init__(self, monkeypatch, step_s: float, look: float = 0.0) -> None:
        self.now, self.step_s, self.look, self.seconds = 0.0, step_s, look, 0.0
        monkeypatch.setattr(module.time, "monotonic", lambda: self.now)

    def rehearse(self, seconds: float) -> "Machine":
        self.seconds = seconds
        return self

    def best_threads(self, asked):
        self.now += max(self.seconds, 5 * self.step_s)
        return asked or 2, self.step_s

    def look_s(self):
        self.now += self.look
        return self.look

    def refine_s(self):
        self.now += 5 * self.step_s
        return 3 * self.step_s

    def try_compiling(self, eager_s):
        raise AssertionError("compile is off")


@pytest.fixture
def machine(monkeypatch):
    return functools.partial(Machine, monkeypatch)


def planned(run, machine, *settings, steps_per_epoch=100):
    return make_plan(run(*settings).config.train, steps_per_epoch=steps_per_epoch, rehearse=machine.rehearse)


BUDGET = ("train.steps=none", "train.evaluate_every=none", "train.threads=none", "train.compile=off")


@pytest.mark.parametrize("step_s", [0.001, 0.05, 1.0])
@pytest.mark.parametrize("budget", [30, 300, 3600])
@pytest.mark.parametrize("look_s", [0.0, 0.5])
def test_a_budget_fixes_the_steps_so_that_they_fit(run, machine, step_s, budget, look_s):
    measured = machine(step_s, look_s)
    plan = planned(run, measured, *BUDGET, f"train.budget_s={budget}")
    looks = plan.steps / plan.evaluate_every
    spent = measured.now + plan.steps * step_s + looks * look_s
    assert spent <= 0.97 * budget + step_s
    assert spent >= 0.7 * budget
    assert looks * look_s <= 0.11 * plan.steps * step_s + look_s
    assert plan.step_s == pytest.approx(step_s)


def test_a_budget_shorter_than_a_step_still_trains_one(run, machine):
    assert planned(run, machine(10.0), *BUDGET, "train.budget_s=1").steps == 1


@pytest.mark.parametrize("spent", [0.0, 50.0])
def test_refining_gets_its_share_of_what_is_left_of_a_budget(run, machine, spent):
    config, measured = run(*BUDGET, "train.budget_s=300").config.train, machine(0.05)
    plan = make_plan(config, steps_per_epoch=100, rehearse=measured.rehearse, spent=spent, refines=True)
    net, contexts = plan.steps * 0.05, plan.refining_steps * 0.15
    assert contexts == pytest.approx(net, rel=0.02)
    assert 0.75 * (300 - spent) <= net + contexts + measured.now <= 0.97 * (300 - spent)


def test_without_a_budget_nothing_depends_on_the_clock(run, machine):
    slow, fast = (planned(run, machine(s), "train.epochs=3", "train.steps=none") for s in (5.0, 0.001))
    assert slow == fast
    assert slow.steps == 300


def test_steps_outvote_epochs(run, machine):
    assert planned(run, machine(0.01), "train.epochs=3", "train.steps=7").steps == 7


def test_looks_are_not_further_apart_than_the_run_is_long(run, machine):
    assert planned(run, machine(0.01), "train.steps=7", "train.evaluate_every=none").evaluate_every == 7


def test_planning_leaves_the_learner_as_it_was(run):
    fresh, planned_on = run(), run("train.threads=none", "train.steps=3")
    session = planned_on.session()
    threads = torch.get_num_threads()
    plan = session.plan(resume=False)
    assert plan.threads in (1, threads, module.os.cpu_count())
    before = fresh.session().learner.state_dict()
    for name, tensor in session.learner.state_dict().items():
        assert torch.equal(tensor, before[name])
    torch.set_num_threads(threads)


def test_a_plan_comes_back_from_its_dict():
    plan = Plan(10, 5, 3, 1, False, None, 2.5)
    assert Plan(**plan.to_dict()) == plan
    assert plan.summary() == "10 steps (2.0 epochs)"


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.4, "0 s"), (45, "45 s"), (89.9, "90 s"), (840, "14 min"), (3900, "1 h 5 min")]
)
def test_durations_are_told_in_words(seconds, words):
    assert duration(seconds) == words


def test_compiling_is_tried_only_where_it_repays(monkeypatch):
    monkeypatch.setattr(module.shutil, "which", lambda name: "/usr/bin/g++")
    assert module.repays_compiling(600)
    assert not module.repays_compiling(60)
    monkeypatch.setattr(module.shutil, "which", lambda name: None)
    assert not module.repays_compiling(600)


def test_a_broken_compiler_does_not_break_the_training(run, monkeypatch):
    def broken(learner):
        raise RuntimeError("no compiler")

    rehearsal = run().session()._rehearse(0.01)
    monkeypatch.setattr(torch, "compile", broken)
    assert rehearsal.try_compiling(0.5) == (False, 0.5)


def test_the_rehearsal_times_the_very_steps_and_looks_of_the_loop(run, monkeypatch):
    """Clipping, averaging, history and all: a plan made from less would not fit its budget."""
    made = run("train.evaluate_every=1", "train.steps=5")
    session = made.session()
    done = []
    step, look = loop.Run.step, loop.Run.look
    monkeypatch.setattr(loop.Run, "step", lambda self, batch: done.append("step") or step(self, batch))
    monkeypatch.setattr(loop.Run, "look", lambda self, count: done.append("look") or look(self, count))
    rehearsal = session._rehearse(0.01)
    assert rehearsal.step_s(0.0) > 0
    assert rehearsal.look_s() > 0
    assert done == ["step"] * 5 + ["look"]
    assert list(made.folder.iterdir()) == []
