"""What the embedded servers have in common: where they listen, whom they answer, what they keep."""

HOST = "127.0.0.1"
#: Where our servers say that they are ready, beside the API that they serve.
HEALTH_PATH = "/dapflow/health"
