"""A sandbox for one program, what is noted of each check, and an S3 signer that owes nothing to Labferry's."""

import contextlib
import datetime
import hashlib
import hmac
import json
import signal
import subprocess
import sys
import time
import urllib.parse

import requests

# A program that is told to end lets its sandboxes end first.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))


@contextlib.contextmanager
def sandbox(*faults, speed=10):
    """Starts `labferry sandbox`, hands out what it prints, and ends it."""
    words = [sys.argv[1], "sandbox", "--speed", str(speed)]
    for fault in faults:
        words += ["--fault", fault]
    child = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    try:
        line = child.stdout.readline()
        assert line, "the sandbox printed nothing"
        yield json.loads(line)
    finally:
        child.kill()
        child.wait()


def check(words):
    """Notes that something was checked."""
    print(f"  {words}", flush=True)


def equal(left, right, what):
    assert left == right, f"{what}: {left!r} is not {right!r}"


def raised(kind, act):
    """The error this ends with; anything else is a failure."""
    try:
        got = act()
    except kind as error:
        return error
    raise AssertionError(f"no {kind.__name__}, but {got!r}")


def until(what, act, seconds=60):
    """Asks until the answer is true."""
    deadline = time.monotonic() + seconds
    while True:
        answer = act()
        if answer:
            return answer
        assert time.monotonic() < deadline, f"{what} did not come within {seconds} s"
        time.sleep(0.2)


def fastq(reads, length=40):
    """Reads with a known number and GC content: half of the bases are G or C."""
    lines = []
    for number in range(reads):
        lines += [f"@read{number}", ("ACGT" * length)[:length], "+", "I" * length]
    return ("\n".join(lines) + "\n").encode()


def fetch(url):
    """The bytes behind a signed link, which wants no key."""
    answer = requests.get(url, timeout=30)
    answer.raise_for_status()
    length = int(answer.headers["Content-Length"])
    equal(len(answer.content), length, "length")
    return answer.content


def put_object(place, key, body):
    """Puts an object into the bucket of `place`, signed as Amazon's page on Signature Version 4 says."""
    endpoint, bucket = place["bucket_endpoint"].rstrip("/"), place["bucket"]
    region = place.get("bucket_region", "us-east-1")
    host = urllib.parse.urlsplit(endpoint).netloc
    path = "/" + urllib.parse.quote(f"{bucket}/{key}", safe="/-._~")
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    digest = hashlib.sha256(body).hexdigest()
    headers = {"host": host, "x-amz-content-sha256": digest, "x-amz-date": now}
    names = ";".join(headers)
    lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
    canonical = f"PUT\n{path}\n\n{lines}\n{names}\n{digest}"
    scope = f"{now[:8]}/{region}/s3/aws4_request"
    hashed = hashlib.sha256(canonical.encode()).hexdigest()
    to_sign = f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{hashed}"
    secret = ("AWS4" + place["secret_key"]).encode()
    for part in scope.split("/"):
        secret = hmac.new(secret, part.encode(), hashlib.sha256).digest()
    signature = hmac.new(secret, to_sign.encode(), hashlib.sha256).hexdigest()
    credential = f"{place['access_key']}/{scope}"
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature={signature}"
    )
    return requests.put(endpoint + path, data=body, headers=headers, timeout=30)
