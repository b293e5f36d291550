"""Patterns that are compiled at their first use."""

import importlib
import pickle
import pkgutil
import re

import pytest

import xenwatch
from xenwatch.base import lazy_re


def test_a_pattern_does_what_that_of_re_does():
    pattern = lazy_re.compile(r"vif(?P<domid>\d+)", lazy_re.IGNORECASE)
    assert pattern.pattern == r"vif(?P<domid>\d+)"
    assert pattern.sub("x", "VIF3 is gone") == "x is gone"
    assert pattern.groupindex == {"domid": 1}
    found = pattern.search("the VIF12 of web")
    assert found is not None
    assert found["domid"] == "12"
    assert pickle.loads(pickle.dumps(pattern)).findall("vif1 vif2") == ["1", "2"]


def test_a_pattern_that_is_none_is_found_at_its_first_use():
    pattern = lazy_re.compile("(")
    with pytest.raises(re.error):
        pattern.match("x")


def test_every_pattern_of_every_module_can_be_compiled():
    modules = pkgutil.walk_packages(xenwatch.__path__, "xenwatch.")
    held = [
        value
        for module in modules
        if module.name != "xenwatch.cli.main"
        for value in vars(importlib.import_module(module.name)).values()
        if isinstance(value, lazy_re.LazyPattern)
    ]
    assert len(held) > 100
    assert all(pattern.flags for pattern in held if isinstance(pattern.pattern, str))  # asking compiles it
    assert all(pattern.groups >= 0 for pattern in held)
