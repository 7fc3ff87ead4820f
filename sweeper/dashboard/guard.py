"""Who is answered: whoever has the token, asks by GET, and asks this machine by its own name.

The token comes with the first address and is then a cookie. A page of another site can neither read it nor send it
(HttpOnly, SameSite=Strict); one that points a name of its own at 127.0.0.1 asks for that name, and is refused.
"""

import hashlib
import hmac
from collections.abc import MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any

from starlette.datastructures import Headers, MutableHeaders, QueryParams
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HOSTS = ("127.0.0.1", "localhost")  # at any port: `ssh -L` may choose another
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
# Of a report: a file that anybody who may write the results folder may have put there. It runs as if it were of another
# site: whatever script it has can ask this server for nothing and fetch from nobody. It can lead its own tab elsewhere
# (no policy of a page of its own forbids that), and so send what it holds.
REPORT_POLICY = (
    "sandbox allow-scripts allow-downloads allow-popups; default-src 'none'; script-src 'unsafe-inline'; "
    "style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_REFUSED = (
    "This address needs the token that `sweeper dashboard` printed: open the whole address, ?token=... included.\n"
)


class Guard:
    """Stands before the pages."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app, self._token = app, token
        # Cookies know no ports: two servers must not overwrite each other's.
        self._cookie = f"sweeper_{hashlib.sha256(token.encode()).hexdigest()[:12]}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse; every answer gets the headers that keep it where it is."""
        if scope["type"] != "http":
            return
        given = QueryParams(scope["query_string"]).get("token")
        has_address = _is(given, self._token)

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                if has_address:
                    headers.append("Set-Cookie", f"{self._cookie}={self._token}; HttpOnly; SameSite=Strict; Path=/")
            await send(message)

        answering: ASGIApp = self._app
        if scope["method"] != "GET":
            answering = PlainTextResponse("This server only shows: GET.\n", 405, {"Allow": "GET"})
        elif not has_address and not self._is_known(scope) and not self._is_report(scope):
            answering = PlainTextResponse(_REFUSED, 403)
        await answering(scope, receive, sending)

    def _is_known(self, scope: MutableMapping[str, Any]) -> bool:
        cookies: SimpleCookie = SimpleCookie()
        try:
            cookies.load(Headers(scope=scope).get("cookie", ""))
        except CookieError:
            return False
        found = cookies.get(self._cookie)
        return _is(found.value if found else None, self._token)

    def _is_report(self, scope: MutableMapping[str, Any]) -> bool:
        parts = str(scope["path"]).split("/")
        return len(parts) > 2 and parts[1] == "report" and _is(parts[2], report_key(self._token))


def report_key(token: str) -> str:
    """What opens reports and nothing else: a page in a sandbox sends no cookie, and its links name its tables."""
    return hmac.digest(token.encode(), b"reports", "sha256").hex()


def _is(given: str | None, wanted: str) -> bool:
    """Whether a text is the wanted one, in a time that does not tell how much of it is."""
    return given is not None and hmac.compare_digest(given.encode("utf-8", "surrogatepass"), wanted.encode())
