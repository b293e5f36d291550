"""Pickles dataclasses so that they come back quickly."""

import pickle
from dataclasses import fields, is_dataclass
from typing import Any


class DataclassPickler(pickle.Pickler):
    """Dataclasses come back by their constructor: Python's own way asks for the fields of each of them again."""

    def reducer_override(self, obj: Any) -> Any:
        if isinstance(obj, type) or not is_dataclass(obj):
            return NotImplemented
        return type(obj), tuple(getattr(obj, field.name) for field in fields(obj))
