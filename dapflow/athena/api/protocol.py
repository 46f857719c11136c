"""Requests that fail, and the check of a request against AWS's description of the API."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import Any

import botocore.session
from botocore.model import OperationModel, ServiceModel, Shape


class ApiError(Exception):
    """A request that is refused. ``kind`` is the exception's name in the API."""

    def __init__(self, kind: str, message: str, *, status: int = 400, **fields: Any) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"__type": kind, **fields, "Message": message, "message": message}


def invalid_request(message: str, code: str = "INVALID_INPUT") -> ApiError:
    """The exception that most refusals use."""
    return ApiError("InvalidRequestException", message, AthenaErrorCode=code)


def not_found(message: str, name: str) -> ApiError:
    """A resource that is not there, for the operations that say so by ``ResourceNotFoundException``."""
    return ApiError("ResourceNotFoundException", message, ResourceName=name)


@functools.cache
def service_model() -> ServiceModel:
    """Athena as botocore describes it."""
    return botocore.session.Session().get_service_model("athena")


@functools.cache
def _operation(name: str) -> OperationModel:
    return service_model().operation_model(name)


def check_request(operation: str, request: Any) -> None:
    """Refuse a request that AWS's description of the API does not allow."""
    shape = _operation(operation).input_shape
    if shape is None:
        return
    problems = list(_problems(shape, request, ""))
    if problems:
        noun = "error" if len(problems) == 1 else "errors"
        raise invalid_request(f"{len(problems)} validation {noun} detected: " + "; ".join(problems))


def _problems(shape: Any, value: Any, path: str) -> Iterator[str]:
    kind = shape.type_name
    if kind == "structure":
        if not isinstance(value, dict):
            yield _refusal(value, path, "Member must be a structure")
            return
        for name in shape.required_members:
            if value.get(name) is None:
                yield _refusal(None, _below(path, name), "Member must not be null")
        for name, member in shape.members.items():
            if value.get(name) is not None:
                yield from _problems(member, value[name], _below(path, name))
    elif kind == "list":
        if not isinstance(value, list):
            yield _refusal(value, path, "Member must be a list")
            return
        yield from _length_problems(shape, len(value), value, path)
        for index, item in enumerate(value):
            yield from _problems(shape.member, item, f"{path}.{index + 1}.member")
    elif kind == "map":
        if not isinstance(value, dict):
            yield _refusal(value, path, "Member must be a map")
            return
        for item in value.values():
            yield from _problems(shape.value, item, path)
    elif kind == "string":
        yield from _string_problems(shape, value, path)
    elif kind in {"integer", "long"}:
        yield from _number_problems(shape, value, path)
    elif kind == "boolean" and not isinstance(value, bool):
        yield _refusal(value, path, "Member must be a boolean")


def _string_problems(shape: Any, value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, str):
        yield _refusal(value, path, "Member must be a string")
        return
    if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
        yield _refusal(ascii(value), path, "Member must be Unicode text")
    yield from _length_problems(shape, len(value), value, path)
    allowed = shape.metadata.get("enum")
    if allowed and value not in allowed:
        yield _refusal(value, path, f"Member must satisfy enum value set: [{', '.join(allowed)}]")
    pattern = shape.metadata.get("pattern")
    if pattern and not _matches(pattern, value):
        yield _refusal(value, path, f"Member must satisfy regular expression pattern: {pattern}")


@functools.cache
def _compiled(pattern: str) -> re.Pattern[str] | None:
    try:
        # Java writes a code point above the basic plane as a surrogate pair; Python knows the code point itself.
        return re.compile(re.sub(r"\\uD800\\uDC00-\\uDBFF\\uDFFF", "\U00010000-\U0010ffff", pattern))
    except re.error:
        return None


def _matches(pattern: str, value: str) -> bool:
    compiled = _compiled(pattern)
    return compiled is None or compiled.fullmatch(value) is not None


def _length_problems(shape: Shape, length: int, value: Any, path: str) -> Iterator[str]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and length < least:
        yield _refusal(value, path, f"Member must have length greater than or equal to {least}")
    if most is not None and length > most:
        yield _refusal(value, path, f"Member must have length less than or equal to {most}")


def _number_problems(shape: Shape, value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, int) or isinstance(value, bool):
        yield _refusal(value, path, "Member must be a number")
        return
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and value < least:
        yield _refusal(value, path, f"Member must have value greater than or equal to {least}")
    if most is not None and value > most:
        yield _refusal(value, path, f"Member must have value less than or equal to {most}")


def _below(path: str, name: str) -> str:
    member = name[:1].lower() + name[1:]
    return f"{path}.{member}" if path else member


def _refusal(value: Any, path: str, constraint: str) -> str:
    shown = "null" if value is None else f"'{str(value)[:200]}'"
    return f"Value {shown} at '{path}' failed to satisfy constraint: {constraint}"


def given(request: dict[str, Any], *names: str) -> dict[str, Any]:
    """The members of a request that are given, of those named."""
    return {name: request[name] for name in names if name in request}


def page(items: list[Any], token: str | None, limit: int) -> tuple[list[Any], str | None]:
    """One page of a list, and the token of the next one. A token is the number of items before the page."""
    start = page_start(token)
    end = start + limit
    return items[start:end], str(end) if end < len(items) else None


def page_start(token: str | None) -> int:
    """The number that a page's token stands for."""
    if token is None:
        return 0
    if not token.isdigit():
        raise invalid_request("Invalid NextToken")
    return int(token)
