"""Alerts to a chat channel: the topic's messages, posted to a webhook that is kept in Secrets Manager."""

from __future__ import annotations

import json
import os
import urllib.request
from typing import Any

import boto3


def handler(event: dict[str, Any], _context: Any) -> None:
    """Post each message of the topic."""
    secret = boto3.client("secretsmanager").get_secret_value(SecretId=os.environ["WEBHOOK_SECRET"])
    url = json.loads(secret["SecretString"])["url"]
    if not url.startswith("https://"):
        raise RuntimeError(f"the secret {os.environ['WEBHOOK_SECRET']} holds no https address yet")
    for record in event["Records"]:
        body = json.dumps({"text": text(record["Sns"])}).encode()
        request = urllib.request.Request(url, data=body, headers={"Content-Type": "application/json"})  # noqa: S310
        urllib.request.urlopen(request, timeout=10).close()  # noqa: S310 - https, checked above


def text(message: dict[str, Any]) -> str:
    """An alarm in one or two lines; anything else as it is."""
    try:
        alarm = json.loads(message["Message"])
        name, state, why = alarm["AlarmName"], alarm["NewStateValue"], alarm["NewStateReason"]
    except (ValueError, KeyError, TypeError):
        return "\n".join(part for part in (message.get("Subject"), message["Message"]) if part)
    return f"{state}: {name}: {alarm.get('AlarmDescription') or why}\n{why}"
