"""The words of the Core Business Vocabulary 2.0 that stand in events, and the three ways in which they are written."""

from __future__ import annotations

from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


BIZ_STEPS: Final = _words(
    "accepting arriving assembling collecting commissioning consigning creating_class_instance cycle_counting "
    "decommissioning departing destroying disassembling dispensing encoding entering_exiting holding inspecting "
    "installing killing loading other packing picking receiving removing repackaging repairing replacing reserving "
    "retail_selling returning sampling sensor_reporting shipping staging_outbound stock_taking stocking storing "
    "transporting unloading unpacking void_shipping"
)

DISPOSITIONS: Final = _words(
    "active available completeness_inferred completeness_verified conformant container_closed container_open damaged "
    "destroyed dispensed disposed encoded expired in_progress in_transit inactive mismatch_class mismatch_instance "
    "mismatch_quantity needs_replacement no_pedigree_match non_conformant non_sellable_other partially_dispensed "
    "recalled reserved retail_sold returned sellable_accessible sellable_not_accessible stolen unavailable "
    "unknown"
)

TRANSACTION_TYPES: Final = _words("bol cert desadv inv pedigree po poc prodorder recadv rma testprd testres upevt")

SOURCE_TYPES: Final = frozenset({"owning_party", "possessing_party", "location"})

ERROR_REASONS: Final = frozenset({"did_not_occur", "incorrect_data"})

#: What may stand before a word, lower case: a web vocabulary, its prefix, and the URN of EPCIS 1.
_WEB: Final = ("https://ref.gs1.org/cbv/", "http://ref.gs1.org/cbv/", "cbv:")
_KINDS: Final = ("bizstep", "disp", "btt", "sdt", "er")
_URN: Final = "urn:epcglobal:cbv:"


def bare(text: str) -> str:
    """``shipping`` of ``shipping``, ``cbv:BizStep-shipping``, ``https://ref.gs1.org/cbv/BizStep-shipping`` or
    ``urn:epcglobal:cbv:bizstep:shipping``; whatever is of another vocabulary as it is."""
    lowered = text.lower()
    for start in _WEB:
        for kind in _KINDS:
            if lowered.startswith(f"{start}{kind}-"):
                return text[len(start) + len(kind) + 1 :]
    for kind in _KINDS:
        if lowered.startswith(f"{_URN}{kind}:"):
            return text[len(_URN) + len(kind) + 1 :]
    return text


def check(text: str, words: frozenset[str]) -> str:
    """``text`` as its bare word. Another vocabulary's word has a colon in it. Raises ValueError."""
    word = bare(text)
    if word in words or ":" in word:
        return word
    raise ValueError(f"'{text[:60]}' is not a word of the Core Business Vocabulary; write one of your own as a URI")
