"""Every registered bottleneck keeps the laws of its family."""

import pytest

from isthmus.bottlenecks import BOTTLENECKS
from isthmus.testing import check_bottleneck


@pytest.mark.parametrize("name", BOTTLENECKS)
def test_every_bottleneck_keeps_the_laws(name):
    check_bottleneck(name)
