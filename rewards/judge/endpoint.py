"""One OpenAI-compatible chat endpoint, with a circuit breaker."""

import json
import threading
import time

_BREAK_AFTER = 5
_BREAK_S = 30.0
_MAX_REPLY_BYTES = 1 << 20


class EndpointFailed(RuntimeError):
    """The endpoint gave no reply, or none that can be used."""


class Endpoint:
    """Posts chat completions. After five failures in a row it is left alone for 30 seconds."""

    def __init__(
        self,
        url: str,
        *,
        model: str,
        key: str | None,
        timeout_s: float,
        connections: int,
    ) -> None:
        import httpx

        self.url = completions_url(url)
        self._model = model
        self._client = httpx.Client(
            timeout=timeout_s,
            headers={"Authorization": f"Bearer {key}"} if key else {},
            limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
            follow_redirects=False,
        )
        self._timeout_s = timeout_s
        self._failures = 0
        self._closed_until = 0.0
        self._lock = threading.Lock()

    @property
    def is_open(self) -> bool:
        """Whether it may be asked now."""
        return time.monotonic() >= self._closed_until

    def ask(self, prompt: str) -> str:
        """The text of the reply at temperature 0.

        Raises:
            EndpointFailed: No connection, too late as a whole, an error status, or a reply of another shape.
        """
        try:
            text = self._post(prompt)
        except EndpointFailed:
            with self._lock:
                self._failures += 1
                if self._failures >= _BREAK_AFTER:
                    self._closed_until = time.monotonic() + _BREAK_S
            raise
        with self._lock:
            self._failures = 0
        return text

    def _post(self, prompt: str) -> str:
        import httpx

        body = {
            "model": self._model,
            "messages": [{"role": "user", "content": prompt}],
            "temperature": 0.0,
            "max_tokens": 1024,
        }
        deadline = time.monotonic() + self._timeout_s
        content = bytearray()
        try:
            with self._client.stream("POST", self.url, json=body) as response:
                # httpx limits the wait for each piece; a server that drips would hold the call for ever.
                for piece in response.iter_bytes():
                    content += piece
                    if time.monotonic() > deadline or len(content) > _MAX_REPLY_BYTES:
                        raise EndpointFailed(f"{self.url}: the reply is too long or took over {self._timeout_s} s")
                status = response.status_code
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise EndpointFailed(f"{self.url}: {type(error).__name__}") from error
        if status != 200:
            raise EndpointFailed(f"{self.url}: status {status}")
        try:
            text = json.loads(content)["choices"][0]["message"]["content"]
        except (ValueError, LookupError, TypeError, RecursionError) as error:
            raise EndpointFailed(f"{self.url}: the reply is no chat completion") from error
        if not isinstance(text, str):
            raise EndpointFailed(f"{self.url}: the reply holds no text")
        return text


def completions_url(url: str) -> str:
    """The address to post to, from a base address with or without `/v1` and `/chat/completions`."""
    base = url.strip().rstrip("/").removesuffix("/chat/completions").removesuffix("/v1")
    return f"{base}/v1/chat/completions"
