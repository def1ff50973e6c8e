"""Habits of older clients of Code Ocean, refusals and repeated requests, by the SDK and by requests of our own."""

import requests
from bench import check, equal, fetch, put_object, sandbox, until
from codeocean import CodeOcean
from codeocean.capsule import CapsuleSearchParams
from codeocean.computation import DataAssetsRunParam, RunParams
from codeocean.data_asset import AWSS3Source, DataAssetParams, Source
from urllib3.util import Retry


def some_run(client, place):
    """A computation of the first capsule that ends well."""
    put_object(place, "older/a.txt", b"a\n").raise_for_status()
    source = Source(aws=AWSS3Source(bucket=place["bucket"], prefix="older"))
    made = client.data_assets.create_data_asset(
        DataAssetParams(name="older", tags=[], mount="older", source=source)
    )
    client.data_assets.wait_until_ready(made, timeout=60)
    inputs = [DataAssetsRunParam(id=made.id)]
    for capsule in client.capsules.search_capsules(CapsuleSearchParams()).results:
        run = client.computations.run_capsule(RunParams(capsule_id=capsule.id, data_assets=inputs))
        ended = client.computations.wait_until_completed(run, timeout=60)
        if ended.has_results:
            return ended
    raise AssertionError("no capsule has results")


def older_habits(client, place, computation):
    """As aind-codeocean-api 0.5.2 asks: no version header, no bodies, other addresses."""
    session = requests.Session()
    session.auth = (place["token"], "")
    base = place["url"] + "/api/v1"
    listing = session.post(f"{base}/computations/{computation}/results", timeout=30)
    equal(listing.status_code, 200, listing.text)
    files = [item for item in listing.json()["items"] if item["type"] == "file"]
    for item in files:
        for path in (item["path"], item["path"].replace(" ", "%20")):
            url = f"{base}/computations/{computation}/results/download_url?path={path}"
            answer = session.get(url, timeout=30)
            equal(answer.status_code, 200, answer.text)
            equal(len(fetch(answer.json()["url"])), item.get("size", 0), item["path"])
    assets = session.get(f"{base}/data_assets", params={"start": 0, "limit": 1}, timeout=30)
    equal(assets.status_code, 200, assets.text)
    equal(len(assets.json()["results"]), 1, "assets on a page of one")
    slash = session.get(f"{base}/computations/{computation}/", timeout=30)
    equal(slash.json()["id"], computation, "with a slash at the end")
    check(f"{len(files)} files by the former address, assets by GET, no version header")


def credentials(place):
    url = place["url"] + "/api/v1/capsules/search"
    token = place["token"]
    for user, password in (
        (f"'{token}", "'"),
        (f'"{token}"', ""),
        (token, "x"),
        ("", token),
        ("", ""),
    ):
        answer = requests.post(url, json={}, auth=(user, password), timeout=30)
        equal(answer.status_code, 401, f"{user[:1]}…:{password[:1]}")
        assert answer.json()["message"], answer.text
    equal(requests.post(url, json={}, timeout=30).status_code, 401, "no key")
    odd = {"Min-Server-Version": "99.0.0"}
    answer = requests.post(url, json={}, auth=(token, ""), headers=odd, timeout=30)
    equal(answer.status_code, 400, "a newer server is wanted")
    assert "99.0.0" in answer.json()["message"], answer.text
    odd = {"Min-Server-Version": "new"}
    answer = requests.post(url, json={}, auth=(token, ""), headers=odd, timeout=30)
    equal(answer.status_code, 400, "a version that is none")
    check("keys with quotes, with a password or none; versions of the server")


def strings_only(client, place):
    """Numbers for values are refused, so that a client's slip shows."""
    capsule = client.capsules.search_capsules(CapsuleSearchParams()).results[0].id
    url = place["url"] + "/api/v1/computations"
    for values in (
        {"parameters": [10]},
        {"named_parameters": [{"param_name": "min_quality", "value": 30}]},
        {"parameters": [True]},
    ):
        body = {"capsule_id": capsule, **values}
        answer = requests.post(url, json=body, auth=(place["token"], ""), timeout=30)
        equal(answer.status_code, 400, values)
    check("values are strings")


def patience(printed):
    """The SDK with a policy that repeats a refused POST: one computation, after the refusals."""
    place = printed["code_ocean"]
    policy = Retry(total=4, status_forcelist=[429], allowed_methods=None, backoff_factor=0.1)
    client = CodeOcean(domain=place["url"], token=place["token"], retries=policy)
    capsule = client.capsules.search_capsules(CapsuleSearchParams()).results[0].id
    run = client.computations.run_capsule(RunParams(capsule_id=capsule))
    listed = until("the computation", lambda: client.capsules.list_computations(capsule))
    equal([known.id for known in listed], [run.id], "computations after two refusals")
    check("429 twice, then one computation")


def main():
    with sandbox() as printed:
        place = printed["code_ocean"]
        client = CodeOcean(domain=place["url"], token=place["token"])
        credentials(place)
        strings_only(client, place)
        older_habits(client, place, some_run(client, place).id)
    with sandbox("rate-limited@code_ocean.submit*2") as printed:
        patience(printed)


main()
