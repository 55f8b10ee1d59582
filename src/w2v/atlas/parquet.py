"""An atlas as a table that Embedding Atlas opens: places, texts, and neighbours by their row."""

from typing import Any

import numpy as np

from w2v.atlas.points import KINDS
from w2v.files.writing import atomic_write


def write(atlas: Any, path: str) -> None:
    """Write the first map; `neighbors` has lists ``ids`` and ``distances``, these as 1 less the cosine."""
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise ImportError("a table for Embedding Atlas needs pyarrow; pip install 'w2v[parquet]'") from error
    sheet = atlas.sheets[0]
    columns: dict[str, Any] = {
        "x": sheet.places[:, 0],
        "y": sheet.places[:, 1],
        "text": [name.encode("utf-8", "replace").decode() for name in atlas.names],
        "kind": [KINDS[kind] for kind in atlas.kinds.tolist()],
    }
    if sheet.spaces:
        _, rows, cosines = sheet.spaces[0]
        columns["neighbors"] = [
            {"ids": own[own >= 0].tolist(), "distances": (1 - near[own >= 0]).tolist()}
            for own, near in zip(rows, np.asarray(cosines, np.float64), strict=True)
        ]
    for one in atlas.colourings:
        if one.categories is None:
            columns[one.name] = np.asarray(one.values, np.float64)
        else:
            columns[one.name] = [one.none if value < 0 else one.categories[value] for value in one.values.tolist()]
    table = pyarrow.table(columns)
    with atomic_write(path) as file:
        parquet.write_table(table, file)
