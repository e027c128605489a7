"""Makes failures in what the contract's tests share as plain as in the tests."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite("tests.contract")
