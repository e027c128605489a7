"""The table of errors in the description is that of the facts catalog."""

from __future__ import annotations

import json
from typing import Any

from tests.contract._calls import document
from tests.contract._facts import EVIDENCE

# Names that differ in the catalog. It has two categories for where an error comes from, not for what it is.
CATEGORIES = {"auth": "authentication", "billing": "quota", "content_filter": "content_policy"}
ORIGINS = {"unknown", "workflow"}
# These are known from another server only: nothing is decided by them.
DOUBTFUL = "doubtful"


def catalog() -> dict[int, dict[str, Any]]:
    """Return the facts of every code."""
    codes = json.loads((EVIDENCE / "error_codes.json").read_text(encoding="utf-8"))["codes"]
    return {error["code"]: error for error in codes}


def described() -> dict[int, dict[str, Any]]:
    """Return the description of every code."""
    return {error["code"]: error for error in document()["components"]["x-coze-errors"]}


def test_codes() -> None:
    """The description has the error codes of the catalog, and no others."""
    assert described().keys() == catalog().keys()


def test_categories() -> None:
    """Each error code has the category of the catalog, where the catalog is not in doubt."""
    expected = {
        code: CATEGORIES.get(fact["category"], fact["category"])
        for code, fact in catalog().items()
        if fact.get("grade") != DOUBTFUL
    }
    kinds = {code: category for code, category in expected.items() if category not in ORIGINS}
    assert {code: described()[code]["category"] for code in kinds} == kinds


def test_retries() -> None:
    """An error code is retryable only where the catalog is certain that it is."""
    assert {code: error.get("retryable", False) for code, error in described().items()} == {
        code: fact["retryable"] is True and fact.get("grade") != DOUBTFUL for code, fact in catalog().items()
    }


def test_doubtful_codes_decide_nothing() -> None:
    """A code that is known from another server only has neither a category nor a word on retries."""
    doubtful = {code for code, fact in catalog().items() if fact.get("grade") == DOUBTFUL}
    assert len(doubtful) > 40
    assert {code for code, error in described().items() if not {"category", "retryable"} & error.keys()} == doubtful


def test_statuses() -> None:
    """A code comes with the HTTP status that the official SDK pairs with it."""
    expected = {
        code: fact["http_status_sdk_mapping"] for code, fact in catalog().items() if "http_status_sdk_mapping" in fact
    }
    assert {code: error["http_status"] for code, error in described().items() if "http_status" in error} == expected
