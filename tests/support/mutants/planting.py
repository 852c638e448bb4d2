"""Plants a defect on purpose: other text in the source of one function of the operator, for as long as it is asked for.

A defect is planted in the code object, so that whoever has imported the function already has the defect too. Text that
is not there exactly once is an error: the defect would not be planted, and what was to catch it would prove nothing.
"""

from __future__ import annotations
import __future__

import ast
import functools
import importlib
import inspect
import textwrap
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import CodeType, FunctionType
from typing import Any


class NotPlanted(Exception):
    """The function or the text in it is not there any more: write the mutant anew."""


@contextmanager
def planted(where: str, changes: Mapping[str, str]) -> Iterator[None]:
    """`where`: module:function or module:Class.method. `changes`: from which text to which."""
    function = _function(where)
    sound = function.__code__
    function.__code__ = _changed(function, where, changes)
    try:
        yield
    finally:
        function.__code__ = sound


def _function(where: str) -> FunctionType:
    module, _, path = where.partition(":")
    found: Any = importlib.import_module(module)
    for name in path.split("."):
        if name not in vars(found):
            raise NotPlanted(f"{where}: there is no {name}")
        found = vars(found)[name]
    if isinstance(found, property):
        found = found.fget
    elif isinstance(found, functools.cached_property):
        found = found.func
    found = inspect.unwrap(found)
    if not isinstance(found, FunctionType):
        raise NotPlanted(f"{where}: no function")
    return found


def _changed(function: FunctionType, where: str, changes: Mapping[str, str]) -> CodeType:
    source = textwrap.dedent(inspect.getsource(function))
    for old, new in changes.items():
        if source.count(old) != 1:
            raise NotPlanted(f"{where}: {old!r} is there {source.count(old)} times")
        source = source.replace(old, new)
    tree = ast.parse(source)
    (definition,) = tree.body
    if not isinstance(definition, ast.FunctionDef | ast.AsyncFunctionDef):
        raise NotPlanted(f"{where}: no definition")
    definition.decorator_list = []
    whole = compile(tree, f"<mutant of {where}>", "exec", __future__.annotations.compiler_flag, dont_inherit=True)
    codes = (const for const in whole.co_consts if isinstance(const, CodeType))
    code = next(code for code in codes if code.co_name == definition.name)
    if code.co_freevars != function.__code__.co_freevars:
        raise NotPlanted(f"{where}: it needs variables of its surroundings")
    return code
