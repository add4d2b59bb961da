"""The state that a Nuxt 3 page embeds as `__NUXT_DATA__`: one flat array, whose values are indexes.

`[{"score": 1}, 93]` means `{"score": 93}`: a number inside a list or an object is never a figure
but the place of one. Who reads such a number as it stands takes 2769 for a score.
"""

from __future__ import annotations

from typing import Any

_WRAPPERS = frozenset(
    {"Reactive", "ShallowReactive", "Ref", "ShallowRef", "EmptyRef", "EmptyShallowRef", "NuxtError"}
)


def hydrated(values: list[Any]) -> list[Any]:
    """Each value of the array with its indexes resolved, in the array's order.

    >>> hydrated([["Reactive", 1], {"score": 2}, 93])[0]
    {'score': 93}

    Lists and objects are made once and filled in place, so that values which hold each other
    (the format allows it) cost neither recursion nor a copy. What is not a valid index (a
    negative one stands for `undefined` and the like) becomes None.
    """
    size = len(values)
    made = [{} if type(v) is dict else [] if type(v) is list else v for v in values]
    for position, value in enumerate(values):
        if type(value) is list and _is_wrapper(value):
            made[position] = _unwrapped(values, made, value)
    for built, value in zip(made, values, strict=True):
        if type(value) is dict:
            for key, i in value.items():
                built[key] = made[i] if type(i) is int and 0 <= i < size else None
        elif type(value) is list and not (value and type(value[0]) is str):
            built.extend([made[i] if type(i) is int and 0 <= i < size else None for i in value])
    return made


def _is_wrapper(value: Any) -> bool:
    return (
        type(value) is list and len(value) == 2 and type(value[0]) is str and value[0] in _WRAPPERS
    )


def _unwrapped(values: list[Any], made: list[Any], wrapper: list[Any]) -> Any:
    """What a wrapper holds; wrappers may be nested, but a circle of them holds nothing."""
    index = wrapper[1]
    for _ in _WRAPPERS:
        if type(index) is not int or not 0 <= index < len(values):
            return None
        if not _is_wrapper(values[index]):
            return made[index]
        index = values[index][1]
    return None
