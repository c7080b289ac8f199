"""Every registered net keeps the laws of its family."""

import pytest

from isthmus.nets import NETS
from isthmus.testing import check_net


@pytest.mark.parametrize("name", NETS)
def test_every_net_keeps_the_laws(name):
    check_net(name)
