"""What the installed agent mends by itself or on a person's word is mended on a real Xen host, or rightly refused."""

from typing import Any

import pytest
import repair as repairs
from machine import Machine

pytestmark = pytest.mark.xenhost


@pytest.mark.parametrize("repair", repairs.load(), ids=lambda repair: repair.name)
def test_it_is_mended_and_the_journal_is_whole(allowed: Machine, repair: repairs.Repair, mended: Any) -> None:
    allowed.restore("allowed")
    allowed.wait_ready()
    with mended(allowed, repair.name, repair.title) as steps:
        repairs.mend(allowed, repair, steps)
