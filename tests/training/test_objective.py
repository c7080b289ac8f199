"""What is made small is distortion + price + penalties, each with its weight."""

import numpy as np
import pytest
import torch

from isthmus.bottlenecks import BOTTLENECKS
from isthmus.errors import ConfigError
from isthmus.losses import LOSSES
from isthmus.losses import penalties as penalty
from isthmus.training.objective import code_and_weight_penalties


def losses(run, *settings, progress=1.0):
    session = run(*settings).session()
    torch.manual_seed(0)
    batch = session._held_out[0]
    return session, session.learner.eval()(batch, batch, progress)


def test_a_plain_code_costs_its_distortion_alone(run):
    session, found = losses(run, "bottleneck=plain")
    batch = session._held_out[0]
    output = session.learner.net(batch)
    torch.testing.assert_close(found.total, (output - batch).square().mean())
    torch.testing.assert_close(found.distortion, found.total.detach())
    assert found.rate_bits == 0


def test_the_price_of_the_rate_is_told_and_added(run):
    _, found = losses(run, "bottleneck={name='rate', rate_weight=0.25}")
    assert found.rate_bits > 0
    torch.testing.assert_close(found.total.detach(), found.distortion + 0.25 * found.rate_bits)


@pytest.mark.parametrize("name", ["weights_l1", "weights_l2", "code_l1", "code_kl"])
def test_each_penalty_is_added_with_its_weight(run, name):
    session, plain = losses(run, "bottleneck=plain")
    _, with_penalty = losses(run, "bottleneck=plain", f"loss.{name}=0.5")
    code = session.learner.net.encode(session._held_out[0])
    value = {
        "weights_l1": lambda: penalty.weights_l1(session.learner.net),
        "weights_l2": lambda: penalty.weights_l2(session.learner.net),
        "code_l1": lambda: penalty.code_l1(code),
        "code_kl": lambda: penalty.code_kl(code, target=0.05),
    }[name]()
    assert value > 0
    torch.testing.assert_close(with_penalty.total, plain.total + 0.5 * value)


def test_no_penalty_costs_no_time(run):
    session = run().session()
    assert code_and_weight_penalties(session.learner.net, torch.ones(2, 3), run().config.loss) == 0


@pytest.mark.parametrize("name", ["weights_l1", "weights_l2"])
def test_a_penalty_on_weights_makes_them_smaller(run, name):
    def norm(weight):
        _, session = run("train.steps=30", "train.ema_decay=none", f"loss.{name}={weight}").train()
        return sum(p.abs().sum() for p in session.learner.net.parameters() if p.ndim > 1)

    assert norm(0.01) < norm(0.0)


@pytest.mark.parametrize("name", LOSSES)
def test_every_loss_trains_end_to_end(run, name, images):
    settings = ["train.steps=5", "train.evaluate_every=1", "train.ema_decay=none", f"loss.distortion={name}"]
    rows = images.reshape(len(images), -1).astype(np.float32)
    samples = rows if name == "categorical_cross_entropy" else images
    trained, session = run(*settings, samples=samples).train()
    first, *_, last = trained.progress.rows
    assert last.held_out_distortion < first.held_out_distortion
    model = session.to_model({})
    link = session.learner.distortion.link
    assert link == "identity" or model.decoder.program.ops[-1].kind == link


def test_a_softmax_over_one_number_is_refused(run):
    with pytest.raises(ConfigError, match="softmax runs over must be at least 2 long"):
        run("loss.distortion=categorical_cross_entropy").session()


@pytest.mark.parametrize("name", BOTTLENECKS)
def test_every_bottleneck_trains_end_to_end(run, name, images):
    trained, session = run(
        "train.steps=5", "train.evaluate_every=1", "train.ema_decay=none", f"bottleneck={name}"
    ).train()
    first, *_, last = trained.progress.rows
    assert last.held_out_distortion < first.held_out_distortion
    model = session.to_model({})
    assert model.decoder.decode(model.quantise(images)).shape == images.shape


@pytest.mark.parametrize(
    "net",
    [
        "{name='mlp', hidden=[8]}",
        "{name='conv', channels=[4, 8]}",
        "{name='residual', channels=4, blocks=1, stride=4}",
    ],
)
def test_every_net_trains_end_to_end(run, net, images):
    trained, session = run(
        "train.steps=5",
        "train.evaluate_every=1",
        "train.ema_decay=none",
        f"net.encoder={net}",
        f"net.decoder={net}",
    ).train()
    first, *_, last = trained.progress.rows
    assert last.held_out_distortion < first.held_out_distortion
    model = session.to_model({})
    assert model.decoder.decode(model.quantise(images), (8, 8)).shape == images.shape
