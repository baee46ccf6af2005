"""Whether all of some facts count. Nearly always they do, and then nobody needs to ask SQL which do not (voids.sql)."""

from __future__ import annotations

import numpy as np
import pyarrow as pa


def may_not_count(facts: pa.Table) -> bool:
    """Whether any of the facts (rows of facts.sql) may be void: said twice, or taken back by another."""
    if "fact.corrected" in facts["fact"].unique().to_pylist():
        return True
    keys = np.sort(np.asarray(facts["fact_key"].to_numpy(), np.uint64))
    return bool(np.any(keys[1:] == keys[:-1]))
