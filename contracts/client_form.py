"""The plainer form of the contract, for generators of clients and servers.

A generator makes a class of each schema, and stumbles over much that a validator needs: a boolean that can only be true,
a member that can only be null, a list of alternatives. A class also cannot say which error codes go with which HTTP
status, and where each status has a class of its own, a program has to know nine of them to read one code.

So the same operations, parameters, bodies, statuses, codes and examples are said with less: errors of every status
have one class, there is a ``default`` answer for those of a status that is not listed, and the version is OpenAPI 3.0,
which more programs can read. Whatever keeps to ``openapi.bundled.json`` keeps to this form, too; the reverse does not hold,
so validate with the bundle.
"""

from __future__ import annotations

from typing import Any, Final

_VERSION: Final = "3.0.3"
_ERROR: Final = "DeliverySessionError"
_SCHEMAS: Final = "#/components/schemas/"

#: Members of a schema that OpenAPI 3.0 has no word for. A title would stand in for the name of a class.
_UNKNOWN_TO_3_0: Final = frozenset({"const", "examples", "title"})

_DEFAULT: Final = {
    "description": "Any other error. Read the code, whatever the HTTP status (ERRORS).",
    "content": {"application/json": {"schema": {"$ref": _SCHEMAS + _ERROR}}},
}


def client_form(bundle: dict[str, Any]) -> dict[str, Any]:
    """The plainer form of `bundle`, a document that refers to nothing outside of itself. `bundle` is left as it is."""
    schemas = bundle["components"]["schemas"]
    document = {
        **bundle,
        "openapi": _VERSION,
        "info": _info(bundle["info"]),
        "paths": {path: _path_item(item, bundle) for path, item in bundle["paths"].items()},
        "components": {
            **{kind: bundle["components"][kind] for kind in ("securitySchemes", "examples")},
            "requestBodies": {
                name: _body(body, schemas) for name, body in bundle["components"]["requestBodies"].items()
            },
            "responses": {
                **{name: _response(each, schemas) for name, each in bundle["components"]["responses"].items()},
                "OtherError": _DEFAULT,
            },
        },
    }
    document["components"]["schemas"] = _used(document, schemas)
    return document


def _info(info: dict[str, Any]) -> dict[str, Any]:
    """What the document says of itself, without what 3.0 does not know, and with the licence in words.

    A member ``license`` makes one generator of FastAPI servers write a program that does not start.
    """
    plain = {name: value for name, value in info.items() if name not in ("summary", "license")}
    return {**plain, "description": f"{info['description']}\n\nLicence: {info['license']['name']}."}


def _path_item(item: dict[str, Any], bundle: dict[str, Any]) -> dict[str, Any]:
    """The operations of a path, with their parameters written out and a ``default`` answer."""
    schemas = bundle["components"]["schemas"]
    return {
        method: {
            **operation,
            "parameters": [_parameter(_follow(each, bundle), schemas) for each in operation["parameters"]],
            "responses": {**operation["responses"], "default": {"$ref": "#/components/responses/OtherError"}},
        }
        for method, operation in item.items()
    }


def _parameter(parameter: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    return {**parameter, "schema": _schema(parameter["schema"], schemas)}


def _body(body: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    content = {name: {**media, "schema": _schema(media["schema"], schemas)} for name, media in body["content"].items()}
    return {**body, "content": content}


def _response(response: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    """An answer; that of an error carries the one class of all errors."""
    content = {}
    for name, media in response["content"].items():
        schema = media["schema"]
        narrowed = "allOf" in _schema_at(schema, schemas)
        content[name] = {**media, "schema": {"$ref": _SCHEMAS + _ERROR} if narrowed else _schema(schema, schemas)}
    return {**response, "content": content}


def _schema(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    """`schema` in the plainer form: an object is referred to by its name, anything simpler is written out."""
    if "$ref" in schema:
        found = _schema_at(schema, schemas)
        return {"$ref": schema["$ref"]} if found["type"] == "object" else _schema(found, schemas)
    if "anyOf" in schema:
        # What is described and not insisted on: the first alternative describes it.
        described, rest = schema["anyOf"][0], {name: value for name, value in schema.items() if name != "anyOf"}
        return _schema({**rest, **described}, schemas)
    plain = {name: value for name, value in schema.items() if name not in _UNKNOWN_TO_3_0}
    if "properties" in schema:
        plain["properties"] = {
            name: _schema(each, schemas) for name, each in schema["properties"].items() if each.get("type") != "null"
        }
    if "items" in schema:
        plain["items"] = _schema(schema["items"], schemas)
    if "examples" in schema:
        plain["example"] = schema["examples"][0]
    return plain


def _used(document: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    """The schemas that `document` refers to, directly or through another, by name."""
    used: dict[str, Any] = {}
    wanted = _names(document)
    while wanted:
        used |= {name: _schema(schemas[name], schemas) for name in wanted}
        wanted = _names(used) - used.keys()
    return dict(sorted(used.items()))


def _names(node: Any) -> set[str]:
    """The names of the schemas that something in `node` refers to."""
    if isinstance(node, list):
        return {name for value in node for name in _names(value)}
    if not isinstance(node, dict):
        return set()
    reference = node.get("$ref")
    own = {reference.removeprefix(_SCHEMAS)} if isinstance(reference, str) and reference.startswith(_SCHEMAS) else set()
    return own | {name for value in node.values() for name in _names(value)}


def _schema_at(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    """What `schema` refers to, or `schema`."""
    found: dict[str, Any] = schemas[schema["$ref"].removeprefix(_SCHEMAS)] if "$ref" in schema else schema
    return found


def _follow(node: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    """What `node` refers to in `document`, or `node`."""
    if "$ref" not in node:
        return node
    found: Any = document
    for step in node["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    followed: dict[str, Any] = found
    return followed
