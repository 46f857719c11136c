"""PutObject at an emulator, without the general machinery of botocore, which takes longer than many a query.

A result and its metadata are two objects for each query. botocore resolves the endpoint of each by rules, and builds
user agent, events and retries anew: about 3 ms of processor time for each object.
"""

from __future__ import annotations

from urllib.parse import quote, urljoin, urlsplit

import urllib3
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from dapflow.local.athena.storage.locations import Location


class QuickPut:
    """Puts small objects at one endpoint, by path."""

    def __init__(self, endpoint: str, credentials: Credentials, region: str, connections: int) -> None:
        self._endpoint = endpoint
        self._signer = S3SigV4Auth(credentials, "s3", region)
        patience = urllib3.Timeout(connect=10, read=60)
        self._pool = urllib3.connection_from_url(endpoint, maxsize=connections, timeout=patience)
        self._root = urlsplit(endpoint).path.rstrip("/")

    def put(self, location: Location, body: bytes, content_type: str) -> bool:
        """Write an object. False if that failed, for whichever reason; the general way then tells which."""
        path = f"{self._root}/{location.bucket}/{quote(location.key, safe='/~')}"
        request = AWSRequest("PUT", urljoin(self._endpoint, path), {"Content-Type": content_type}, body)
        self._signer.add_auth(request)
        try:
            answer = self._pool.urlopen("PUT", path, body, dict(request.headers.items()), retries=False)
        except urllib3.exceptions.HTTPError:
            return False
        return answer.status == 200
