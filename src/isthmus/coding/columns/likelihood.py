"""How many bits symbols take under counts that grow."""

from __future__ import annotations

import numpy as np

STRENGTHS = (16, 64, 256, 1024)
"""In 64ths of a symbol."""


def dirichlet_bits(symbols: np.ndarray, contexts: np.ndarray | None, strength: int = 256) -> float:
    """Bits of symbols, each told by the counts of its context that came before, in any order.

    Args:
        symbols: from 0 up, shape (count,).
        contexts: from 0 up, same shape; None for one context.
        strength: symbols that the shares of all count for in a context, in 64ths.

    Source: the Dirichlet-multinomial likelihood, whose centre is the shares of all symbols.
    """
    from scipy.special import gammaln

    if not len(symbols):
        return 0.0
    alphabet = int(symbols.max()) + 1
    counts = np.bincount(symbols, minlength=alphabet)
    shares = (counts + 0.5) / (len(symbols) + 0.5 * alphabet)
    present = counts > 0
    whole = gammaln(len(symbols) + 0.5 * alphabet) - gammaln(0.5 * alphabet)
    whole -= (gammaln(counts[present] + 0.5) - gammaln(0.5)).sum()
    if contexts is None:
        return float(whole / np.log(2))
    weight = strength / 64
    pairs, pair_counts = np.unique(contexts * alphabet + symbols, return_counts=True)
    guesses = weight * shares[pairs % alphabet]
    seen = np.bincount(contexts)
    seen = seen[seen > 0]
    bits = (gammaln(seen + weight) - gammaln(weight)).sum()
    bits -= (gammaln(pair_counts + guesses) - gammaln(guesses)).sum()
    # The shares are not known beforehand: what telling them costs.
    entropy = -(counts[present] * np.log(counts[present] / len(symbols))).sum()
    return float((bits + whole - entropy) / np.log(2))
