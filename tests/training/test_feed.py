"""Batches are a function of seed and step; input and target differ only by the corruption."""

import numpy as np
import pytest
import torch


def feed(run, *settings):
    return run(*settings).session()._feed


def take(feed, start, count, **keywords):
    batches = feed.from_step(start, **keywords)
    return [next(batches) for _ in range(count)]


RANDOM = ("data.corruption={name='masking', share=0.5}", "data.shift=2", "data.flip=true")


@pytest.mark.parametrize("settings", [(), RANDOM])
@pytest.mark.parametrize("memory", [0, 100])
def test_starting_anywhere_gives_the_batches_of_those_steps(run, settings, memory):
    made = feed(run, *settings, f"data.memory_limit_mb={memory}")
    assert made.steps_per_epoch == 4
    whole = take(made, 0, 10)
    for start in (1, 4, 7):
        for mine, theirs in zip(take(made, start, 3), whole[start:], strict=False):
            assert torch.equal(mine[0], theirs[0])
            assert torch.equal(mine[1], theirs[1])


def test_an_epoch_shows_each_sample_once(run, images):
    made = feed(run, "train.batch_size=27", "data.held_out=0.1")
    seen = torch.cat([clean for _, clean in take(made, 0, 10)])
    assert len(np.unique(seen.flatten(1).numpy(), axis=0)) == len(seen) == 270


def test_corruption_spoils_the_input_and_leaves_the_target(run):
    plain = take(feed(run), 0, 1)[0]
    spoilt, clean = take(feed(run, "data.corruption={name='masking', share=0.5}"), 0, 1)[0]
    assert torch.equal(clean, plain[1])
    assert torch.equal(plain[0], plain[1])
    kept = spoilt == clean
    assert 0.3 < ((~kept) & (clean != 0)).float().sum() / (clean != 0).sum() < 0.7
    assert (spoilt[~kept] == 0).all()


def test_augmentation_moves_input_and_target_together(run):
    moved = take(feed(run, "data.shift=2", "data.flip=true"), 0, 1)[0]
    assert torch.equal(*moved)
    assert not torch.equal(moved[0], take(feed(run), 0, 1)[0][0])


def test_processes_share_a_batch_without_overlap(run):
    from isthmus.training.feed import Feed

    made = run()
    session = made.session()
    whole = take(session._feed, 3, 1)[0][1]
    halves = []
    for rank in (0, 1):
        half = Feed(session._source, session._train, session._transform, made.config, share=(rank, 2))
        halves.append(take(half, 3, 1)[0][1])
    assert torch.equal(torch.stack(halves, 1).flatten(0, 1), whole)
