"""The smallest net that still learns something."""

TINY = (
    "train.steps=40",
    "train.threads=1",
    "train.evaluate_every=20",
    "train.learning_rate=0.01",
    "train.ema_decay=0.9",
    "net.latent=6",
    "net.encoder={name='mlp', hidden=[8]}",
    "net.decoder={name='mlp', hidden=[8]}",
    "bottleneck.rate_weight=0.001",
    "contexts.trees=2",
    "contexts.depth=3",
    "contexts.pixels=5000",
)
"""Settings for a net that trains in a moment."""
