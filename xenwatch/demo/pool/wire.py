"""Values on the wire, by the reference's chapter on it: JSON-RPC 1.0 and 2.0, and XML-RPC with Status and Value."""

import datetime as dt
import json
import xmlrpc.client
from typing import Any

from xenwatch.demo.pool.errors import ApiFailure
from xenwatch.demo.pool.events import NUMBER


def plain(value: Any, *, xml: bool) -> Any:
    """An int is text, since it is 64 bits wide; sets are arrays; a date is text in JSON and a date in XML-RPC."""
    if isinstance(value, bool | float | str):
        return value
    if isinstance(value, int):
        return int(value) if isinstance(value, NUMBER) else str(value)
    if isinstance(value, dt.datetime):
        text = value.strftime("%Y%m%dT%H:%M:%SZ")
        return xmlrpc.client.DateTime(text) if xml else text
    if isinstance(value, dict):
        return {str(key): plain(one, xml=xml) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one, xml=xml) for one in value]
    return ""  # void


def json_answer(call: dict[str, Any], result: Any) -> bytes:
    """A ApiFailure for a result is an error."""
    failed = isinstance(result, ApiFailure)
    if call.get("jsonrpc") == "2.0":
        body: dict[str, Any] = {"jsonrpc": "2.0", "id": call["id"]}
        if failed:
            code, *params = result.description
            body["error"] = {"code": 1, "message": code, "data": params}
        else:
            body["result"] = plain(result, xml=False)
    else:
        body = {
            "result": None if failed else plain(result, xml=False),
            "error": list(result.description) if failed else None,
            "id": call["id"],
        }
    return json.dumps(body).encode()


def xml_answer(method: str, result: Any) -> bytes:
    """system.listMethods alone comes without a status: ocaml/xapi/api_server.ml."""
    if isinstance(result, ApiFailure):
        body: Any = {"Status": "ApiFailure", "ErrorDescription": list(result.description)}
    elif method == "system.listMethods":
        body = plain(result, xml=True)
    else:
        body = {"Status": "Success", "Value": plain(result, xml=True)}
    return xmlrpc.client.dumps((body,), methodresponse=True).encode()
