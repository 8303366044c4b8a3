"""Every refusal has a status and a sentence, the kernel's included (clause 1.5)."""

from __future__ import annotations

import pytest

from exchange.domain.rejects import KERNEL_REJECTS, RejectCode
from matching.records import RejectCode as KernelCode

TEXTS = {code.name: (code.status, code.sentence) for code in RejectCode}
KERNEL_TEXTS = {code.name: text for code, text in KERNEL_REJECTS.items()}


def test_the_kernels_codes_are_all_put_into_words() -> None:
    assert set(KERNEL_REJECTS) == set(KernelCode) - {KernelCode.NONE}


def test_no_code_means_two_things() -> None:
    assert set(TEXTS) & set(KERNEL_TEXTS) == set()


@pytest.mark.parametrize("name", [*TEXTS, *KERNEL_TEXTS])
def test_a_refusal_is_a_client_error_or_a_temporary_one_and_a_sentence(name: str) -> None:
    status, sentence = {**TEXTS, **KERNEL_TEXTS}[name]
    unknown = name == "NOT_ACKNOWLEDGING"  # the one refusal after which the outcome isn't known
    assert status == 500 if unknown else status in {403, 404, 409, 422, 429, 503}
    assert sentence[0].isupper()
    assert sentence.endswith(".")
    assert "  " not in sentence
