"""Every registered loss keeps the laws of its family."""

import pytest

from isthmus.losses import LOSSES
from isthmus.testing import check_loss


@pytest.mark.parametrize("name", LOSSES)
def test_every_loss_keeps_the_laws(name):
    check_loss(name)
