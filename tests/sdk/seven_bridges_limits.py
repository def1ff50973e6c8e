"""The official SDK of Seven Bridges at the limits: too many requests, with and without patience, and web pages for JSON."""

import time

import sevenbridges
from bench import check, equal, raised, sandbox
from sevenbridges.errors import SbgError, TooManyRequests
from sevenbridges.http.error_handlers import rate_limit_sleeper


def spent(api):
    """Asks until the platform has had enough."""
    for _ in range(1000):
        api.users.me()


def rates(place):
    api = sevenbridges.Api(url=place["url"], token=place["token"], debug=True)
    equal(raised(TooManyRequests, lambda: spent(api)).code, 1000, "the code of too many requests")
    equal(api.remaining, 0, "requests left")
    patient = sevenbridges.Api(
        url=place["url"], token=place["token"], debug=True, error_handlers=[rate_limit_sleeper]
    )
    begun = time.monotonic()
    assert patient.users.me().username
    check(f"too many requests are refused; after {time.monotonic() - begun:.1f} s of patience they are not")


def pages(place):
    """A maintenance page is an error and no endless wait, as it is no JSON."""
    api = sevenbridges.Api(url=place["url"], token=place["token"], debug=True)
    error = raised(SbgError, api.users.me)
    equal(error.status, 503, "a web page")
    check("a web page for JSON is an error")


def main():
    with sandbox("sb.rate-limit=20", "sb.rate-window=5", speed=1) as printed:
        rates(printed["seven_bridges"])
    with sandbox("sb.front=html-503") as printed:
        pages(printed["seven_bridges"])


main()
